// Names that subgraphs define. A pass that makes a name visible earlier in a graph than it was must not meet one of them: a subgraph may
// use a name that the graphs around it define only later, but none that is visible to it.
import { allNodes, type Graph } from '../ir/graph.js';

/** Tells whether a subgraph inside `graph` defines a name; looks at them when first asked. */
export function innerNames(graph: Graph): (name: string) => boolean {
  let names: Set<string> | undefined;
  return (name) => {
    if (names === undefined) {
      names = new Set();
      for (const node of allNodes(graph)) {
        for (const sub of node.subgraphs) for (const v of sub.values()) names.add(v.name);
      }
    }
    return names.has(name);
  };
}
