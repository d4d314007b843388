// Trades time for memory in a gradient graph: forward values that the backward part reads are not kept but computed again before they are
// read. After Chen et al., "Training Deep Nets with Sublinear Memory Cost" (arXiv 1604.06174), section 4: the forward nodes, in order, are cut
// into segments of about equal bytes; what crosses a cut is kept, the inside of a segment is computed again when its backward part begins.
// For every number of segments the peak is estimated from the sizes of the values; of those that fit the budget the one that repeats least
// is taken.
//
// ONNX Runtime would join a repeated node with the first one (same op, same inputs), and orders nodes by what they read, not as the file does.
// So what a segment reads from outside passes through a Reshape to its own shape plus a zero that is computed from the gradients that must
// come first: no copy is made, nothing can be joined, nothing starts early.
import { isFloat } from '../core/dtype.js';
import { must, UsageError } from '../core/errors.js';
import { isStatic } from '../core/shape.js';
import { cloneNodes } from '../ir/clone.js';
import { captures, type Graph, type Node, nodeReads, Value } from '../ir/graph.js';
import { formatType } from '../ir/types.js';
import { drawsAtRandom } from '../ops/definition.js';
import type { Ops } from '../ops/ops-builder.js';
import { typed } from '../ops/rules/shape-like.js';
import { isAlias, peakBytes, type Step } from './memory-estimate.js';

export interface Rematerialised {
  /** Estimated peaks in bytes, without and with repeating. */
  readonly before: number;
  readonly after: number;
  /** Nodes that run twice. */
  readonly repeated: number;
}

/**
 * Changes the graph of `g` in place, so that by estimate its values never take more than `budget` bytes at one time. `forward`: the outputs
 * of the forward part. `bytes`: sizes of values. Throws UsageError with the least that can be reached where the budget is below that.
 */
export function rematerialise(
  g: Ops,
  options: { readonly budget: number; readonly forward: readonly Value[]; readonly bytes: (v: Value) => number | undefined },
): Rematerialised {
  const planner = new Planner(g.graph, options.forward, options.bytes);
  const plain = planner.plan([]);
  if (plain.peak <= options.budget) return { before: plain.peak, after: plain.peak, repeated: 0 };
  const plans = planner.cuts().map((cuts) => planner.plan(cuts));
  const fitting = plans.filter((p) => p.peak <= options.budget).sort((a, b) => a.cost - b.cost || a.peak - b.peak);
  const [best] = fitting;
  if (best === undefined) {
    const least = Math.min(plain.peak, ...plans.map((p) => p.peak));
    throw new UsageError(
      `memory: ${options.budget} bytes are not enough for the values of this gradient; the least that can be reached is ${least}, without repeating it is ${plain.peak}`,
      { expected: `at least ${least}`, got: String(options.budget) },
    );
  }
  apply(g, best);
  return { before: plain.peak, after: best.peak, repeated: best.segments.reduce((n, s) => n + s.nodes.length, 0) };
}

/** What is computed again before a node of the backward part. */
interface Segment {
  readonly nodes: readonly Node[];
  /** Values to read anew. */
  readonly values: ReadonlySet<Value>;
  readonly before: Node;
  /** Values of the backward part that must be there first. */
  readonly after: readonly Value[];
}

interface Plan {
  readonly segments: readonly Segment[];
  readonly peak: number;
  /** Bytes computed again. */
  readonly cost: number;
}

class Planner {
  private readonly forward: readonly Node[];
  private readonly backward: readonly Node[];
  /** Forward values that are never dropped. */
  private readonly fixed = new Set<Value>();
  private readonly own = new Set<Node>();

