// What passes that change weights share: who reads a value, which tensors are constant for certain, and names that nobody has yet.
import { Tensor } from '../core/tensor.js';
import { allNodes, type Graph, type Node, Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { constantOf } from '../ops/op-def.js';

/** A view of a graph and its subgraphs as they are when it is made. New initializers go to the outermost graph. */
export class Rewriting {
  readonly graphs: readonly Graph[];
  private readonly names = new Set<string>();
  private readonly readers = new Map<Value, Node[]>();
  /** Outputs of graphs, and initializers that callers may replace. */
  private readonly outputs = new Set<Value>();
  private readonly inputs = new Set<Value>();

  constructor(private readonly root: Graph) {
    const graphs = [root];
    for (const node of allNodes(root)) {
      graphs.push(...node.subgraphs);
      for (const v of new Set(node.inputs)) if (v !== null) this.readers.set(v, [...(this.readers.get(v) ?? []), node]);
    }
    for (const graph of graphs) {
      for (const v of graph.values()) this.names.add(v.name);
      for (const node of graph.nodes) this.names.add(node.name);
      for (const v of graph.outputs) this.outputs.add(v);
      for (const v of graph.inputs) this.inputs.add(v);
    }
    this.graphs = graphs;
  }

  /** The float32 tensor behind a value that no caller can replace. */
  weights(v: Value | null | undefined): (Tensor & { readonly data: Float32Array }) | undefined {
    if (v === null || v === undefined || this.inputs.has(v)) return undefined;
    const tensor = constantOf(v);
    return tensor !== undefined && isFloat32(tensor) ? tensor : undefined;
  }

  /** The only node that reads a value; undefined when there are others or it is an output. */
  onlyReader(v: Value): Node | undefined {
    const nodes = this.readers.get(v) ?? [];
    return nodes.length === 1 && !this.outputs.has(v) ? nodes[0] : undefined;
  }

  /** A constant of the outermost graph. */
  initializer(hint: string, tensor: Tensor): Value {
    const v = this.value(hint);
    v.type = tensorType(tensor.dtype, tensor.dims);
    v.constant = tensor;
    this.root.initializers.push(v);
    return v;
  }

  /** A value of a new name: `hint`, or `hint_1`, ... */
  value(hint: string): Value {
    return new Value(this.name(hint));
  }

  name(hint: string): string {
    let name = hint;
    for (let i = 1; this.names.has(name); i++) name = `${hint}_${i}`;
    this.names.add(name);
    return name;
  }
}

function isFloat32(t: Tensor): t is Tensor & { readonly data: Float32Array } {
  return t.dtype === 'float32' && t.data instanceof Float32Array;
}

/** Makes int64 vectors for a pass, each once; the graph is looked at when the first is asked for. */
export function constantsOf(graph: Graph, hint: string): (values: readonly number[]) => Value {
  let rewriting: Rewriting | undefined;
  const made = new Map<string, Value>();
  return (values) => {
    const known = made.get(values.join());
    if (known !== undefined) return known;
    rewriting ??= new Rewriting(graph);
    const v = rewriting.initializer(hint, Tensor.from('int64', values));
    made.set(values.join(), v);
    return v;
  };
}
