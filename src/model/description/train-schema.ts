// A column's training options. All may be left out: what is absent here is train's own default or a flag of the command line.
import * as z from 'zod';
import { type Monitor, monitorNames } from '../heads/measure-names.js';
import { flag, integer, oneOf, plainVariant, real, size, strict, tagged, taggedDefinition, variant } from '../nn/schema.js';
import { type Augmentation, type AugmentationInput, augmentationSchema } from './augment-schema.js';

const positive = real('a positive number', { above: 0 });
const notNegative = real('a non-negative number', { min: 0 });
const part = 'a number of at least 0 and below 1';
const warmup = {
  warmup: integer(0, 'a non-negative number of steps')
    .default(0)
    .describe('Steps (minibatches) over which the rate rises from 0 to "lr"; 0 when absent.'),
};

const scheduleTable = {
  constant: plainVariant(strict(warmup), 'The rate stays "lr".'),
  step: variant(
    strict({
      every: size.describe('Epochs between two changes of the rate.'),
      factor: positive.default(0.1).describe('What the rate is multiplied by at each; 0.1 when absent.'),
      ...warmup,
    }),
    'every',
    '{ step: { every: 10, factor: 0.1 } }',
    'The rate is multiplied by "factor" every so many epochs.',
  ),
  cosine: plainVariant(
    strict({
      final: notNegative.default(0).describe('Where the rate ends, as a part of "lr"; 0 when absent.'),
      ...warmup,
    }),
    'The rate falls along half a cosine, from "lr" to "final" of it in the last epoch.',
  ),
  plateau: variant(
    strict({
      patience: size.default(10).describe('Epochs without a better value before the rate falls; 10 when absent.'),
      factor: real('a number above 0 and below 1', { above: 0, below: 1 })
        .default(0.1)
        .describe('What the rate is multiplied by each time; 0.1 when absent.'),
      min_lr: notNegative.default(0).describe('The least rate; 0 when absent.'),
      threshold: real(part, { min: 0, below: 1 })
        .default(1e-4)
        .describe('The part by which a value must beat the best one to be better; 0.0001 when absent.'),
      monitor: oneOf([...monitorNames, 'training_loss'])
        .default('loss')
        .describe(
          'What is watched: over the validation part the loss (when absent) or a measure of the head by its name, or with training_loss the training data.',
        ),
      ...warmup,
    }),
    'patience',
    '{ plateau: { patience: 5, factor: 0.5 } }',
    'The rate is multiplied by "factor" when so many epochs in a row brought no better value.',
  ),
};

const clipTable = {
  norm: variant(
    strict({ limit: positive.describe('The largest L2 norm.') }),
    'limit',
    '{ norm: 1 }',
    'The gradient of all parameters together is scaled down to this norm.',
  ),
  value: variant(
    strict({ limit: positive.describe('The largest absolute value.') }),
    'limit',
    '{ value: 0.5 }',
    'Each element of a gradient is cut to [-limit, limit].',
  ),
};

const earlyStopping = strict({
  patience: size.describe('Epochs without a better value before training stops; the best epoch is kept.'),
  monitor: oneOf(monitorNames)
    .default('loss')
    .describe('What is watched over the validation part, the loss or a measure of the head by its name: loss when absent.'),
});

