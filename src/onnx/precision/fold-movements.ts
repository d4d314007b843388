// Weights that a node moves before they are read (Transpose, Reshape, Slice of a constant) are moved here, once, so that what reads them sees a
// weight. Not where the file would grow: a table that others read as it is stays one.
import { elementCount } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { Uses } from '../ir/uses.js';
import { definitionOf } from '../ops/definition.js';
import { constantOf, NodeContext } from '../ops/op-def.js';
import { type View, viewed } from '../ops/rules/pick.js';
import { innerNames } from '../passes/inner-names.js';

/** Returns whether anything was moved; subgraphs as well. Types must be inferred. */
export function foldMovements(graph: Graph, opset: number): boolean {
  return new Folding(new Uses(graph), opset).graph(graph, new Set());
}

class Folding {
  /** Whether the results of all who move a weight, and read no more than that, take less than it or as much. */
  private readonly worth = new Map<Value, boolean>();

  constructor(
    private readonly uses: Uses,
    private readonly opset: number,
  ) {}

  graph(graph: Graph, around: ReadonlySet<Value>): boolean {
    const fed = new Set([...around, ...graph.inputs]);
    const kept = new Set(graph.outputs);
    const taken = innerNames(graph);
    let changed = false;
    graph.nodes = graph.nodes.filter((node) => {
      for (const sub of node.subgraphs) if (this.graph(sub, fed)) changed = true;
      const [y] = node.outputs;
      if (y === undefined || node.outputs.length !== 1 || kept.has(y) || taken(y.name)) return true;
      const [x] = node.inputs;
      const data = x && !fed.has(x) ? constantOf(x) : undefined;
      if (!x || data?.dtype !== 'float32' || !this.isWorth(x, data.size)) return true;
      const view = this.view(node, data.dims);
      if (view === undefined) return true;
      y.producer = undefined;
      y.constant = viewed(data, view);
      y.type = tensorType('float32', view.dims);
      graph.initializers.push(y);
      changed = true;
      return false;
    });
    return changed;
  }

  private isWorth(x: Value, size: number): boolean {
    const known = this.worth.get(x);
    if (known !== undefined) return known;
    const dims = constantOf(x)?.dims ?? [];
    const sizes = this.uses.of(x).map(({ reader, at }) => {
      const view = at === 0 && 'opType' in reader ? this.view(reader, dims) : undefined;
      return view === undefined ? Number.POSITIVE_INFINITY : elementCount(view.dims);
    });
    const worth = sizes.reduce((a, b) => a + b, 0) <= size;
    this.worth.set(x, worth);
    return worth;
  }

  private view(node: Node, dims: readonly number[]): View | undefined {
    const def = definitionOf(node, this.opset);
    if (def?.view === undefined || !node.inputs.slice(1).every((v) => v === null || constantOf(v) !== undefined))
      return undefined;
    return def.view(new NodeContext(node, this.opset), dims);
  }
}