  constructor(
    private readonly graph: Graph,
    forward: readonly Value[],
    private readonly known: (v: Value) => number | undefined,
  ) {
    const needed = new Set<Value>(forward);
    const nodes = new Set<Node>();
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((v) => needed.has(v))) continue;
      nodes.add(node);
      for (const v of nodeReads(node)) needed.add(v);
    }
    this.forward = graph.nodes.filter((n) => nodes.has(n));
    this.backward = graph.nodes.filter((n) => !nodes.has(n));
    for (const n of this.forward) this.own.add(n);
    const moving = new Set<Value>(graph.inputs);
    for (const v of graph.outputs) this.fixed.add(v);
    for (const node of this.forward) {
      const still = ![...nodeReads(node)].some((v) => moving.has(v));
      for (const v of node.outputs) {
        // what weights alone give is small, what is drawn comes once, and a repeated part cannot be without a size
        if (still || random(node)) this.fixed.add(v);
        if (!still) moving.add(v);
      }
    }
    for (const node of this.backward) for (const sub of node.subgraphs) for (const v of captures(sub)) this.fixed.add(v);
  }

  private bytes(v: Value): number {
    const n = this.known(v);
    if (
      n === undefined &&
      v.type?.kind === 'tensor' &&
      isFloat(v.type.dtype) &&
      v.producer !== undefined &&
      this.own.has(v.producer)
    ) {
      throw new UsageError(
        `memory: the size of "${v.name}", ${formatType(v.type)}, is not known; give sizes for its dimensions`,
        {
          got: formatType(v.type),
        },
      );
    }
    return n ?? 0;
  }

  /** Places at which to cut the forward nodes, for ever more segments. */
  cuts(): number[][] {
    const sizes = this.forward.map((n) => n.outputs.reduce((sum, v) => sum + this.bytes(v), 0));
    const total = sizes.reduce((a, b) => a + b, 0);
    const seen = new Set<string>();
    const all: number[][] = [];
    for (let count = 2; count <= Math.min(this.forward.length, mostSegments); count++) {
      const cuts: number[] = [];
      let filled = 0;
      sizes.forEach((size, i) => {
        filled += size;
        if (filled < total / count || i === sizes.length - 1) return;
        cuts.push(i + 1);
        filled = 0;
      });
      if (cuts.length === 0 || seen.has(cuts.join())) continue;
      seen.add(cuts.join());
      all.push(cuts);
    }
    return all;
  }

  plan(cuts: readonly number[]): Plan {
    const starts = [0, ...cuts];
    const segmentOf = new Map<Node, number>();
    for (const [i, n] of this.forward.entries()) {
      segmentOf.set(
        n,
        starts.findLastIndex((s) => s <= i),
      );
    }
    const kept = new Set(this.fixed);
    for (const node of this.forward) {
      for (const v of nodeReads(node))
        if (v.producer !== undefined && segmentOf.get(v.producer) !== segmentOf.get(node)) kept.add(v);
    }
    const segments: Segment[] = [];
    // the last segment's backward part begins at once: nothing is gained by dropping what it reads
    let from = 0;
    for (let k = starts.length - 2; k >= 0; k--) {
      const segment = this.segment((n) => segmentOf.get(n) === k, kept, from);
      if (segment === undefined) continue;
      from = this.backward.indexOf(segment.before);
      segments.push(segment);
    }
    const steps = this.steps(segments);
    const cost = segments.reduce(
      (sum, s) => sum + s.nodes.reduce((n, node) => n + node.outputs.reduce((b, v) => b + this.bytes(v), 0), 0),
      0,
    );
    return { segments, cost, peak: peakBytes(steps.list, this.graph.outputs, (v) => this.bytes(steps.originals.get(v) ?? v)) };
  }

  /** `from`: where in the backward part the segment before this one began. */
  private segment(inside: (n: Node) => boolean, kept: ReadonlySet<Value>, from: number): Segment | undefined {
    const droppable = (v: Value) => v.producer !== undefined && inside(v.producer) && !kept.has(v);
    const first = this.backward.findIndex((n) => n.inputs.some((v) => v !== null && droppable(v)));
    const before = this.backward[first];
    if (before === undefined) return undefined;
    const values = new Set<Value>();
    for (const n of this.backward) for (const v of n.inputs) if (v !== null && droppable(v)) values.add(v);
    const nodes: Node[] = [];
    const needed = new Set(values);
    for (const n of this.forward.toReversed()) {
      if (!inside(n) || !n.outputs.some((v) => needed.has(v))) continue;
      nodes.push(n);
      for (const v of nodeReads(n)) if (droppable(v)) needed.add(v);
    }
    const after = this.frontier(Math.min(from, first), first);
    return after.length === 0 ? undefined : { nodes: nodes.reverse(), values, before, after };
  }

  /** Results of the backward nodes [from, to) that none of them reads: all that has to be done by then. Of one dtype. */
  private frontier(from: number, to: number): Value[] {
    const earlier = this.backward.slice(from, to);
    const read = new Set(earlier.flatMap((n) => [...nodeReads(n)]));
    const open = earlier
      .flatMap((n) => n.outputs)
      .filter((v) => v.name !== '' && v.type?.kind === 'tensor' && isFloat(v.type.dtype) && !read.has(v));
    return open.filter((v) => v.dtype === open.at(-1)?.dtype);
  }

  /** The order of execution under a plan; repeated values are stand-ins. */
  private steps(segments: readonly Segment[]): { list: Step[]; originals: Map<Value, Value> } {
    const originals = new Map<Value, Value>();
    const copies = new Map<Value, Value>();
    const step = (node: Node, map: (v: Value) => Value): Step => ({
      reads: [...nodeReads(node)].map(map),
      writes: node.outputs.filter((v) => v.name !== '').map(map),
      alias: isAlias(node),
    });
    const list = this.forward.map((n) => step(n, (v) => v));
    const anew = new Set<Value>();
    for (const node of this.backward) {
      for (const s of segments) {
        if (s.before !== node) continue;
        const own = new Map<Value, Value>();
        for (const n of s.nodes) {
          for (const v of n.outputs) {
            const copy = standIn(v);
            own.set(v, copy);
            originals.set(copy, v);
            if (s.values.has(v)) copies.set(v, copy);
          }
          list.push(step(n, (v) => own.get(v) ?? v));
        }
        for (const v of s.values) anew.add(v);
      }
      list.push(step(node, (v) => copies.get(v) ?? v));
    }
    return { list, originals };
  }
}

