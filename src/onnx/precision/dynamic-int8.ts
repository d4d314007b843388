// A model whose products run on 8-bit integers with scales found anew at each run: DynamicQuantizeLinear, then MatMulInteger or ConvInteger,
// then the scales of input and weight and the bias in float32. No calibration data are needed; values between products stay float32.
import { must, UsageError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { Names } from '../ir/builder.js';
import { type Attribute, type Graph, Node, Value } from '../ir/graph.js';
import { cloneModel, type Model } from '../ir/model.js';
import { type Type, tensorType } from '../ir/types.js';
import { constantOf } from '../ops/op-def.js';
import { verifyModel } from '../ops/verify-model.js';
import { removeUnused } from '../passes/remove-unused.js';
import { quantizeWeight, weightLimit } from './integers.js';
import { channelAxis, quantizableWeight, whyNone } from './placement.js';
import { storeInt8 } from './stored-int8.js';

export interface DynamicInt8Options {
  /** Weights of 7 bits. */
  readonly reduceRange?: boolean;
}

/** A new model, branches of If included; the one given stays as it is. Throws UsageError where there is nothing to quantize. */
export function toDynamicInt8(model: Model, options: DynamicInt8Options = {}): Model {
  const out = cloneModel(model);
  const quantizing = new DynamicQuantizing(out.graph, weightLimit(options.reduceRange ?? false));
  quantizing.graph(out.graph);
  removeUnused(out.graph);
  const stored = storeInt8(out.graph);
  if (quantizing.products === 0 && stored === 0)
    throw new UsageError(`int8-dynamic: the model has no Conv, Gemm or MatMul with constant weights${whyNone(model.graph)}`);
  removeUnused(out.graph);
  out.metadata.set('prognet.precision', 'int8-dynamic');
  verifyModel(out);
  return out;
}

/** What DynamicQuantizeLinear gives for a value. */
interface Integers {
  readonly values: Value;
  readonly scale: Value;
  readonly zero: Value;
}

class DynamicQuantizing {
  products = 0;
  private readonly names: Names;
  private readonly fed = new Set<Value>();
  /** The graph that defines a value, being rewritten: its integers are computed there, once. */
  private readonly homes = new Map<Value, { readonly graph: Graph; readonly nodes: Node[] }>();
  private readonly integers = new Map<Value, Integers>();
  private readonly weights = new Map<Value, { readonly values: Value; readonly scales: Float32Array; readonly axis: number }>();

  constructor(
    root: Graph,
    private readonly limit: number,
  ) {
    this.names = Names.of(root);
  }

  graph(graph: Graph): void {
    const nodes: Node[] = [];
    for (const v of graph.inputs) this.fed.add(v);
    for (const v of graph.values()) this.homes.set(v, { graph, nodes });
    for (const node of graph.nodes) {
      for (const sub of node.subgraphs) this.graph(sub);
      const weight = quantizableWeight(node, this.fed);
      if (weight === undefined) nodes.push(node);
      else this.product(node, weight, nodes);
    }
    graph.nodes = nodes;
  }

  private product(node: Node, weight: Value, nodes: Node[]): void {
    this.products++;
    const [x, , b] = node.inputs;
    const y = must(node.outputs[0], 'output');
    const { values, scale, zero } = this.quantized(must(x, 'input'));
    const w = this.weight(node, weight);
    const conv = node.opType === 'Conv';
    const channels = w.scales.length;
    const broadcast = conv ? [1, channels, ...Array.from({ length: w.values.dims.length - 2 }, () => 1)] : [channels];
    const name = node.name || y.name;
    const shape = y.shape;
    const sum = conv
      ? this.node(nodes, 'ConvInteger', [values, w.values, zero], `${name}/sum`, tensorType('int32', shape), node.attributes)
      : this.node(nodes, 'MatMulInteger', [values, w.values, zero], `${name}/sum`, tensorType('int32', shape));
    const float = this.node(
      nodes,
      'Cast',
      [sum],
      `${name}/float`,
      tensorType('float32', shape),
      new Map([['to', { kind: 'int', value: 1n }]]),
    );
    const scales = this.initializer(`${weight.name}_scale`, new Tensor('float32', broadcast, w.scales), weight);
    const unit = this.node(nodes, 'Mul', [scale, scales], `${name}/unit`, tensorType('float32', broadcast));
    if (!b) {
      nodes.push(new Node('Mul', [float, unit], [y], new Map(), node.name));
      return;
    }
    const scaled = this.node(nodes, 'Mul', [float, unit], `${name}/scaled`, tensorType('float32', shape));
    const bias = conv ? this.initializer(`${b.name}_channels`, must(constantOf(b), b.name).reshape(broadcast), b) : b;
    nodes.push(new Node('Add', [scaled, bias], [y], new Map(), node.name));
  }

  private quantized(x: Value): Integers {
    const known = this.integers.get(x);
    if (known !== undefined) return known;
    const home = must(this.homes.get(x), x.name);
    const output = (suffix: string, type: Type) => new Value(this.names.unique(`${x.name}_${suffix}`), type);
    const made = {
      values: output('quantized', tensorType('uint8', x.shape)),
      scale: output('scale', tensorType('float32', [])),
      zero: output('zero_point', tensorType('uint8', [])),
    };
    const outputs = [made.values, made.scale, made.zero];
    home.nodes.push(
      new Node('DynamicQuantizeLinear', [x], outputs, new Map(), this.names.unique(`${x.name}/DynamicQuantizeLinear`)),
    );
    this.integers.set(x, made);
    return made;
  }

  /** The integers of a weight; MatMulInteger reads them as rows by columns. */
  private weight(node: Node, v: Value) {
    const axis = channelAxis(node);
    const known = this.weights.get(v);
    if (known?.axis === axis) return known;
    const { values, scales } = quantizeWeight(must(constantOf(v), v.name), axis, this.limit);
    const stored = node.opType !== 'Conv' && axis === 0 ? transposed(values) : values;
    const made = { values: this.initializer(`${v.name}_quantized`, stored, v), scales, axis };
    this.weights.set(v, made);
    return made;
  }

  /** In the graph of the float32 one: ONNX Runtime packs no weights of a graph around a branch. */
  private initializer(name: string, tensor: Tensor, like: Value): Value {
    const v = new Value(this.names.unique(name), tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    must(this.homes.get(like), like.name).graph.initializers.push(v);
    return v;
  }

  private node(
    nodes: Node[],
    op: string,
    inputs: Value[],
    name: string,
    type: Type,
    attributes = new Map<string, Attribute>(),
  ): Value {
    const y = new Value(this.names.unique(name), type);
    nodes.push(new Node(op, inputs, [y], new Map(attributes), this.names.unique(`${name}/${op}`)));
    return y;
  }
}

function transposed(t: Tensor): Tensor {
  const [rows = 0, columns = 0] = t.dims;
  const from = t.data as Int8Array;
  const to = new Int8Array(from.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c] ?? 0;
  return new Tensor('int8', [columns, rows], to);
}
