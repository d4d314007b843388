// Average perturbation sensitivity (arXiv 1606.04671, section 3): how much noise in a tap a task stands. Gaussian noise of a share of each feature's own
// standard deviation is added to one tap, anew in each run; the variance that halves the performance is found, and its inverse is what the tap matters.

import { answersOf, type SingleHead, targetKind } from '../model/heads/heads.js';
import type { TapRef } from '../model/progressive/column.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { float32, int64, Tensor } from '../onnx/core/tensor.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import type { Session } from '../onnx/runtime/session.js';
import { saltOf, uniformLike } from '../train/step/random-graph.js';
import { type Analysed, batchesOf, withSession } from './analysed.js';
import type { TapFeatures } from './fisher.js';
import { type Joint, ofTap, tapKey, tapsIn } from './joints.js';
import { better, headsOf, judgedOf, MetricSum, sumOfRows } from './metric.js';
import { axesOf, scoresOutput, taskGraph } from './task-graph.js';

const sigmaInput = 'analysis/sigma';
const seedInput = 'analysis/noise';
/** Variances between which the one that halves the performance is looked for, as powers of ten. */
const [least, most] = [-6, 6];
const steps = 10;

/** How well a task answers, between what a constant answer reaches and what it reaches undisturbed: metrics in the order of its heads. */
export interface Scale {
  readonly undisturbed: readonly number[];
  readonly constant: readonly number[];
}

/** The metrics of the best answers that are the same for all samples, and steps: what is left where nothing of the inputs gets through. */
export function constantMetrics({ column: { head }, data: { targets } }: Analysed, scores: Tensor): readonly number[] {
  return judgedOf(head, scores, targets).map((own) => {
    const [rows = 0, width = 1] = own.scores.dims;
    const row = constantRow(own.head, own.targets, rows, width);
    const constant = Tensor.zeros('float32', [rows, width]);
    for (let i = 0; i < rows; i++) (constant.data as Float32Array).set(row, i * width);
    return sumOfRows(own.head, constant, own.targets) / rows;
  });
}

function constantRow(head: SingleHead, targets: Tensor, rows: number, width: number): number[] {
  const column = (j: number) => Array.from({ length: rows }, (_, i) => Number(targets.data[i * width + j]));
  return Array.from({ length: width }, (_, j): number => {
    if (targetKind(head).of === 'classes') return targets.numbers().filter((v) => v === j).length;
    const values = column(j);
    // Of labels the more frequent, of numbers the median, whose absolute error is the least.
    return answersOf(head) !== undefined
      ? values.reduce((sum, v) => sum + v - 0.5, 0)
      : must(values.sort((x, y) => x - y)[rows >> 1], 'target');
  });
}

/** Standard normal numbers in the shape of `like`, by Box and Muller. */
function normalLike(g: Ops, like: Value, seed: Value, name: string): Value {
  const [a, b] = [uniformLike(g, like, seed, saltOf(`${name}/radius`)), uniformLike(g, like, seed, saltOf(`${name}/angle`))];
  const radius = g.sqrt(g.mul(g.log(g.sub(1, a)), -2));
  return g.mul(radius, g.cos(g.mul(b, 2 * Math.PI)));
}

/** One tap disturbed: noise of `sigma` times each feature's standard deviation. */
function disturbed(g: Ops, ref: TapRef, tap: Value, { deviation }: TapFeatures): Value {
  const { channels } = axesOf(ref, tap);
  const rank = must(tap.shape, tap.name).length;
  const spread = float32(
    [...deviation],
    Array.from({ length: rank }, (_, axis) => (axis === channels ? deviation.length : 1)),
  );
  const sigma = g.input(sigmaInput, 'float32', []);
  const noise = normalLike(g, tap, g.input(seedInput, 'int64', []), tapKey(ref));
  return g.add(tap, g.mul(noise, g.mul(g.constant(spread), sigma)));
}

/** Which share of its performance is left under a noise of this variance; of several heads the mean of theirs. */
async function left(
  analysed: Analysed,
  session: Session,
  variance: number,
  trial: number,
  { undisturbed, constant }: Scale,
): Promise<number> {
  const sum = new MetricSum(analysed.column.head);
  let rows = 0;
  for (const { feeds, targets, rows: more } of batchesOf(analysed)) {
    const noise = int64(trial * 1_000_003 + rows + analysed.seed);
    const out = await session.run({ ...feeds, [sigmaInput]: float32(Math.sqrt(variance)), [seedInput]: noise }, [scoresOutput]);
    sum.add(must(out[scoresOutput], 'scores'), targets);
    rows += more;
  }
  const shares = sum.values().map((value, i) => {
    const [top, bottom] = [undisturbed, constant].map((of) => must(of[i], 'head'));
    return (value - must(bottom, 'constant')) / (must(top, 'undisturbed') - must(bottom, 'constant'));
  });
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

/** The variance of noise, in those of the features themselves, at which half of the performance is left; undefined where 10^6 times do not. */
async function halving(analysed: Analysed, session: Session, scale: Scale): Promise<number | undefined> {
  let [low, high] = [least, most];
  if ((await left(analysed, session, 10 ** high, 0, scale)) > 0.5) return undefined;
  for (let trial = 1; trial <= steps + 4; trial++) {
    const middle = (low + high) / 2;
    if ((await left(analysed, session, 10 ** middle, trial, scale)) > 0.5) low = middle;
    else high = middle;
  }
  return 10 ** ((low + high) / 2);
}

/** Variance at which each tap of the joints halves the performance, by `tapKey`; undefined: none does. Throws UsageError where the task answers no better than a constant. */
export async function halvingVariances(
  analysed: Analysed,
  joints: readonly Joint[],
  features: ReadonlyMap<string, TapFeatures>,
  scale: Scale,
  onTap?: () => void,
): Promise<ReadonlyMap<string, number | undefined>> {
  const { column } = analysed;
  for (const [i, { name, head }] of headsOf(column.head).entries()) {
    const [undisturbed, constant] = [must(scale.undisturbed[i], 'metric'), must(scale.constant[i], 'metric')];
    if (better(head, undisturbed, constant)) continue;
    const what = `task "${column.task}"${name === undefined ? '' : `, head "${name}",`}`;
    throw new UsageError(
      `${what} answers no better than one answer for all samples, ${undisturbed.toFixed(4)} to ${constant.toFixed(4)}: noise has nothing to halve`,
      { got: column.task },
    );
  }
  const found = new Map<string, number | undefined>();
  for (const ref of tapsIn(joints)) {
    const own = ofTap(features, ref);
    const model = taskGraph(analysed, {
      through: (g, other, tap) => (tapKey(other) === tapKey(ref) ? disturbed(g, ref, tap, own) : tap),
    });
    found.set(tapKey(ref), await withSession(analysed, model, (session) => halving(analysed, session, scale)));
    onTap?.();
  }
  return found;
}

/** Shares of a joint's taps by the inverse of these variances: they add up to 1, or are all 0. */
export function perturbationShares({ taps }: Joint, variances: ReadonlyMap<string, number | undefined>): number[] {
  const inverse = taps.map((ref) => {
    const variance = variances.get(tapKey(ref));
    return variance === undefined ? 0 : 1 / variance;
  });
  const sum = inverse.reduce((a, b) => a + b, 0);
  return inverse.map((v) => (sum === 0 ? 0 : v / sum));
}
