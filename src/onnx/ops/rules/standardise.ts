// What normalisation layers share: x -> (x - mean x) / std x over some axes, and its gradient.
import type { Value } from '../../ir/graph.js';
import { reduceMean } from '../families/reduce.js';
import type { Ops } from '../ops-builder.js';

/** The integers from one up to, not including, another. */
export const range = (from: number, to: number): number[] => Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);

/** A standardised tensor: xhat = (x - mean) inv with inv = 1 / sqrt(variance + epsilon) over `axes`, which are kept as 1. */
export interface Standardised {
  readonly xhat: Value;
  readonly inv: Value;
  readonly axes: readonly number[];
}

export function inverseDeviation(g: Ops, variance: Value, epsilon: number): Value {
  return g.reciprocal(g.sqrt(g.add(variance, epsilon)));
}

export function standardise(g: Ops, x: Value, axes: readonly number[], epsilon: number): Standardised {
  const centred = g.sub(x, reduceMean(g, x, axes));
  const inv = inverseDeviation(g, reduceMean(g, g.mul(centred, centred), axes), epsilon);
  return { xhat: g.mul(centred, inv), inv, axes };
}

/** dx = inv (d - mean(d) - xhat mean(d xhat)), d being the gradient by xhat and the means over the standardised axes. */
export function throughStandardise(g: Ops, { xhat, inv, axes }: Standardised, d: Value): Value {
  const along = g.mul(xhat, reduceMean(g, g.mul(d, xhat), axes));
  return g.mul(inv, g.sub(g.sub(d, reduceMean(g, d, axes)), along));
}
