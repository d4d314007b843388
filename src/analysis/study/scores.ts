// From learning curves and accuracies to the scores of a study: areas, transfer, and what continual-learning papers measure. Numbers alone.
import { must } from '../../onnx/core/errors.js';
import type { Spread } from './result.js';

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The middle one; of an even number the mean of the two. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (must(low, 'value') + must(high, 'value')) / 2;
}

/** Standard deviation, n - 1 below the root; 0 for a single value. */
export function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
}

/** Values of all seeds. */
export const spreadOf = (values: readonly number[]): Spread => ({
  mean: meanOf(values),
  deviation: deviationOf(values),
  values: [...values],
});

/** The same where every seed has a value; null where one has none. */
export function spreadOrNull(values: readonly (number | undefined)[]): Spread | null {
  const known = values.filter((v) => v !== undefined);
  return known.length === values.length && known.length > 0 ? spreadOf(known) : null;
}

/** A learning curve of `epochs` points: after an early stop the value of the epoch that was kept goes on. */
export function wholeCurve(values: readonly number[], kept: number, epochs: number): number[] {
  const last = must(values[kept - 1], 'value of the kept epoch');
  return Array.from({ length: epochs }, (_, i) => values[i] ?? last);
}

/**
 * Transfer score (arXiv 1606.04671, section 4): the area under a learning curve by that of baseline 1. Of an error, which falls, the other way round,
 * so that above 1 is better. Undefined where the divisor is 0.
 */
export function transferScore(area: number, baseline: number, rises: boolean): number | undefined {
  const [above, below] = rises ? [area, baseline] : [baseline, area];
  return below === 0 ? undefined : above / below;
}

/**
 * What a method made of its tasks: `after[i][j]` is the metric of task j after task i was learned, j <= i.
 * ACC and BWT: Lopez-Paz and Ranzato (2017). Forgetting: Chaudhry et al. (2018). Signs are such that more is better, but for `forgetting`.
 */
export function continual(
  after: readonly (readonly number[])[],
  rises: boolean,
): { readonly average: number; readonly backward?: number; readonly forgetting?: number } {
  const last = must(after.at(-1), 'row');
  const average = meanOf(last);
  if (last.length < 2) return { average };
  const sign = rises ? 1 : -1;
  const earlier = last.slice(0, -1).map((end, j) => {
    const known = after.slice(j, -1).map((row) => sign * must(row[j], 'value'));
    return { change: sign * end - must(known[0], 'value'), lost: Math.max(...known) - sign * end };
  });
  return {
    average,
    backward: meanOf(earlier.map(({ change }) => change)),
    forgetting: meanOf(earlier.map(({ lost }) => lost)),
  };
}

/** Forward transfer of a task (Wolczyk et al. 2021): how much of what baseline 1 leaves to be won under its curve is won. Undefined where it leaves nothing. */
export function forwardTransfer(area: number, baseline: number): number | undefined {
  return baseline >= 1 ? undefined : (area - baseline) / (1 - baseline);
}
