// Which branch an If takes, where its condition follows from constants and known sizes, as in `Shape, Gather, Equal, If`, by which TorchScript
// writes a squeeze. A size that is open says nothing.
import type { Node } from '../../ir/graph.js';
import { knownElements } from './shape-value.js';

/** The name of the attribute that holds the branch; undefined where it is known at run time only, and for any other node. */
export function takenBranch(node: Node): 'then_branch' | 'else_branch' | undefined {
  if (node.opType !== 'If' || node.domain !== '') return undefined;
  const [condition] = knownElements(node.inputs[0]) ?? [];
  if (typeof condition !== 'number') return undefined;
  return condition === 0 ? 'else_branch' : 'then_branch';
}
