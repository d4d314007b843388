// What the axes of a graph's values are, found from the ops that they go through: axes that ops hand on are one, and whoever knows what one of
// them is (a convolution, a normalisation, a recurrent layer, an embedding) knows it of all. Nothing is run; names of values say nothing.
import type { Dim } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { hasRole } from '../ops/feature-roles.js';
import { constantOf } from '../ops/op-def.js';
import { GraphOrder } from './graph-order.js';
import { type FeatureLayout, layoutFrom } from './layout.js';

type Role = 'batch' | 'channels' | 'position';

/** What an op says of itself counts more than what it is mostly used for. */
const sure = 8;
const likely = 1;
/** So many times as much as the next axis must be told for one to hold the features. */
const clear = 4;

/** The axes of all values of a graph whose types are inferred; not those of its subgraphs. */
export class Axes {
  private readonly first = new Map<Value, number>();
  private readonly parent: number[] = [];
  private readonly told: Record<Role, number>[] = [];

  /** `depends`: the values that are computed from an input. */
  constructor(
    graph: Graph,
    private readonly depends: ReadonlySet<Value>,
  ) {
    const initial = new Set(graph.initializers);
    for (const v of graph.inputs) if (!initial.has(v)) this.say(v, 0, 'batch', likely);
    for (const node of graph.nodes) this.look(node);
  }

  /** Undefined where it cannot be known, and for what is no feature of a sample. */
  layoutOf(v: Value): FeatureLayout | undefined {
    const rank = v.shape?.length ?? 0;
    if (rank < 2) return undefined;
    const scores = Array.from({ length: rank }, (_, axis) => this.tell(v, axis));
    const batch = most(scores.map((s) => (s.batch > s.channels && s.batch > s.position ? s.batch : 0))) ?? 0;
    if (rank === 2) return layoutFrom(2, batch, 1);
    const claims = scores.map((s, axis) => (axis !== batch && s.channels > s.position ? s.channels : 0));
    const channels = most(claims);
    if (channels === undefined) return undefined;
    // Products along two axes, as of a mixer over steps and features, do not say alone which of them holds the features.
    const next = Math.max(...claims.filter((_, axis) => axis !== channels));
    return (claims[channels] ?? 0) < clear * next ? undefined : layoutFrom(rank, batch, channels);
  }

  private look(node: Node): void {
    const [x, w] = node.inputs;
    const [y] = node.outputs;
    if (!x || y === undefined) return;
    const { opType } = node;
    if (hasRole(node, 'channelsSecond')) this.channelsSecond(x, y, !hasRole(node, 'convolves'));
    else if (hasRole(node, 'multiplies')) this.product(x, w ?? x, y);
    else if (hasRole(node, 'recurs')) this.recurrent(node, x);
    else if (opType === 'Gemm') this.say(y, 1, 'channels', likely);
    else if (opType === 'Transpose') this.transpose(node, x, y);
    else if (opType === 'Gather') this.gather(node, x, w, y);
    else if (opType === 'Flatten') this.join(x, 0, y, 0);
    else if (opType === 'Reshape' || opType === 'Squeeze' || opType === 'Unsqueeze') this.reshape(node, x, y);
    else if (opType.startsWith('Reduce') || opType.startsWith('Arg')) this.reduce(node, x, y);
    else if (!hasRole(node, 'ownAxes')) this.kept(node, x, y);
  }

  /** Elementwise ops, normalisations, and all that leaves axes where they are: Concat, Slice, Pad, Resize. Of unknown ops no more is taken than that. */
  private kept(node: Node, x: Value, y: Value): void {
    for (const v of node.inputs) if (v !== null && this.depends.has(v)) this.align(v, y);
    const last = (x.shape?.length ?? 0) - 1;
    const axis = node.int('axis', -1);
    if (hasRole(node, 'normalisesLast') && (axis === -1 || axis === last)) this.say(x, last, 'channels', sure);
    if (hasRole(node, 'featuresLast')) this.say(y, (y.shape?.length ?? 0) - 1, 'channels', sure);
    // x - mean(x) over the last axis: a normalisation that is written out.
    const mean = node.opType === 'Sub' ? node.inputs[1]?.producer : undefined;
    if (mean?.opType === 'ReduceMean' && mean.inputs[0] === x && isLast(axesOf(mean), last)) this.say(x, last, 'channels', sure);
  }

