// Learning-rate schedules: a step's rate as a factor of the base rate. Computed outside the graph, in float64.

import type { Schedule } from '../../model/description/train-schema.js';

/**
 * Factor at `step` (from 0) of `total` steps, `perEpoch` steps making an epoch. Warm-up rises linearly over its steps and reaches 1 at the
 * last of them; cosine then falls to `final` at the last step; step multiplies by `factor` each `every` epochs.
 */
export function rateFactor(schedule: Schedule, step: number, total: number, perEpoch: number): number {
  const { warmup } = schedule;
  if (step < warmup) return (step + 1) / warmup;
  switch (schedule.kind) {
    case 'constant':
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
