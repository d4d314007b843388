// The state of a training as JSON, checked when it is read back.
import * as z from 'zod';
import type { TrainState } from './checkpoint.js';

export const stateSchema = z.object({
  epoch: z.number(),
  offset: z.number(),
  step: z.number(),
  lossSum: z.number(),
  history: z.array(
    z.object({
      epoch: z.number(),
      loss: z.number(),
      rate: z.number(),
      validation: z.object({ loss: z.number(), metric: z.number() }).exactOptional(),
    }),
  ),
  best: z.object({ epoch: z.number(), value: z.number() }).exactOptional(),
  done: z.boolean(),
}) satisfies z.ZodType<TrainState>;
