// A graph as looks for features walk it: the place of every node in the file's order, its readers, and what depends on an input.
import { type Graph, Node, nodeReads, type Value } from '../ir/graph.js';
import { Uses } from '../ir/uses.js';
import { hasTrait } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';

export class GraphOrder {
  readonly uses: Uses;
  /** The values that are computed from an input, and the inputs. */
  readonly depends: ReadonlySet<Value>;
  private readonly places: ReadonlyMap<Node, number>;

  constructor(readonly graph: Graph) {
    this.uses = new Uses(graph);
    this.places = new Map(graph.nodes.map((node, i) => [node, i]));
    const initial = new Set(graph.initializers);
    const depends = new Set(graph.inputs.filter((v) => !initial.has(v)));
    for (const node of graph.nodes)
      if ([...nodeReads(node)].some((v) => depends.has(v))) for (const v of node.outputs) depends.add(v);
    this.depends = depends;
  }

  /** -1 for inputs and constants. */
  place(v: Value): number {
    return v.producer === undefined ? -1 : (this.places.get(v.producer) ?? -1);
  }

  /** The inputs of a node that depend on an input of the graph and whose numbers it reads, not their shape alone; each once. */
  computed(node: Node): Value[] {
    if (hasTrait(node, 'shapeOnly')) return [];
    return [...new Set(node.inputs)].filter((v): v is Value => v !== null && this.depends.has(v));
  }

  /** The nodes that read a value's numbers, not its shape alone; each once. */
  readers(v: Value): Node[] {
    const readers = new Set(this.uses.of(v).map(({ reader }) => reader));
    return [...readers].filter((reader): reader is Node => reader instanceof Node && !hasTrait(reader, 'shapeOnly'));
  }
}

/** Whether it is one number that does not change. */
export function isNumber(v: Value): boolean {
  const data = constantOf(v);
  return data?.size === 1;
}
