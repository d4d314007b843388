// Who reads a value: the other direction of Value.producer. It is looked up for a whole graph at once and belongs to whoever asked: a pass
// that rewrites tells it so (`add`, `remove`), or makes a new one.
import { type Graph, Node, type Value } from './graph.js';

/** One place where a value is read. */
export interface Use {
  /** The node that has it among its inputs, or the graph that has it among its outputs. */
  readonly reader: Node | Graph;
  /** Which input or output of the reader. */
  readonly at: number;
  /** The graph that the node stands in, else the reader itself. */
  readonly graph: Graph;
}

/**
 * The readers of every value of a graph and its subgraphs. A use is one input of one node or one output of one graph. What a subgraph captures
 * is read by the very node inside that reads it, or by the subgraph whose output it is; the node that holds the subgraph is no reader of it.
 */
export class Uses {
  /** The graph itself, then its subgraphs, outer before inner, each before those of later nodes. */
  readonly graphs: readonly Graph[];
  private readonly uses = new Map<Value, Use[]>();

  constructor(root: Graph) {
    const graphs: Graph[] = [];
    const look = (graph: Graph) => {
      graphs.push(graph);
      for (const node of graph.nodes) {
        this.add(node, graph);
        for (const sub of node.subgraphs) look(sub);
      }
      this.note(graph, graph.outputs, graph);
    };
    look(root);
    this.graphs = graphs;
  }

  /** Every use of a value; none for what nothing reads and for values of other graphs. */
  of(v: Value): readonly Use[] {
    return this.uses.get(v) ?? [];
  }

  isRead(v: Value): boolean {
    return this.of(v).length > 0;
  }

  /** The one reader of a value, which may read it at several places; undefined where there are others, or none. */
  soleReader(v: Value): Node | Graph | undefined {
    const uses = this.of(v);
    const reader = uses[0]?.reader;
    return uses.every((use) => use.reader === reader) ? reader : undefined;
  }

  /** The only node that reads a value, where no graph has it as an output. */
  soleNode(v: Value): Node | undefined {
    const reader = this.soleReader(v);
    return reader instanceof Node ? reader : undefined;
  }

  /** A node that is new in a graph, or reads something else now. What its subgraphs read is not looked at. */
  add(node: Node, graph: Graph): void {
    this.note(node, node.inputs, graph);
  }

  /** A node that goes, or is about to read something else. What its subgraphs read is not looked at. */
  remove(node: Node): void {
    for (const v of node.inputs) {
      const uses = v === null ? undefined : this.uses.get(v);
      const i = uses?.findIndex(({ reader }) => reader === node) ?? -1;
      if (i >= 0) uses?.splice(i, 1);
    }
  }

  private note(reader: Node | Graph, values: readonly (Value | null)[], graph: Graph): void {
    for (let at = 0; at < values.length; at++) {
      const v = values[at];
      if (v === null || v === undefined) continue;
      const known = this.uses.get(v);
      if (known === undefined) this.uses.set(v, [{ reader, at, graph }]);
      else known.push({ reader, at, graph });
    }
  }
}
