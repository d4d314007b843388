// Gradients of ops that the table gives as functions of other ops: the function is written out beside the node and differentiated.
import type { Node, Value } from '../ir/graph.js';
import type { Expansion, GradientContext } from '../ops/op-def.js';
import type { Backpropagate } from './control-flow.js';
import { upstream } from './path.js';

/** Pairs of an input of the node and its gradient. Of the expansion only what the gradient reads stays in the graph. */
export function expansionGradient(
  c: GradientContext,
  expansion: Expansion,
  backpropagate: Backpropagate,
): (readonly [Value, Value])[] {
  const { graph } = c.g;
  const before = graph.nodes.length;
  const outputs = expansion.expand(c);
  const nodes: Node[] = graph.nodes.slice(before);
  const by = [...new Set(c.node.inputs.filter((v, i): v is Value => v !== null && c.needs(i)))];
  const seeds = outputs.flatMap((v, i) => {
    const d = c.dyOrNull(i);
    return d === null ? [] : [[v, d] as const];
  });
  const pairs = backpropagate(c.g, nodes, seeds, by).flatMap((d, i) => {
    const x = by[i];
    return d === null || x === undefined ? [] : [[x, d] as const];
  });
  const added = graph.nodes.slice(before);
  const needed = upstream(
    added,
    pairs.map(([, d]) => d),
  ).nodes;
  graph.nodes = [...graph.nodes.slice(0, before), ...needed];
  return pairs;
}
