// Removes nodes and initializers that no output depends on, inside subgraphs as well. Inputs stay: they are the graph's signature.
import { type Graph, nodeReads, type Value } from '../ir/graph.js';

/** Returns whether anything went. */
export function removeUnused(graph: Graph): boolean {
  let changed = false;
  for (const node of graph.nodes) for (const sub of node.subgraphs) if (removeUnused(sub)) changed = true;
  const used = new Set<Value>(graph.outputs);
  const kept = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((v) => used.has(v))) return false;
    for (const v of nodeReads(node)) used.add(v);
    return true;
  });
  if (kept.length !== graph.nodes.length) {
    graph.nodes = kept.reverse();
    changed = true;
  }
  const initializers = graph.initializers.filter((v) => used.has(v) || graph.inputs.includes(v));
  if (initializers.length !== graph.initializers.length) changed = true;
  graph.initializers = initializers;
  return changed;
}
