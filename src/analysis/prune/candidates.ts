// What of a column could be taken out, and how much it matters: 1 is an equal share among its likes, 0 nothing.
import type { Column } from '../../model/progressive/column.js';
import type { Weights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Analysed } from '../analysed.js';
import { fisherShares, tapFeatures } from '../fisher.js';
import { type Joint, jointsOf, ofTap } from '../joints.js';
import type { Kept } from './cut.js';
import { producerOf, unitsOf } from './units.js';

/** One thing that could go. */
export type Candidate = { readonly share: number } & (
  | { readonly kind: 'source'; readonly into: number; readonly source: string }
  | { readonly kind: 'rank'; readonly into: number; readonly index: number }
  | { readonly kind: 'unit'; readonly block: number; readonly index: number }
);

/** Root of the sum of squares of each row or column of a matrix, or of each filter or channel. */
function norms(t: Tensor, axis: number): Float64Array {
  const size = must(t.dims[axis], 'axis');
  const inner = t.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const sums = new Float64Array(size);
  // Once: a stored tensor is read from its file each time that it is asked.
  t.data.forEach((v, i) => {
    const at = Math.floor(i / inner) % size;
    sums[at] = (sums[at] ?? 0) + Number(v) ** 2;
  });
  return sums.map(Math.sqrt);
}

/** Each as a multiple of the mean. */
function relative(values: Float64Array): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Array.from(values, (v) => (mean === 0 ? 0 : v / mean));
}

/** Features of V, by what they carry: the product of what goes into each and of what it gives. */
function ofRanks(column: Column, into: number, weights: Weights): Candidate[] {
  const prefix = `${column.task}/${into === column.blocks.length ? 'head' : into}/adapter`;
  const [v, u] = [weights.get(`${prefix}/V`), weights.get(`${prefix}/U`)];
  if (v === undefined || u === undefined) return [];
  const given = norms(v, v.dims.length === 2 ? 1 : 0);
  const taken = norms(u, u.dims.length === 2 ? 0 : 1);
  return relative(given.map((g, i) => g * must(taken[i], 'rank'))).map((share, index) => ({ kind: 'rank', into, index, share }));
}

/** Everything that could go: sources and units by their Fisher information, ranks by their weights. */
export async function candidatesOf(analysed: Analysed): Promise<Candidate[]> {
  const { column, weights } = analysed;
  const joints = jointsOf(column);
  const producers = column.blocks.flatMap((_, block) => producerOf(column, block) ?? []);
  if (joints.length + producers.length === 0) return [];
  const own = producers.map(({ block }): Joint => ({ into: block + 1, taps: [{ column, block }] }));
  const features = await tapFeatures(analysed, [...joints, ...own]);
  const sources = joints.flatMap((joint) =>
    fisherShares(joint, features).flatMap(({ ref, block: share }): Candidate[] =>
      ref.column === column
        ? []
        : [{ kind: 'source', into: joint.into, source: ref.column.task, share: share * joint.taps.length }],
    ),
  );
  const mine = must(weights.get(column.task), column.task);
  const ranks = joints.flatMap(({ into }) => ofRanks(column, into, mine));
  const units = producers.flatMap((producer) => {
    const { block } = producer;
    const { fisher } = ofTap(features, { column, block });
    const { count } = unitsOf(producer);
    // A flattened tap has each channel's positions side by side.
    const positions = fisher.length / count;
    const sums = Float64Array.from({ length: count }, (_, c) =>
      fisher.subarray(c * positions, (c + 1) * positions).reduce((a, b) => a + b, 0),
    );
    return relative(sums).map((share, index): Candidate => ({ kind: 'unit', block, index, share }));
  });
  return [...sources, ...ranks, ...units];
}

/** How many there are of each kind at each place: one of them must stay. */
const placeOf = (c: Candidate): string => (c.kind === 'unit' ? `unit ${c.block}` : `${c.kind} ${c.into}`);

/** What stays without these: of units and ranks at least one at each place, of a head alone at least one source. */
export function keptWithout(column: Column, all: readonly Candidate[], gone: ReadonlySet<Candidate>): Kept {
  const units = new Map<number, number[]>();
  const ranks = new Map<number, number[]>();
  const sources = new Map<number, string[]>();
  const places = new Map<string, Candidate[]>();
  for (const c of all) places.set(placeOf(c), [...(places.get(placeOf(c)) ?? []), c]);
  for (const likes of places.values()) {
    const best = likes.reduce((a, b) => (b.share > a.share ? b : a));
    const allMayGo = best.kind === 'source' && column.blocks.length > 0;
    const left = likes.filter((c) => !gone.has(c));
    const stay = left.length > 0 || allMayGo ? left : [best];
    if (stay.length === likes.length) continue;
    const [first] = likes;
    if (first?.kind === 'unit')
      units.set(
        first.block,
        stay.flatMap((c) => (c.kind === 'unit' ? c.index : [])),
      );
    if (first?.kind === 'rank')
      ranks.set(
        first.into,
        stay.flatMap((c) => (c.kind === 'rank' ? c.index : [])),
      );
    if (first?.kind === 'source')
      sources.set(
        first.into,
        stay.flatMap((c) => (c.kind === 'source' ? c.source : [])),
      );
  }
  return { units, ranks, sources };
}
