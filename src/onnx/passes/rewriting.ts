// What passes that change weights share: who reads a value, which tensors are constant for certain, and names that nobody has yet.
import { Tensor } from '../core/tensor.js';
import { Names } from '../ir/builder.js';
import { type Graph, Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { Uses } from '../ir/uses.js';
import { constantOf } from '../ops/op-def.js';

/** A view of a graph and its subgraphs as they are when it is made. New initializers go to the outermost graph. */
export class Rewriting {
  readonly graphs: readonly Graph[];
  readonly uses: Uses;
  private readonly names: Names;
  private readonly inputs: ReadonlySet<Value>;

  constructor(private readonly root: Graph) {
    this.uses = new Uses(root);
    this.graphs = this.uses.graphs;
    this.names = Names.of(root);
    this.inputs = new Set(this.graphs.flatMap((graph) => graph.inputs));
  }

  /** The float32 tensor behind a value that no caller can replace. */
  weights(v: Value | null | undefined): (Tensor & { readonly data: Float32Array }) | undefined {
    if (v === null || v === undefined || this.inputs.has(v)) return undefined;
    const tensor = constantOf(v);
    return tensor !== undefined && isFloat32(tensor) ? tensor : undefined;
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
    return this.names.unique(hint);
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