export const trainSchema = strict(
  {
    epochs: size.optional().describe('Passes over the training data; 5 when absent.'),
    batch: size.optional().describe('Rows of a minibatch; 128 when absent.'),
    optimizer: oneOf(['sgd', 'adam', 'adamw', 'rmsprop']).optional().describe('The rule of an update: adam when absent.'),
    lr: positive.optional().describe('The learning rate; 0.1 for sgd and 0.001 for the others when absent.'),
    momentum: real(part, { min: 0, below: 1 }).optional().describe('Momentum of sgd and rmsprop; 0 when absent.'),
    nesterov: flag.optional().describe('Nesterov momentum, for sgd with a momentum; false when absent.'),
    weight_decay: notNegative
      .optional()
      .describe('Added to the gradient (L2), for adamw decoupled; 0.01 for adamw and 0 for the others when absent.'),
    schedule: tagged('schedule', scheduleTable).optional().describe('How the rate changes: constant when absent.'),
    clip: tagged('clip', clipTable).optional().describe('How gradients are bounded: not at all when absent.'),
    early_stopping: earlyStopping.optional().describe('When training ends before its last epoch: never when absent.'),
    validation: real(part, { min: 0, below: 1 })
      .optional()
      .describe(
        'The part of the training data that is set aside for validation; 0.1 where early stopping or the schedule watches it and else 0 when absent.',
      ),
    augment: z
      .array(augmentationSchema, { error: 'a list of augmentations' })
      .min(1, { error: 'at least one augmentation' })
      .optional()
      .describe('How rows are varied, drawn anew in each epoch, in training alone: not at all when absent.'),
    seed: integer(0, 'a non-negative integer')
      .optional()
      .describe("Seed of the order of rows, of dropout and of augment; drawn from the description's seed when absent."),
  },
  'an object of training options',
  {
    loss: 'expected it in the head, as in { regress: { outputs: 1, loss: huber } }',
    class_weights: 'expected it in the head, as in { classify: { classes: 2, class_weights: balanced } }',
    pos_weight: 'expected it in the head, as in { binary: { labels: 3, pos_weight: balanced } }',
    label_smoothing: 'expected it in the head, as in { classify: { classes: 10, label_smoothing: 0.1 } }',
  },
);

/** How the rate changes. */
export type Schedule =
  | { kind: 'constant'; warmup: number }
  | { kind: 'step'; every: number; factor: number; warmup: number }
  | { kind: 'cosine'; final: number; warmup: number }
  | Plateau;

/** The rate falls when epochs bring nothing better. */
export interface Plateau {
  /** Which schedule it is. */
  kind: 'plateau';
  /** Epochs without a better value before the rate falls. */
  patience: number;
  /** What the rate is multiplied by each time. */
  factor: number;
  /** The least rate. */
  min_lr: number;
  /** The part by which a value must beat the best one to be better. */
  threshold: number;
  /** What is watched: loss or a measure of the validation part, or the loss of the training data. */
  monitor: Monitor | 'training_loss';
  /** Steps (minibatches) over which the rate rises from 0 to "lr". */
  warmup: number;
}

/** A plateau as written. */
export interface PlateauOptions {
  /** Epochs without a better value before the rate falls; 10 when absent. */
  patience?: number | undefined;
  /** What the rate is multiplied by each time; 0.1 when absent. */
  factor?: number | undefined;
  /** The least rate; 0 when absent. */
  min_lr?: number | undefined;
  /** The part by which a value must beat the best one to be better; 0.0001 when absent. */
  threshold?: number | undefined;
  /** What is watched: over the validation part the loss (when absent) or a measure of the head by its name, or with training_loss the training data. */
  monitor?: Monitor | 'training_loss' | undefined;
  /** Steps (minibatches) over which the rate rises from 0 to "lr"; 0 when absent. */
  warmup?: number | undefined;
}

/** How gradients are bounded: all together to an L2 norm, or each element to [-limit, limit]. */
export type Clip = { kind: 'norm'; limit: number } | { kind: 'value'; limit: number };

/** When training ends before its last epoch. */
export interface EarlyStopping {
  /** Epochs without a better value before training stops; the best epoch is kept. */
  patience: number;
  /** What is watched over the validation part: the loss, or a measure of the head by its name. */
  monitor: Monitor;
}

