// The passes in order: equal work once, then what nobody reads away.
import type { Graph } from '../ir/graph.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { removeUnused } from './remove-unused.js';

/** Changes the graph in place; returns whether it changed. Inputs and outputs keep their names. */
export function optimise(graph: Graph): boolean {
  const joined = commonSubexpressions(graph);
  const removed = removeUnused(graph);
  return joined || removed;
}
