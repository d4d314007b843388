// Puts the nodes of a branch in place of an If whose condition is known (ops/rules/taken-branch.ts); the other branch goes.
import { Names } from '../ir/builder.js';
import { cloneGraph } from '../ir/clone.js';
import { allNodes, type Graph, Node, type Value } from '../ir/graph.js';
import { takenBranch } from '../ops/rules/taken-branch.js';

/** Returns whether any If went, in subgraphs as well. Types must be inferred. Values keep their names where no other value has them. */
export function takeBranch(graph: Graph): boolean {
  return new Taking(graph).graph(graph);
}

class Taking {
  private names: Names | undefined;
  private counts: ReadonlyMap<string, number> | undefined;

  constructor(private readonly root: Graph) {}

  graph(graph: Graph): boolean {
    let changed = false;
    graph.nodes = graph.nodes.flatMap((node) => {
      const name = takenBranch(node);
      const branch = name === undefined ? undefined : node.attributes.get(name);
      if (branch?.kind !== 'graph' || branch.value.sparseInitializers.length > 0 || branch.value.quantization.length > 0) {
        for (const sub of node.subgraphs) if (this.graph(sub)) changed = true;
        return [node];
      }
      changed = true;
      return this.inline(graph, node, branch.value);
    });
    return changed;
  }

  private inline(graph: Graph, node: Node, branch: Graph): Node[] {
    const map = new Map<Value, Value>();
    const copy = cloneGraph(branch, { map, rename: (name) => this.free(name) });
    graph.initializers.push(...copy.initializers);
    const results = node.outputs.flatMap((v, i) => {
      const made = copy.outputs[i];
      return v.name === '' || made === undefined
        ? []
        : [new Node('Identity', [made], [v], new Map(), this.free(`${node.name}/${i}`))];
    });
    return [...copy.nodes, ...results];
  }

  /** A name that stands nowhere but in the branch is free once that goes. */
  private free(name: string): string {
    this.counts ??= countNames(this.root);
    if (this.counts.get(name) === 1) return name;
    this.names ??= Names.of(this.root);
    return this.names.unique(name);
  }
}

function countNames(root: Graph): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const graphs = [root];
  for (const node of allNodes(root)) {
    add(node.name);
    graphs.push(...node.subgraphs);
  }
  for (const v of graphs.flatMap((g) => [...g.values()])) add(v.name);
  return counts;
}
