// Which values of a graph have a row for each sample that is computed of that sample alone, as far as the ops on the way say so by what they are. Of those
// nobody has to try whether samples see each other.
import { type Graph, type Node, nodeReads, type Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { hasRole } from '../ops/feature-roles.js';

/**
 * Values [N,...] each row of which comes from the same row of the samples, given that types are inferred. N is the one open dimension of `samples`, their
 * first; none where they have others. A value that is not among them may have such rows all the same.
 */
export function ownRows(graph: Graph, samples: readonly Value[]): ReadonlySet<Value> {
  const [batch, ...others] = new Set(samples.flatMap((v) => v.shape ?? [null]).filter((d) => typeof d !== 'number'));
  if (typeof batch !== 'string' || others.length > 0 || samples.some((v) => v.shape?.lastIndexOf(batch) !== 0)) return new Set();
  const own = new Set(samples);
  const depends = new Set(samples);
  for (const node of graph.nodes) {
    if (![...nodeReads(node)].some((v) => depends.has(v))) continue;
    for (const v of node.outputs) depends.add(v);
    const [y] = node.outputs;
    if (y?.shape?.[0] === batch && isStandard(node) && keepsRows(node, y, own, depends)) own.add(y);
  }
  return own;
}

/** Whether rows of `y`, as many as there are samples, come from the same rows of what the node reads. */
function keepsRows(node: Node, y: Value, own: ReadonlySet<Value>, depends: ReadonlySet<Value>): boolean {
  const inputs = node.inputs.filter((v) => v !== null);
  const [x, ...rest] = inputs;
  const rank = y.shape?.length ?? 0;
  const moving = inputs.filter((v) => depends.has(v));
  if (x === undefined || !moving.every((v) => own.has(v))) return false;
  if (hasTrait(node, 'elementwise')) return inputs.every((v) => (own.has(v) ? v.shape?.length === rank : spreads(v, rank)));
  if (node.opType === 'Concat') return inputs.every((v) => own.has(v));
  // Of all further ones the first input is the samples', and no other.
  if (!own.has(x) || moving.length > 1) return false;
  if (node.opType === 'Gemm') return node.int('transA', 0) === 0 && rest.slice(1).every((v) => spreads(v, rank));
  if (node.opType === 'MatMul') return rank > 1 && rest.every((v) => v.shape?.length === 2);
  // The batch is open and no other dimension is: where it comes first before and after, neither is it summed over nor do elements change their rows.
  return hasTrait(node, 'reshapes') || node.opType.startsWith('Reduce') || hasRole(node, 'channelsSecond');
}

/** Whether a constant is the same for every row of a value of so many axes. */
const spreads = (v: Value, rank: number): boolean =>
  v.shape !== undefined && (v.shape.length < rank || (v.shape.length === rank && v.shape[0] === 1));