  private channelsSecond(x: Value, y: Value, same: boolean): void {
    this.join(x, 0, y, 0);
    if (same) this.join(x, 1, y, 1);
    for (const v of [x, y]) {
      this.say(v, 0, 'batch', sure);
      this.say(v, 1, 'channels', sure);
      for (let axis = 2; axis < (v.shape?.length ?? 0); axis++) this.say(v, axis, 'position', sure);
    }
  }

  private product(a: Value, b: Value, y: Value): void {
    const rank = y.shape?.length ?? 0;
    const [ra, rb] = [a.shape?.length ?? 0, b.shape?.length ?? 0];
    if (rank < 2) return;
    for (let back = 3; back <= rank; back++) {
      this.join(a, ra - back, y, rank - back);
      this.join(b, rb - back, y, rank - back);
    }
    if (this.depends.has(a)) this.join(a, ra - 2, y, rank - 2);
    if (this.depends.has(b)) this.join(b, rb - 1, y, rank - 1);
    if (this.depends.has(b)) return;
    this.say(a, ra - 1, 'channels', likely);
    this.say(y, rank - 1, 'channels', likely);
  }

  private recurrent(node: Node, x: Value): void {
    const batchFirst = node.int('layout', 0) === 1;
    const roles: Role[] = batchFirst ? ['batch', 'position', 'channels'] : ['position', 'batch', 'channels'];
    const [y, ...states] = node.outputs;
    const batch = roles.indexOf('batch');
    for (const [axis, role] of roles.entries()) this.say(x, axis, role, sure);
    // Y: [T, directions, N, F] or [N, T, directions, F]; states: [directions, N, F] or [N, directions, F].
    const found: [Value | undefined, number, number, number][] = [
      [y, batchFirst ? 0 : 2, 3, batchFirst ? 1 : 0],
      ...states.map((v): [Value, number, number, number] => [v, batchFirst ? 0 : 1, 2, -1]),
    ];
    for (const [v, n, c, t] of found) {
      if (v === undefined || v.name === '') continue;
      this.say(v, n, 'batch', sure);
      this.say(v, c, 'channels', sure);
      this.join(x, batch, v, n);
      if (t >= 0) this.say(v, t, 'position', sure);
      if (t >= 0) this.join(x, 1 - batch, v, t);
    }
  }

  private transpose(node: Node, x: Value, y: Value): void {
    const rank = x.shape?.length ?? 0;
    const order = node.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    for (const [axis, from] of order.entries()) this.join(x, from, y, axis);
  }

  /** Rows of a table of constants are embeddings. */
  private gather(node: Node, table: Value, at: Value | null | undefined, y: Value): void {
    const [rt, ra] = [table.shape?.length, at?.shape?.length];
    if (!at || rt === undefined || ra === undefined) return;
    const axis = (node.int('axis', 0) + rt) % rt;
    for (let i = 0; i < axis; i++) this.join(table, i, y, i);
    for (let i = 0; i < ra; i++) if (this.depends.has(at)) this.join(at, i, y, axis + i);
    for (let i = axis + 1; i < rt; i++) this.join(table, i, y, i - 1 + ra);
    if (axis === 0 && rt === 2 && !this.depends.has(table)) this.say(y, ra, 'channels', sure);
  }

  /** Axes of the same size at both ends are kept; what lies between is joined or split, and nothing is known of it. */
  private reshape(node: Node, x: Value, y: Value): void {
    const [from, to] = [x.shape ?? [], y.shape ?? []];
    const axes = node.opType === 'Reshape' ? undefined : axesOf(node);
    const longer = Math.max(from.length, to.length);
    if (axes !== undefined && axes.length === Math.abs(from.length - to.length)) {
      const gone = new Set(axes.map((axis) => (axis + longer) % longer));
      const rest = Array.from({ length: longer }, (_, i) => i).filter((i) => !gone.has(i));
      const squeezed = node.opType === 'Squeeze';
      for (const [i, axis] of rest.entries()) this.join(x, squeezed ? axis : i, y, squeezed ? i : axis);
      return;
    }
    const shorter = Math.min(from.length, to.length);
    let front = 0;
    while (front < shorter && equal(from[front], to[front])) this.join(x, front, y, front++);
    for (let back = 1; back <= shorter - front && equal(from.at(-back), to.at(-back)); back++)
      this.join(x, from.length - back, y, to.length - back);
  }