/** The number of segments is tried up to this; the best lies near the square root of the number of layers. */
const mostSegments = 64;

/** What would be drawn anew. */
function random(node: Node): boolean {
  if (drawsAtRandom(node)) return true;
  return node.subgraphs.some((sub) => sub.nodes.some(random));
}

const standIn = (v: Value): Value => new Value(v.name, v.type);

function apply(g: Ops, plan: Plan): void {
  const { graph } = g;
  const repeated = new Map<Value, Value>();
  const starting = new Map(plan.segments.map((s) => [s.before, s]));
  const nodes = graph.nodes;
  graph.nodes = [];
  const reader = (node: Node) => {
    node.inputs = node.inputs.map((v) => (v === null ? null : (repeated.get(v) ?? v)));
    graph.nodes.push(node);
  };
  for (const node of nodes) {
    const segment = starting.get(node);
    if (segment !== undefined) g.scope('again', () => repeat(g, segment, repeated));
    reader(node);
  }
}

/** Adds the nodes of a segment once more, behind a wait for the gradients that come first. */
function repeat(g: Ops, { nodes, values, after }: Segment, repeated: Map<Value, Value>): void {
  const zero = zeroAfter(g, after);
  const own = new Set(nodes.flatMap((n) => n.outputs));
  const weights = new Set(g.graph.initializers);
  const map = new Map<Value, Value>();
  for (const n of nodes) {
    for (const v of nodeReads(n)) if (!own.has(v) && !weights.has(v) && !map.has(v)) map.set(v, waiting(g, v, zero));
  }
  g.graph.nodes.push(...cloneNodes(nodes, { map, rename: (name) => g.names.unique(`again/${name}`) }));
  for (const v of values) repeated.set(v, map.get(v) ?? v);
}

/** An int64 0 that nobody knows before the values are there: how many of them are beyond infinity. */
function zeroAfter(g: Ops, values: readonly Value[]): Value {
  const first = values.map((v) => g.slice(g.reshape(v, [-1]), [0], [1]));
  const joined = first.length === 1 ? must(first[0], 'value') : g.concat(...first, { axis: 0 });
  return g.size(g.nonZero(g.greater(joined, Number.POSITIVE_INFINITY)));
}

/** The same tensor in the same memory, but not before `zero`. */
function waiting(g: Ops, v: Value, zero: Value): Value {
  if (v.type?.kind !== 'tensor') return v;
  const shape = isStatic(v.shape) ? g.ints(v.shape) : g.shape(v);
  return typed(g.reshape(v, g.add(shape, zero)), v);
}
