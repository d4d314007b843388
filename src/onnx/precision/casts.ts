// Casts between float32 and float16 inside a graph: one for each value and direction, in the graph that defines the value, made when first
// asked for. Initializers are rounded in place of a Cast.
import { dtypes } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import type { Names } from '../ir/builder.js';
import { type Graph, Node, Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import type { Uses } from '../ir/uses.js';
import { constantOf } from '../ops/op-def.js';
import { toHalf } from './half.js';

export type Precision = 'float32' | 'float16';

/** A graph whose nodes are being rewritten in order: what is appended now comes before the node at hand. */
export interface Frame {
  readonly graph: Graph;
  readonly nodes: Node[];
}

const suffix = { float16: 'fp16', float32: 'fp32' } as const;

export class Casts {
  /** The graph that defines a value. */
  private readonly homes = new Map<Value, Frame>();
  private readonly other = new Map<Value, Value>();
  private readonly heldAsHalf = new Map<Value, Value>();
  private readonly rounded = new Map<Value, { readonly half: Value; readonly home: Frame }>();

  constructor(
    private readonly names: Names,
    /** Initializers that a caller may override: their data are no constants. */
    private readonly overridable: ReadonlySet<Value>,
  ) {}

  /** A value defined by the graph of `frame`. */
  define(v: Value, frame: Frame): void {
    this.homes.set(v, frame);
  }

  /** The data of a value that is known, undefined for what is computed or fed. */
  constant(v: Value) {
    return this.overridable.has(v) ? undefined : constantOf(v);
  }

  /** `v` in the precision wanted; other dtypes are returned as they are. */
  as(v: Value, wanted: Precision, frame: Frame): Value {
    if ((v.dtype !== 'float32' && v.dtype !== 'float16') || v.dtype === wanted) return v;
    const known = this.other.get(v);
    if (known !== undefined) return known;
    const home = this.homes.get(v) ?? frame;
    const data = this.constant(v);
    let made: Value;
    if (wanted === 'float16' && data !== undefined) {
      made = new Value(this.free(v, 'float16'), tensorType('float16', data.dims));
      made.constant = toHalf(data);
      home.graph.initializers.push(made);
      this.rounded.set(v, { half: made, home });
    } else {
      made = this.cast(v, wanted, this.names.unique(`${v.name}_${suffix[wanted]}`), home);
    }
    this.other.set(v, made);
    this.homes.set(made, home);
    return made;
  }

  /** A large float32 constant as float32 again, but held as float16; for what must stay float32. */
  stored(v: Value, data: Tensor, frame: Frame): Value {
    const known = this.heldAsHalf.get(v);
    if (known !== undefined) return known;
    const home = this.homes.get(v) ?? frame;
    const half = new Value(this.free(v, 'float16'), tensorType('float16', data.dims));
    half.constant = toHalf(data);
    home.graph.initializers.push(half);
    const made = this.cast(half, 'float32', this.free(v, 'float32'), home);
    this.heldAsHalf.set(v, made);
    this.homes.set(made, home);
    return made;
  }

  /** A Cast in this very graph, for an output of it that must have the name given. */
  cast(v: Value, wanted: Precision, name: string, frame: Frame): Value {
    const y = new Value(name, tensorType(wanted, v.shape));
    const to = { kind: 'int', value: BigInt(dtypes[wanted].code) } as const;
    frame.nodes.push(new Node('Cast', [v], [y], new Map([['to', to]]), this.names.unique(`${name}/Cast`)));
    return y;
  }

  /** A name for the twin of a value in another precision. */
  free(v: Value, precision: Precision): string {
    return this.names.unique(`${v.name}_${suffix[precision]}`);
  }

  /** Drops the float32 initializers that nothing reads any more; the rounded ones take over their names. */
  settle(uses: Uses): void {
    for (const [v, { half, home }] of this.rounded) {
      if (uses.isRead(v) || v.producer !== undefined) continue;
      home.graph.initializers = home.graph.initializers.filter((i) => i !== v);
      home.graph.restated = home.graph.restated.filter((r) => r.value !== v);
      half.name = v.name;
      half.doc = v.doc;
      half.metadata = v.metadata;
    }
  }
}