  private reduce(node: Node, x: Value, y: Value): void {
    const rank = x.shape?.length ?? 0;
    if (y.shape?.length === rank) this.align(x, y);
    const axes = axesOf(node);
    if (y.shape?.length === rank || axes === undefined) return;
    const gone = new Set(axes.map((axis) => (axis + rank) % rank));
    const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => !gone.has(i));
    for (const [i, axis] of rest.entries()) this.join(x, axis, y, i);
  }

  /** By their ends, as broadcasting does; an axis of size 1 beside a longer one is none of it. */
  private align(x: Value, y: Value): void {
    const [from, to] = [x.shape ?? [], y.shape ?? []];
    for (let back = 1; back <= Math.min(from.length, to.length); back++) {
      const [a, b] = [from.at(-back), to.at(-back)];
      if (a === b || (a !== 1 && b !== 1)) this.join(x, from.length - back, y, to.length - back);
    }
  }

  private say(v: Value, axis: number, role: Role, weight: number): void {
    const at = this.at(v, axis);
    const told = at === undefined ? undefined : this.told[this.root(at)];
    if (told !== undefined) told[role] += weight;
  }

  private tell(v: Value, axis: number): Record<Role, number> {
    const at = this.at(v, axis);
    return (at === undefined ? undefined : this.told[this.root(at)]) ?? { batch: 0, channels: 0, position: 0 };
  }

  private join(a: Value, i: number, b: Value, j: number): void {
    const [x, y] = [this.at(a, i), this.at(b, j)];
    if (x === undefined || y === undefined) return;
    const [p, q] = [this.root(x), this.root(y)];
    const [kept, gone] = [this.told[p], this.told[q]];
    if (p === q || kept === undefined || gone === undefined) return;
    this.parent[q] = p;
    for (const role of ['batch', 'channels', 'position'] as const) kept[role] += gone[role];
  }

  /** The number of an axis; undefined where the value has none such. */
  private at(v: Value, axis: number): number | undefined {
    const rank = v.shape?.length ?? 0;
    if (axis < 0 || axis >= rank) return undefined;
    let first = this.first.get(v);
    if (first === undefined) {
      first = this.parent.length;
      this.first.set(v, first);
      for (let i = 0; i < rank; i++) {
        this.parent.push(first + i);
        this.told.push({ batch: 0, channels: 0, position: 0 });
      }
    }
    return first + axis;
  }

  private root(at: number): number {
    let p = at;
    for (let up = this.parent[p]; up !== undefined && up !== p; up = this.parent[p]) {
      this.parent[p] = this.parent[up] ?? up;
      p = up;
    }
    return p;
  }
}

/** How the axes of any value of a graph lie, whose types are inferred. */
export function layoutsIn(graph: Graph): (v: Value) => FeatureLayout | undefined {
  const axes = new Axes(graph, new GraphOrder(graph).depends);
  return (v) => axes.layoutOf(v);
}

/** Which is the largest, if any is above 0. */
function most(scores: readonly number[]): number | undefined {
  const largest = Math.max(...scores);
  return largest > 0 ? scores.indexOf(largest) : undefined;
}

const equal = (a: Dim | undefined, b: Dim | undefined): boolean => a !== null && a !== undefined && a === b;

/** Axes of Reduce ops, Squeeze and Unsqueeze: an attribute, later an input. */
function axesOf(node: Node): number[] | undefined {
  const given = node.inputs[1];
  return node.ints('axes') ?? (given ? constantOf(given)?.numbers().map(Number) : undefined);
}

const isLast = (axes: readonly number[] | undefined, last: number): boolean =>
  axes?.length === 1 && (axes[0] === -1 || axes[0] === last);
