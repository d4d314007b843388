// A model on 8-bit integers with fixed scales: QuantizeLinear and DequantizeLinear around what placement.ts chose (QDQ form). ONNX Runtime fuses
// them with the ops between into QLinearConv, QGemm, QLinearMatMul; any other runtime computes the same numbers from the definition.
import { must, UsageError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { Names } from '../ir/builder.js';
import { type Attribute, allNodes, type Graph, Node, Value } from '../ir/graph.js';
import { cloneModel, type Model } from '../ir/model.js';
import { tensorType } from '../ir/types.js';
import { constantOf } from '../ops/op-def.js';
import { verifyModel } from '../ops/verify-model.js';
import { removeUnused } from '../passes/remove-unused.js';
import {
  leastScale,
  type Quantization,
  quantizationOf,
  quantizeBias,
  quantizeWeight,
  type Range,
  weightLimit,
} from './integers.js';
import { channelAxis, type Placement, placeInt8, quantizableWeight, whyNone } from './placement.js';
import { type ChannelsOf, canStoreInt8, storeInt8 } from './stored-int8.js';

export interface StaticInt8Options {
  /** Of every value that `calibratedValues` names. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** Weights of 7 bits. */
  readonly reduceRange?: boolean;
}

/** Names of the values whose ranges are needed. Throws UsageError where there is nothing to quantize. */
export function calibratedValues(model: Model): string[] {
  const { values, products, left } = placeInt8(model.graph);
  if (products.size === 0 && !canStoreInt8(model.graph, channelsInside(model.graph)))
    throw new UsageError(
      `int8: the model has no Conv, Gemm or MatMul with constant weights outside its branches${whyNone(model.graph, left)}; try int8-dynamic or fp16`,
    );
  return [...values].filter(([, like]) => like === undefined).map(([v]) => v.name);
}

/** A new model; the one given stays as it is. */
export function toStaticInt8(model: Model, options: StaticInt8Options): Model {
  const out = cloneModel(model);
  new Quantizing(out.graph, options).run();
  removeUnused(out.graph);
  storeInt8(out.graph, channelsInside(out.graph));
  removeUnused(out.graph);
  out.metadata.set('prognet.precision', 'int8');
  verifyModel(out);
  return out;
}

/** The channels of the weight of a product in a branch or a body, whose values nobody calibrates: it is held as int8 and multiplied as float32. */
function channelsInside(root: Graph): ChannelsOf {
  const fed = new Set([root, ...Array.from(allNodes(root), (n) => n.subgraphs).flat()].flatMap((g) => g.inputs));
  return ({ reader, at, graph }) =>
    graph !== root && at === 1 && reader instanceof Node && quantizableWeight(reader, fed) !== undefined
      ? channelAxis(reader)
      : undefined;
}

class Quantizing {
  private readonly names: Names;
  private readonly placement: Placement;
  private readonly nodes: Node[] = [];
  /** Scale and zero of a quantized value. */
  private readonly quantizations = new Map<Value, Quantization>();
  /** What is read in place of a quantized value: what its integers stand for. */
  private readonly dequantized = new Map<Value, Value>();

  constructor(
    private readonly graph: Graph,
    private readonly options: StaticInt8Options,
  ) {
    this.names = Names.of(graph);
    this.placement = placeInt8(graph);
  }

  run(): void {
    for (const v of this.graph.inputs) this.quantize(v);
    for (const node of this.graph.nodes) {
      const product = this.placement.products.has(node);
      const [x] = node.inputs;
      const scale = product && x ? must(this.quantizations.get(x), x.name).scale : 0;
      node.inputs = node.inputs.map((v) => (v === null ? null : (this.dequantized.get(v) ?? v)));
      this.nodes.push(product ? this.product(node, scale) : node);
      for (const v of node.outputs) this.quantize(v);
    }
    this.graph.nodes = this.nodes;
  }

  /** Adds the pair behind a value that was chosen. */
  private quantize(v: Value): void {
    const { values } = this.placement;
    if (!values.has(v)) return;
    const like = values.get(v);
    const q = like === undefined ? this.observed(v) : must(this.quantizations.get(like), like.name);
    this.quantizations.set(v, q);
    const scale = this.initializer(`${v.name}_scale`, Tensor.from('float32', q.scale));
    const zero = this.initializer(`${v.name}_zero_point`, Tensor.from('uint8', q.zero));
    const integers = this.node('QuantizeLinear', [v, scale, zero], `${v.name}_quantized`, 'uint8');
    this.dequantized.set(v, this.node('DequantizeLinear', [integers, scale, zero], `${v.name}_dequantized`, 'float32'));
  }

  private observed(v: Value): Quantization {
    const range = this.options.ranges.get(v.name);
    if (range === undefined) throw new UsageError(`int8: no range is known of value "${v.name}"`);
    return quantizationOf(range);
  }

  /** A product whose weight and bias are integers. A MatMul of matrices becomes a Gemm, which ONNX Runtime keeps apart from a later Add. */
  private product(node: Node, inputScale: number): Node {
    const [x, w, b] = node.inputs;
    if (!x || !w) return node;
    const bias = b ? (must(constantOf(b), b.name).data as Float32Array) : undefined;
    const axis = channelAxis(node);
    const limit = weightLimit(this.options.reduceRange ?? false);
    const { values, scales } = quantizeWeight(must(constantOf(w), w.name), axis, limit, leastScale(bias, inputScale));
    const zeros = Tensor.zeros('int8', [scales.length]);
    node.inputs = [x, this.constant(w, values, new Tensor('float32', [scales.length], scales), zeros, axis)];
    if (b && bias) {
      const units = scales.map((s) => s * inputScale);
      const integers = new Tensor('int32', [bias.length], quantizeBias(bias, units));
      node.inputs.push(
        this.constant(b, integers, new Tensor('float32', [units.length], units), Tensor.zeros('int32', [units.length]), 0),
      );
    }
    const [y] = node.outputs;
    return node.opType === 'MatMul' && y && x.shape?.length === 2
      ? new Node('Gemm', node.inputs, [y], new Map(), node.name)
      : node;
  }

  /** An initializer of integers and what it stands for. */
  private constant(v: Value, values: Tensor, scales: Tensor, zeros: Tensor, axis: number): Value {
    const name = this.names.unique(`${v.name}_quantized`);
    const inputs = [
      this.initializer(name, values, true),
      this.initializer(`${name.replace(/_quantized/, '_scale')}`, scales),
      this.initializer(`${name.replace(/_quantized/, '_zero_point')}`, zeros),
    ];
    const attributes = new Map<string, Attribute>([['axis', { kind: 'int', value: BigInt(axis) }]]);
    return this.node('DequantizeLinear', inputs, `${v.name}_dequantized`, 'float32', attributes);
  }

  private initializer(name: string, tensor: Tensor, reserved = false): Value {
    const v = new Value(reserved ? name : this.names.unique(name), tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    this.graph.initializers.push(v);
    return v;
  }

  private node(
    op: string,
    inputs: Value[],
    name: string,
    dtype: 'uint8' | 'float32',
    attributes?: Map<string, Attribute>,
  ): Value {
    const y = new Value(this.names.unique(name), tensorType(dtype, inputs[0]?.shape));
    this.nodes.push(new Node(op, inputs, [y], attributes, this.names.unique(`${y.name}/${op}`)));
    return y;
  }
}
