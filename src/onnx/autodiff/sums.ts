// Gradients by values as they come in; a value's are added up when they are asked for. Parts of a tensor that were read apart (Slice, Gather
// at one place, Split by hand) come back padded with zeros: those that lie side by side are joined instead of padded and added.
import { must } from '../core/errors.js';
import type { Value } from '../ir/graph.js';
import { constantOf } from '../ops/op-def.js';
import type { Ops } from '../ops/ops-builder.js';

export class Sums {
  private readonly parts = new Map<Value, Value[]>();
  constructor(private readonly g: Ops) {}

  push(v: Value, d: Value): void {
    const list = this.parts.get(v);
    if (list === undefined) this.parts.set(v, [d]);
    else list.push(d);
  }

  total(v: Value): Value | null {
    const list = this.parts.get(v);
    if (list === undefined) return null;
    const sum = joinNeighbours(this.g, list).reduce((a, b) => this.g.add(a, b));
    this.parts.set(v, [sum]);
    return sum;
  }
}

/** A gradient that is `inner` at [from, to) of one axis of `size` places, and 0 elsewhere. */
interface Padded {
  readonly whole: Value;
  readonly inner: Value;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/** What a Pad node along one axis did; undefined for other values. */
function padded(v: Value): Padded | undefined {
  const node = v.producer;
  const [inner, given, fill] = node?.inputs ?? [];
  const pads = given ? constantOf(given)?.numbers() : undefined;
  const rank = inner?.shape?.length;
  if (node?.opType !== 'Pad' || node.domain !== '' || node.string('mode', 'constant') !== 'constant') return undefined;
  if (!inner || fill || node.inputs.length > 3 || rank === undefined || pads?.length !== 2 * rank) return undefined;
  const touched = pads.flatMap((p, i) => (p === 0 ? [] : [i % rank]));
  const axis = must(touched[0] ?? 0, 'axis');
  const [before = 0, after = 0, count] = [pads[axis], pads[axis + rank], inner.shape?.[axis]];
  if (touched.some((a) => a !== axis) || before < 0 || after < 0 || typeof count !== 'number') return undefined;
  return { whole: v, inner, axis, from: before, to: before + count, size: before + count + after };
}

/** The same sum with fewer terms: runs of parts along one axis are concatenated, and padded where they are not the whole. */
function joinNeighbours(g: Ops, list: readonly Value[]): Value[] {
  if (list.length < 2) return [...list];
  const found = list.map(padded);
  const axis = found.find((p) => p !== undefined)?.axis;
  const parts = found.filter((p) => p !== undefined && p.axis === axis).map((p) => must(p, 'part'));
  parts.sort((a, b) => a.from - b.from);
  const runs: Padded[][] = [];
  for (const p of parts) {
    const run = runs.find((r) => r.at(-1)?.to === p.from);
    if (run === undefined) runs.push([p]);
    else run.push(p);
  }
  const joined = new Set(runs.filter((r) => r.length > 1).flat());
  const rest = list.filter((_, i) => {
    const p = found[i];
    return p === undefined || !joined.has(p);
  });
  return [...rest, ...runs.filter((r) => r.length > 1).map((r) => joinRun(g, r))];
}

function joinRun(g: Ops, run: readonly Padded[]): Value {
  const [first, last] = [must(run[0], 'part'), must(run.at(-1), 'part')];
  const whole = g.concat(...run.map((p) => p.inner), { axis: first.axis });
  const [before, after] = [first.from, first.size - last.to];
  if (before === 0 && after === 0) return whole;
  const rank = first.inner.shape?.length ?? 0;
  const pads = new Array<number>(2 * rank).fill(0);
  pads[first.axis] = before;
  pads[first.axis + rank] = after;
  return g.pad(whole, pads);
}
