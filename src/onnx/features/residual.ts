// Where residual blocks end: sums of what a block computed and of what went past it. Blocks with attention and the feed-forward part behind them
// are one layer, which ends at the second sum.
import type { Node, Value } from '../ir/graph.js';
import { hasTrait } from '../ops/definition.js';
import { hasRole } from '../ops/feature-roles.js';
import type { GraphOrder } from './graph-order.js';

export interface ResidualEnd {
  /** The sum, or what its activation or normalisation gives where nothing else reads it. */
  readonly value: Value;
  /** The normalisation or activation that follows belongs to it. */
  readonly inside: ReadonlySet<Node>;
  readonly attention: boolean;
}

/** Nodes that a path past a block may go through. */
const longestProjection = 5;
const largestBlock = 600;

/** All of a graph, in its order; sums at nodes `within` an activation are none. */
export function residualEnds(order: GraphOrder, within: ReadonlySet<Node>): ResidualEnd[] {
  return order.graph.nodes.flatMap((node) => {
    if (within.has(node)) return [];
    if (node.opType !== 'Add' && node.opType !== 'QLinearAdd' && !hasRole(node, 'skips')) return [];
    const [a, b] = order.computed(node);
    if (a === undefined || b === undefined) return [];
    const block = blockOf(a, b, order);
    const [y] = node.outputs;
    if (block === undefined || y === undefined || weighs(y, order)) return [];
    const inside = new Set<Node>();
    return [{ value: settled(y, inside, order), inside, attention: block.some((at) => hasRole(at, 'attends')) }];
  });
}

/** Scores of attention, to which a mask or a bias is added: the mask has gone past the layers before. */
const weighs = (sum: Value, order: GraphOrder): boolean =>
  order
    .readers(sum)
    .flatMap((node) => [node, ...node.outputs.flatMap((v) => (hasRole(node, 'beforeSoftmax') ? order.readers(v) : []))])
    .some(({ opType }) => opType === 'Softmax');

/** The nodes between where a path past them parts and where it comes back; undefined where the two have nothing in common. */
function blockOf(a: Value, b: Value, order: GraphOrder): Node[] | undefined {
  for (const [past, through] of order.place(a) < order.place(b)
    ? [
        [a, b],
        [b, a],
      ]
    : [
        [b, a],
        [a, b],
      ]) {
    if (past === undefined || through === undefined) continue;
    let start: Value | undefined = past;
    for (let step = 0; start !== undefined && step <= longestProjection; step++) {
      const block = reach(through, start, order);
      if (block !== undefined) return block;
      const node: Node | undefined = start.producer;
      start = node !== undefined && hasRole(node, 'projects') ? order.computed(node)[0] : undefined;
    }
  }
  return undefined;
}

/** The nodes from `from` back to `start`; undefined where none leads there, or `from` is it. */
function reach(from: Value, start: Value, order: GraphOrder): Node[] | undefined {
  const least = order.place(start);
  const seen = new Set<Node>();
  let found = false;
  const open = [from];
  for (let v = open.pop(); v !== undefined; v = open.pop()) {
    const node = v.producer;
    if (v === start || node === undefined || order.place(v) <= least || seen.has(node)) {
      found ||= v === start && v !== from;
      continue;
    }
    seen.add(node);
    if (seen.size > largestBlock) return undefined;
    open.push(...order.computed(node));
  }
  return found ? [...seen] : undefined;
}

const belongs = /^(Clip|BatchNormalization)$/;

/** Behind a sum that only an activation or a normalisation reads, as in ResNet and in BERT, the layer ends there. */
function settled(sum: Value, inside: Set<Node>, order: GraphOrder): Value {
  const readers = order.readers(sum);
  const [reader] = readers;
  const [y] = reader?.outputs ?? [];
  if (readers.length === 1 && reader !== undefined && y !== undefined) {
    const ends = hasTrait(reader, 'activation') || hasRole(reader, 'normalisesLast') || belongs.test(reader.opType);
    if (!ends) return sum;
    inside.add(reader);
    return y;
  }
  return written(sum, readers, inside, order) ?? sum;
}

/** The end of a layer normalisation that is written out: x - mean, over the root of its mean square, by gain and bias. */
function written(x: Value, readers: readonly Node[], inside: Set<Node>, order: GraphOrder): Value | undefined {
  const less = readers.find(({ opType }) => opType === 'Sub');
  if (readers.length !== 2 || less === undefined || !readers.some(({ opType }) => opType === 'ReduceMean')) return undefined;
  const [centred] = less.outputs;
  if (centred === undefined || less.inputs[0] !== x) return undefined;
  const over = order.readers(centred).find(({ opType, inputs }) => opType === 'Div' && inputs[0] === centred);
  let [value] = over?.outputs ?? [];
  for (let factor = true; ; factor = false) {
    const [reader, other] = value === undefined ? [] : order.readers(value);
    if (reader?.opType !== (factor ? 'Mul' : 'Add') || other !== undefined || order.computed(reader).length !== 1) break;
    inside.add(reader);
    [value] = reader.outputs;
    if (!factor) break;
  }
  return value;
}
