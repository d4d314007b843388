// Spearman's rank correlation: how alike two measures order the same things.
import { must } from '../onnx/core/errors.js';

/** Ranks from 1; equal values share the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((v) => {
    const below = values.filter((other) => other < v).length;
    const equal = values.filter((other) => other === v).length;
    return below + (equal + 1) / 2;
  });
}

/** Between -1 and 1; undefined for fewer than three things, and where one measure is the same for all. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < 3) return undefined;
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const mean = (a.length + 1) / 2;
  const product = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, v, i) => sum + (v - mean) * (must(q[i], 'rank') - mean), 0);
  const norm = Math.sqrt(product(x, x) * product(y, y));
  return norm === 0 ? undefined : product(x, y) / norm;
}
