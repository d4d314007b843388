// A copy of a graph whose open dimensions have sizes: what is known of its values then.
import { cloneGraph } from '../ir/clone.js';
import type { Graph, Value } from '../ir/graph.js';
import { inferShapes } from './infer-shapes.js';

/** The copy, and its value for each of the graph's. */
export function atSizes(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  opset: number,
): { readonly copy: Graph; readonly map: ReadonlyMap<Value, Value> } {
  const map = new Map<Value, Value>();
  const copy = cloneGraph(graph, { map });
  for (const v of copy.values()) {
    if (v.type?.kind !== 'tensor' || v.type.shape === undefined) continue;
    v.type = { ...v.type, shape: v.type.shape.map((d) => (typeof d === 'string' ? (sizes[d] ?? d) : d)) };
  }
  inferShapes(copy, { opset });
  return { copy, map };
}
