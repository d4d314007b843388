// A column's training options. All may be left out: what is absent here is train's own default or a flag of the command line.
import type { z } from 'zod';
import { flag, integer, oneOf, real, size, strict, tagged, taggedDefinition, variant } from '../nn/schema.js';

const positive = real('a positive number', { above: 0 });
const notNegative = real('a non-negative number', { min: 0 });
const part = 'a number of at least 0 and below 1';
const warmup = { warmup: integer(0, 'a non-negative number of steps').default(0) };

/** `warmup` counts steps (minibatches) over which the rate rises from 0, `every` counts epochs; factors are of `lr`. */
const scheduleTable = {
  constant: variant(strict(warmup)),
  step: variant(
    strict({ every: size, factor: positive.default(0.1), ...warmup }),
    'every',
    '{ step: { every: 10, factor: 0.1 } }',
  ),
  cosine: variant(strict({ final: notNegative.default(0), ...warmup })),
};

const clipTable = {
  /** The gradient of all parameters together is scaled down to this norm. */
  norm: variant(strict({ limit: positive }), 'limit', '{ norm: 1 }'),
  /** Each element is cut to [-limit, limit]. */
  value: variant(strict({ limit: positive }), 'limit', '{ value: 0.5 }'),
};

export const trainSchema = strict(
  {
    epochs: size.optional(),
    batch: size.optional(),
    optimizer: oneOf(['sgd', 'adam', 'adamw', 'rmsprop']).optional(),
    lr: positive.optional(),
    momentum: real(part, { min: 0, below: 1 }).optional(),
    nesterov: flag.optional(),
    weight_decay: notNegative.optional(),
    schedule: tagged('schedule', scheduleTable).optional(),
    clip: tagged('clip', clipTable).optional(),
    early_stopping: strict({ patience: size, monitor: oneOf(['loss', 'accuracy']).default('loss') }).optional(),
    /** The part of the training data that is set aside for validation. */
    validation: real(part, { min: 0, below: 1 }).optional(),
    seed: integer(0, 'a non-negative integer').optional(),
  },
  'an object of training options',
);

export type Train = z.output<typeof trainSchema>;
export type TrainInput = z.input<typeof trainSchema>;
export const trainDefinitions = { schedule: taggedDefinition(scheduleTable), clip: taggedDefinition(clipTable) };
