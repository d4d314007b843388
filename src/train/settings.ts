// Training options with their defaults: what the description says, what a caller overrides.

import type { Augmentation } from '../model/description/augment-schema.js';
import type { Clip, Schedule, Train } from '../model/description/train-schema.js';
import type { Head } from '../model/heads/heads.js';
import type { Monitor } from '../model/heads/measure-names.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, given } from '../onnx/core/given.js';
import { checkMonitor } from './early-stopping.js';
import { defaultRate, type OptimizerOptions } from './optim/optimizer.js';

/** Training options with defaults filled in. */
export interface TrainSettings {
  /** Passes over the training data. */
  readonly epochs: number;
  /** Rows of a minibatch. */
  readonly batch: number;
  /** The learning rate. */
  readonly rate: number;
  /** The rule of an update. */
  readonly optimizer: OptimizerOptions;
  /** How the rate changes. */
  readonly schedule: Schedule;
  /** How gradients are bounded; not at all when absent. */
  readonly clip?: Clip;
  /** Stops after `patience` epochs without a better value, and takes the best epoch's weights back. */
  readonly earlyStopping?: { readonly patience: number; readonly monitor: Monitor };
  /** Fraction of the training data set aside. */
  readonly validation: number;
  /** How rows are varied in each epoch; not at all when absent. */
  readonly augment?: readonly Augmentation[];
  /** Seed of the order of rows, of dropout and of augment. */
  readonly seed: number;
}

/** Whether the schedule follows what the validation part gives. */
export function watchesValidation(schedule: Schedule | undefined): boolean {
  return schedule?.kind === 'plateau' && schedule.monitor !== 'training_loss';
}

/**
 * Defaults: 5 epochs, batch 128, adam at 0.001 (sgd: 0.1), constant rate, no validation unless early stopping or the schedule needs it (then 0.1).
 * @param head where it is known, what is watched must be a measure of it
 * @throws UsageError for options that do not go together
 */
export function trainSettings(train: Train, seed: number, head?: Head): TrainSettings {
  given('trainSettings', { train }, { train: anObject });
  const kind = train.optimizer ?? 'adam';
  if (kind.startsWith('adam') && (train.momentum !== undefined || train.nesterov !== undefined)) {
    throw new UsageError(`train: momentum and nesterov belong to sgd and rmsprop, the optimizer is ${kind}`, { got: kind });
  }
  if (train.nesterov === true && (kind !== 'sgd' || !train.momentum)) {
    throw new UsageError('train: nesterov needs the optimizer sgd with a momentum above 0', { got: kind });
  }
  const { early_stopping: stop, schedule, lr = defaultRate[kind] } = train;
  const watched = watchesValidation(schedule);
  const { validation = stop === undefined && !watched ? 0 : 0.1 } = train;
  if (stop !== undefined && validation === 0) {
    throw new UsageError('train: early_stopping needs a validation part, found validation: 0', {
      expected: 'validation above 0',
    });
  }
  if (watched && validation === 0) {
    throw new UsageError(
      'train: the schedule plateau needs a validation part, found validation: 0; monitor: training_loss watches the training data',
      { expected: 'validation above 0' },
    );
  }
  if (schedule?.kind === 'plateau' && schedule.min_lr > lr) {
    throw new UsageError(`train: the schedule plateau has min_lr ${schedule.min_lr}, expected at most the learning rate, ${lr}`, {
      expected: `at most ${lr}`,
      got: String(schedule.min_lr),
    });
  }
  if (stop !== undefined && head !== undefined) checkMonitor(head, stop.monitor);
  if (schedule?.kind === 'plateau' && schedule.monitor !== 'training_loss' && head !== undefined)
    checkMonitor(head, schedule.monitor);
  return {
    epochs: train.epochs ?? 5,
    batch: train.batch ?? 128,
    rate: lr,
    optimizer: {
      kind,
      ...(train.momentum === undefined ? {} : { momentum: train.momentum }),
      ...(train.nesterov === undefined ? {} : { nesterov: train.nesterov }),
      ...(train.weight_decay === undefined ? {} : { weightDecay: train.weight_decay }),
    },
    schedule: schedule ?? { kind: 'constant', warmup: 0 },
    ...(train.clip === undefined ? {} : { clip: train.clip }),
    ...(stop === undefined ? {} : { earlyStopping: stop }),
    validation,
    ...(train.augment === undefined ? {} : { augment: train.augment }),
    seed: train.seed ?? seed,
  };
}
