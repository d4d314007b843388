// Weights that are no factors of integer products, held as int8 all the same: tables that Gather reads, row by row, and the matrices of recurrent
// layers. Cast and Mul make them float32 again: of a table the rows that are asked for, of the others all, which ONNX Runtime does once, when
// it loads the model (it leaves a DequantizeLinear to every run), so that these layers are as fast as before.
import { elementCount } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import { Names } from '../ir/builder.js';
import { type Attribute, type Graph, Node, Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { type Use, Uses } from '../ir/uses.js';
import { isStandard } from '../ops/definition.js';
import { quantizeWeight, weightLimit } from './integers.js';
import { type LargeWeight, largeWeights } from './large-weights.js';

/** Numbers that share a scale at least: shorter rows are anchors and other coordinates rather than weights. */
export const leastRow = 16;

/** The channels of a weight by who reads it, as an axis; undefined where it is to stay. */
export type ChannelsOf = (use: Use) => number | undefined;

/**
 * Rewrites a graph and its subgraphs and returns how many weights it turned into int8. `others`: what further readers, beside Gather and recurrent
 * layers, let a weight be one of them. What nothing reads any more is left for `removeUnused`.
 */
export function storeInt8(root: Graph, others: ChannelsOf = () => undefined): number {
  const uses = new Uses(root);
  const storing = new Storing(Names.of(root));
  const found = storable(uses, others);
  for (const { axes, ...weight } of found) storing.weight(weight, axes);
  for (const graph of uses.graphs) storing.settle(graph);
  return found.length;
}

/** Whether there is a weight that `storeInt8` turns into int8. */
export function canStoreInt8(root: Graph, others: ChannelsOf): boolean {
  return storable(new Uses(root), others).length > 0;
}

function storable(uses: Uses, others: ChannelsOf): (LargeWeight & { readonly axes: readonly number[] })[] {
  return largeWeights(uses).flatMap((weight) => {
    const axes = scaledAxes(weight.uses, weight.data.dims, others);
    return axes === undefined ? [] : [{ ...weight, axes }];
  });
}

/** The axes along which a weight has a scale for each place; undefined: it stays float32. */
function scaledAxes(uses: readonly Use[], dims: readonly number[], others: ChannelsOf): readonly number[] | undefined {
  if (uses.length === 0 || uses.some(({ reader }) => !(reader instanceof Node))) return undefined;
  const tables = uses.flatMap((use) => gatherAxis(use, dims.length) ?? []);
  const channels = tables.length > 0 ? tables : uses.map(others);
  const [axis] = channels;
  const axes = uses.every(isOfGates) ? [0, 1] : axis !== undefined && channels.every((c) => c === axis) ? [axis] : undefined;
  const scales = axes?.reduce((n, a) => n * (dims[a] ?? 1), 1);
  return scales !== undefined && elementCount(dims) / scales >= leastRow ? axes : undefined;
}

/** The axis of the rows where a weight is a table that Gather reads. */
function gatherAxis({ reader, at }: Use, rank: number): number | undefined {
  if (!(reader instanceof Node) || !isStandard(reader) || reader.opType !== 'Gather' || at !== 0) return undefined;
  const axis = reader.int('axis', 0);
  return axis < 0 ? axis + rank : axis;
}

export const isRecurrent = (node: Node): boolean =>
  isStandard(node) && (node.opType === 'LSTM' || node.opType === 'GRU' || node.opType === 'RNN');

/** Whether a weight is W or R of a recurrent layer, [directions, gates, inputs]. */
const isOfGates = ({ reader, at }: Use): boolean => reader instanceof Node && isRecurrent(reader) && (at === 1 || at === 2);

class Storing {
  /** What takes the place of a node. */
  private readonly instead = new Map<Node, readonly Node[]>();
  /** What comes before all nodes of a graph. */
  private readonly first = new Map<Graph, Node[]>();

  constructor(private readonly names: Names) {}

  weight({ graph, value: v, data, uses }: LargeWeight, axes: readonly number[]): void {
    const { values, scales } = quantized(data, axes);
    const integers = this.initializer(graph, `${v.name}_quantized`, values);
    const units = this.initializer(graph, `${v.name}_scale`, scales);
    let whole: Value | undefined;
    for (const use of uses) {
      const { reader, at } = use;
      if (!(reader instanceof Node)) continue;
      if (gatherAxis(use, data.dims.length) !== undefined) {
        this.instead.set(reader, this.rows(reader, integers, units, axes[0] ?? 0));
        continue;
      }
      whole ??= this.whole(graph, v, integers, units);
      reader.inputs[at] = whole;
    }
  }

  /** Puts the nodes in place. */
  settle(graph: Graph): void {
    graph.nodes = [...(this.first.get(graph) ?? []), ...graph.nodes.flatMap((node) => this.instead.get(node) ?? [node])];
  }

  /** A Gather of integers, one of their scales, and their product. */
  private rows(node: Node, integers: Value, units: Value, axis: number): Node[] {
    const [, indices] = node.inputs;
    const [y] = node.outputs;
    if (!indices || !y) return [node];
    const { shape } = y;
    const at = indices.shape;
    const beside = (count: number) => new Array<number>(count).fill(1);
    const scaleShape = at && [...beside(axis), ...at, ...beside(integers.dims.length - axis - 1)];
    const row = new Value(this.names.unique(`${y.name}_quantized`), tensorType('int8', shape));
    const scale = new Value(this.names.unique(`${y.name}_scale`), tensorType('float32', scaleShape));
    const again = this.names.unique(`${y.name}/scale`);
    return [
      new Node('Gather', [integers, indices], [row], new Map(node.attributes), node.name),
      new Node('Gather', [units, indices], [scale], new Map(node.attributes), again),
      ...this.product(row, scale, y),
    ];
  }

  /** The weight as float32. */
  private whole(graph: Graph, v: Value, integers: Value, units: Value): Value {
    const y = new Value(this.names.unique(`${v.name}_dequantized`), tensorType('float32', integers.shape));
    const nodes = this.first.get(graph) ?? [];
    this.first.set(graph, [...nodes, ...this.product(integers, units, y)]);
    return y;
  }

  private product(integers: Value, scale: Value, y: Value): Node[] {
    const float = new Value(this.names.unique(`${y.name}_float`), tensorType('float32', integers.shape));
    const to: Attribute = { kind: 'int', value: 1n };
    return [
      new Node('Cast', [integers], [float], new Map([['to', to]]), this.names.unique(`${y.name}/Cast`)),
      new Node('Mul', [float, scale], [y], new Map(), this.names.unique(`${y.name}/Mul`)),
    ];
  }

  private initializer(graph: Graph, name: string, tensor: Tensor): Value {
    const v = new Value(this.names.unique(name), tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    graph.initializers.push(v);
    return v;
  }
}

/** Integers of 8 bits, which no sum of 16 bits takes, and scales that broadcast against them. */
function quantized(data: Tensor, axes: readonly number[]): { values: Tensor; scales: Tensor } {
  const [first = 0] = axes;
  const { dims } = data;
  // gates of all directions are rows of one matrix
  const flat = axes.length > 1 ? data.reshape([(dims[0] ?? 1) * (dims[1] ?? 1), ...dims.slice(2)]) : data;
  const { values, scales } = quantizeWeight(flat, axes.length > 1 ? 0 : first, weightLimit(false));
  const broadcast = dims.map((d, axis) => (axes.includes(axis) ? d : 1));
  return { values: values.reshape(dims), scales: new Tensor('float32', broadcast, scales) };
}
