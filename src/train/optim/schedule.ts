// Learning-rate schedules: a step's rate as a factor of the base rate. Computed outside the graph, in float64.

import type { Plateau, Schedule } from '../../model/description/train-schema.js';

/**
 * Factor at `step` (from 0) of `total` steps, `perEpoch` steps making an epoch. Warm-up rises linearly over its steps and reaches 1 at the
 * last of them; cosine then falls to `final` at the last step; step multiplies by `factor` each `every` epochs. How far the rate fell on a
 * plateau is `plateauFactor`'s.
 */
export function rateFactor(schedule: Schedule, step: number, total: number, perEpoch: number): number {
  const { warmup } = schedule;
  if (step < warmup) return (step + 1) / warmup;
  switch (schedule.kind) {
    case 'constant':
    case 'plateau':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(step / (perEpoch * schedule.every));
    case 'cosine': {
      const span = Math.max(total - 1 - warmup, 1);
      const done = Math.min((step - warmup) / span, 1);
      return schedule.final + ((1 - schedule.final) * (1 + Math.cos(Math.PI * done))) / 2;
    }
  }
}

/**
 * How far the rate has fallen after epochs that gave these values: by `factor` whenever `patience` epochs in a row were not better than the best
 * one, counted anew after each fall. PyTorch's ReduceLROnPlateau counts one epoch more (its patience is this one less 1), Keras's the same.
 * @param rises whether a larger value is the better one
 */
export function plateauFactor({ patience, factor, threshold }: Plateau, values: readonly number[], rises: boolean): number {
  let best: number | undefined;
  let waited = 0;
  let fallen = 1;
  for (const value of values) {
    const margin = threshold * Math.abs(best ?? 0);
    if (best === undefined || (rises ? value > best + margin : value < best - margin)) {
      best = value;
      waited = 0;
    } else if (++waited === patience) {
      fallen *= factor;
      waited = 0;
    }
  }
  return fallen;
}
