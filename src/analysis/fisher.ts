// Average Fisher sensitivity (arXiv 1606.04671, section 3): how much what a task predicts depends on each tap, by the diagonal of the Fisher information by
// its features, each normalised by its own standard deviation over the samples.

import { headWidth } from '../model/heads/heads.js';
import type { TapRef } from '../model/progressive/column.js';
import { gradient } from '../onnx/autodiff/gradient.js';
import { must } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Value } from '../onnx/ir/graph.js';
import { reduceSum } from '../onnx/ops/families/reduce.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import { type Analysed, batchesOf, withSession } from './analysed.js';
import { type Joint, ofTap, tapKey, tapsIn } from './joints.js';
import { directionsOf, scoreDirections } from './score-directions.js';
import { axesOf, scoresOutput, tapped } from './task-graph.js';

/** What is known of the features of a tap: channels of an image or a sequence, over all positions. */
export interface TapFeatures {
  /** Standard deviation of each over the samples. */
  readonly deviation: Float64Array;
  /** Diagonal of the Fisher information by each, as normalised: summed over positions, mean over samples. */
  readonly fisher: Float64Array;
}

/** A tap's share of what a joint's taps matter together. */
export interface Share {
  readonly ref: TapRef;
  /** Of the sums over all features: shares of a joint add up to 1. */
  readonly block: number;
  /** Mean over features of the share of each; undefined where the taps are not equally wide. */
  readonly feature?: number;
}

const seedInput = 'analysis/seed';
const sumOutput = (i: number) => `analysis/sum/${i}`;
const squareOutput = (i: number) => `analysis/square/${i}`;
const fisherOutput = (i: number) => `analysis/fisher/${i}`;

const sizeOutput = (i: number) => `analysis/size/${i}`;

/** The sum over all but the channels. */
const perChannel = (g: Ops, ref: TapRef, v: Value): Value => reduceSum(g, v, axesOf(ref, v).others, 0);

/** Standard deviation of each feature of each tap. */
async function deviations(analysed: Analysed, refs: readonly TapRef[]): Promise<Float64Array[]> {
  const model = tapped(analysed, (g, _, taps) => {
    refs.forEach((ref, i) => {
      const tap = g.cast(ofTap(taps, ref), { to: 'float64' });
      g.output(perChannel(g, ref, tap), sumOutput(i));
      g.output(perChannel(g, ref, g.mul(tap, tap)), squareOutput(i));
      g.output(g.size(tap), sizeOutput(i));
    });
  });
  return await withSession(analysed, model, async (session) => {
    const own = refs.map(() => ({ size: 0, sum: new Sum(), square: new Sum() }));
    for (const { feeds } of batchesOf(analysed)) {
      const out = await session.run(feeds, session.outputNames);
      own.forEach((statistics, i) => {
        statistics.size += Number(must(out[sizeOutput(i)], 'size').data[0]);
        statistics.sum.add(must(out[sumOutput(i)], 'sum'));
        statistics.square.add(must(out[squareOutput(i)], 'square'));
      });
    }
    return own.map(({ size, sum, square }) => {
      const count = size / sum.values.length;
      return sum.values.map((s, m) => Math.sqrt(Math.max(0, must(square.values[m], 'square') / count - (s / count) ** 2)));
    });
  });
}

/** Spread and Fisher information of the features of every tap of the joints, by `tapKey`. */
export async function tapFeatures(analysed: Analysed, joints: readonly Joint[]): Promise<ReadonlyMap<string, TapFeatures>> {
  const refs = tapsIn(joints);
  const { head } = analysed.column;
  const spread = await deviations(analysed, refs);
  const { count } = directionsOf(head);
  let sample: readonly number[] = [headWidth(head)];
  const model = tapped(analysed, (g, scores, taps) => {
    sample = must(scores.shape, 'shape').slice(1).map(Number);
    const seed = g.input(seedInput, 'float32', must(scores.shape, 'shape'));
    const by = refs.map((ref) => ofTap(taps, ref));
    gradient(g, { of: scores, by, seed }).forEach((d, i) => {
      const ref = must(refs[i], 'tap');
      g.output(perChannel(g, ref, g.cast(g.mul(d, d), { to: 'float64' })), fisherOutput(i));
    });
  });
  const sums = refs.map(() => new Sum());
  let rows = 0;
  await withSession(analysed, model, async (session) => {
    for (const { feeds, targets, rows: more } of batchesOf(analysed)) {
      // The scores follow from the data alone: any seed gives them.
      const blank = Tensor.zeros('float32', [more, ...sample]);
      const { [scoresOutput]: scores } = await session.run({ ...feeds, [seedInput]: blank }, [scoresOutput]);
      for (let index = 0; index < count; index++) {
        const random = new Random(analysed.seed, 'fisher', rows, index);
        const direction = scoreDirections(head, must(scores, 'scores'), targets, index, random);
        const out = await session.run(
          { ...feeds, [seedInput]: direction },
          refs.map((_, i) => fisherOutput(i)),
        );
        for (const [i, sum] of sums.entries()) sum.add(must(out[fisherOutput(i)], 'fisher'));
      }
      rows += more;
    }
  });
  return new Map(
    refs.map((ref, i) => {
      const deviation = must(spread[i], 'deviation');
      const fisher = must(sums[i], 'sum').values.map((v, m) => (v / rows) * must(deviation[m], 'deviation') ** 2);
      return [tapKey(ref), { deviation, fisher }];
    }),
  );
}

/** Shares of the Fisher information at a joint. Taps that nothing depends on have 0; where none matters, all have. */
export function fisherShares({ taps }: Joint, features: ReadonlyMap<string, TapFeatures>): Share[] {
  const fisher = taps.map((ref) => ofTap(features, ref).fisher);
  const sums = fisher.map((values) => values.reduce((a, b) => a + b, 0));
  const all = sums.reduce((a, b) => a + b, 0);
  const width = must(fisher[0], 'tap').length;
  const alike = fisher.every((values) => values.length === width);
  const totals = Float64Array.from({ length: width }, (_, m) => fisher.reduce((sum, values) => sum + (values[m] ?? 0), 0));
  return taps.map((ref, i) => {
    const block = all === 0 ? 0 : must(sums[i], 'sum') / all;
    if (!alike) return { ref, block };
    const live = totals.filter((t) => t > 0).length;
    const each = must(fisher[i], 'tap').map((v, m) => (must(totals[m], 'total') > 0 ? v / must(totals[m], 'total') : 0));
    return { ref, block, feature: live === 0 ? 0 : each.reduce((a, b) => a + b, 0) / live };
  });
}

/** Sums of vectors, batch after batch. */
class Sum {
  values = new Float64Array();

  add({ data }: Tensor): void {
    if (this.values.length === 0) this.values = new Float64Array(data.length);
    for (let m = 0; m < data.length; m++) this.values[m] = (this.values[m] ?? 0) + Number(data[m]);
  }
}
