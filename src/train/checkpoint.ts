// The state of a training between two runs: everything that the next step depends on, so that a resumed training is bit-identical to one
// that was never interrupted.
import type { Tensor } from '../onnx/core/tensor.js';

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss over the epoch's minibatches. */
  readonly loss: number;
  /** Learning rate at the last step. */
  readonly rate: number;
  readonly validation?: { readonly loss: number; readonly metric: number };
}

export interface TrainState {
  /** Epochs done. */
  readonly epoch: number;
  /** Minibatches done in the running epoch. */
  readonly offset: number;
  /** Steps done in all. */
  readonly step: number;
  /** Sum over the running epoch of loss times rows. */
  readonly lossSum: number;
  readonly history: readonly EpochRecord[];
  readonly best?: { readonly epoch: number; readonly value: number };
  readonly done: boolean;
}

export interface Checkpoint {
  readonly state: TrainState;
  /** Parameters, statistics and optimizer slots by name; the best epoch's parameters under `best/<name>`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Where checkpoints go. `load` gives the last whole one. */
export interface CheckpointStore {
  load(): Promise<Checkpoint | undefined>;
  save(checkpoint: Checkpoint): Promise<void>;
}

export const freshState: TrainState = { epoch: 0, offset: 0, step: 0, lossSum: 0, history: [], done: false };
export const bestName = (name: string): string => `best/${name}`;
