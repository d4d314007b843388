// The state of a training as JSON, checked when it is read back.
import * as z from 'zod';
import { measureNames } from '../model/heads/measure-names.js';
import type { TrainState } from './checkpoint.js';

const measures = z.partialRecord(z.enum(measureNames), z.number());

const metric = z.object({ name: z.enum(['accuracy', 'error']), value: z.number() });
const heads = z.record(z.string(), z.object({ loss: z.number(), metric }));

export const stateSchema = z.object({
  epoch: z.number(),
  offset: z.number(),
  step: z.number(),
  lossSum: z.number(),
  counts: z.object({ rows: z.number(), sums: z.array(z.array(z.number())) }).exactOptional(),
  history: z.array(
    z.object({
      epoch: z.number(),
      loss: z.number(),
      rate: z.number(),
      measures: measures.exactOptional(),
      validation: z
        .object({ loss: z.number(), metric: z.number(), measures: measures.exactOptional(), heads: heads.exactOptional() })
        .exactOptional(),
    }),
  ),
  balance: z.array(z.number()).readonly().exactOptional(),
  best: z.object({ epoch: z.number(), value: z.number() }).exactOptional(),
  done: z.boolean(),
}) satisfies z.ZodType<TrainState>;