/** Training options of a column, checked; what is absent is train's own default. */
export interface Train {
  /** Passes over the training data; 5 when absent. */
  epochs?: number | undefined;
  /** Rows of a minibatch; 128 when absent. */
  batch?: number | undefined;
  /** The rule of an update: adam when absent. */
  optimizer?: 'sgd' | 'adam' | 'adamw' | 'rmsprop' | undefined;
  /** The learning rate; 0.1 for sgd and 0.001 for the others when absent. */
  lr?: number | undefined;
  /** Momentum of sgd and rmsprop; 0 when absent. */
  momentum?: number | undefined;
  /** Nesterov momentum, for sgd with a momentum; false when absent. */
  nesterov?: boolean | undefined;
  /** Added to the gradient (L2), for adamw decoupled; 0.01 for adamw and 0 for the others when absent. */
  weight_decay?: number | undefined;
  /** How the rate changes: constant when absent. */
  schedule?: Schedule | undefined;
  /** How gradients are bounded: not at all when absent. */
  clip?: Clip | undefined;
  /** When training ends before its last epoch: never when absent. */
  early_stopping?: EarlyStopping | undefined;
  /** The part of the training data that is set aside for validation; 0.1 where early stopping or the schedule watches it and else 0 when absent. */
  validation?: number | undefined;
  /** How rows are varied, drawn anew in each epoch, in training alone: not at all when absent. */
  augment?: Augmentation[] | undefined;
  /** Seed of the order of rows, of dropout and of augment; drawn from the description's seed when absent. */
  seed?: number | undefined;
}

/** How the rate changes, as written: by its name alone, as `{ name: value }`, or with its options. */
export type ScheduleInput =
  | 'constant'
  | 'cosine'
  | 'plateau'
  | { plateau: number | PlateauOptions }
  | ({ kind: 'plateau' } & PlateauOptions)
  | { constant: { warmup?: number | undefined } }
  | { step: number | { every: number; factor?: number | undefined; warmup?: number | undefined } }
  | { cosine: { final?: number | undefined; warmup?: number | undefined } }
  | { kind: 'constant'; warmup?: number | undefined }
  | { kind: 'step'; every: number; factor?: number | undefined; warmup?: number | undefined }
  | { kind: 'cosine'; final?: number | undefined; warmup?: number | undefined };

/** How gradients are bounded, as written: all together to an L2 norm, or each element to [-limit, limit]. */
export type ClipInput =
  | { norm: number | { limit: number } }
  | { value: number | { limit: number } }
  | { kind: 'norm'; limit: number }
  | { kind: 'value'; limit: number };

/** When training ends before its last epoch. */
export interface EarlyStoppingInput {
  /** Epochs without a better value before training stops; the best epoch is kept. */
  patience: number;
  /** What is watched over the validation part, the loss or a measure of the head by its name: loss when absent. */
  monitor?: Monitor | undefined;
}

/** Training options as written in a description's `train`. */
export interface TrainInput {
  /** Passes over the training data; 5 when absent. */
  epochs?: number | undefined;
  /** Rows of a minibatch; 128 when absent. */
  batch?: number | undefined;
  /** The rule of an update: adam when absent. */
  optimizer?: 'sgd' | 'adam' | 'adamw' | 'rmsprop' | undefined;
  /** The learning rate; 0.1 for sgd and 0.001 for the others when absent. */
  lr?: number | undefined;
  /** Momentum of sgd and rmsprop; 0 when absent. */
  momentum?: number | undefined;
  /** Nesterov momentum, for sgd with a momentum; false when absent. */
  nesterov?: boolean | undefined;
  /** Added to the gradient (L2), for adamw decoupled; 0.01 for adamw and 0 for the others when absent. */
  weight_decay?: number | undefined;
  /** How the rate changes: constant when absent. */
  schedule?: ScheduleInput | undefined;
  /** How gradients are bounded: not at all when absent. */
  clip?: ClipInput | undefined;
  /** When training ends before its last epoch: never when absent. */
  early_stopping?: EarlyStoppingInput | undefined;
  /** The part of the training data that is set aside for validation; 0.1 where early stopping or the schedule watches it and else 0 when absent. */
  validation?: number | undefined;
  /** How rows are varied, drawn anew in each epoch, in training alone: not at all when absent. */
  augment?: AugmentationInput[] | undefined;
  /** Seed of the order of rows, of dropout and of augment; drawn from the description's seed when absent. */
  seed?: number | undefined;
}
export const trainDefinitions = { schedule: taggedDefinition(scheduleTable), clip: taggedDefinition(clipTable) };
