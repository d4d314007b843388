// The state of a training between two runs: everything that the next step depends on, so that a resumed training is bit-identical to one
// that was never interrupted.
import type { Tensor } from '../onnx/core/tensor.js';
import type { ByMeasure, CountState } from './counts.js';
import type { HeadEvaluation } from './evaluate.js';

/** What an epoch gave. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss over the epoch's minibatches. */
  readonly loss: number;
  /** Learning rate at the last step. */
  readonly rate: number;
  /**
   * Of the training data by name, taken as the epoch went: each row as it was answered before the step that learned of it, with dropout. Absent
   * where the engine gives no scores.
   */
  readonly measures?: ByMeasure;
  /** Over the validation data, where there are some. */
  readonly validation?: ValidationRecord;
}

/** What an epoch's weights gave on the validation data. */
export interface ValidationRecord {
  /** Mean over the rows. */
  readonly loss: number;
  /** The head's own: accuracy, or mean absolute error. */
  readonly metric: number;
  /** By name, as `prognet eval` has them. */
  readonly measures?: ByMeasure;
  /** Of several heads each by its name; then the loss is the sum of theirs by their weights, and all else that of the first. */
  readonly heads?: Readonly<Record<string, HeadEvaluation>>;
}

/** Where a training is, as JSON. */
export interface TrainState {
  /** Epochs done. */
  readonly epoch: number;
  /** Minibatches done in the running epoch. */
  readonly offset: number;
  /** Steps done in all. */
  readonly step: number;
  /** Sum over the running epoch of loss times rows. */
  readonly lossSum: number;
  /** Sums over the running epoch that its measures follow from. */
  readonly counts?: CountState;
  /** The epochs so far. */
  readonly history: readonly EpochRecord[];
  /** What the loss learned of the training data, in place of "balanced": a number for each class or label. */
  readonly balance?: readonly number[];
  /** The best epoch, under early stopping. */
  readonly best?: { readonly epoch: number; readonly value: number };
  /** Whether the training has ended. */
  readonly done: boolean;
}

/** A training that can go on: its state and its tensors. */
export interface Checkpoint {
  /** Where the training is. */
  readonly state: TrainState;
  /** Parameters, statistics and optimizer slots by name; the best epoch's parameters under `best/<name>`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Where checkpoints go. `load` gives the last whole one. */
export interface CheckpointStore {
  /** The checkpoint kept last, if there is one. */
  load(): Promise<Checkpoint | undefined>;
  /** Keeps a checkpoint in place of the one before. */
  save(checkpoint: Checkpoint): Promise<void>;
}

export const freshState: TrainState = { epoch: 0, offset: 0, step: 0, lossSum: 0, history: [], done: false };
export const bestName = (name: string): string => `best/${name}`;
