// What a training tells while it runs.
import type { EpochRecord } from './checkpoint.js';

/** What a training tells on its way. */
export type TrainEvent =
  /** Data that are written to disk, or looked through there: what is counted, such as `rows read`. */
  | { readonly kind: 'reading'; readonly what: string; readonly done: number; readonly total: number }
  /** Rows whose taps are computed. */
  | { readonly kind: 'tapping'; readonly done: number; readonly total: number }
  /** Taps of earlier columns in memory: so many were computed, so many an earlier training had left in the cache. */
  | { readonly kind: 'taps'; readonly computed: number; readonly reused: number }
  /** Taps pass the memory budget and are on disk; `found` by an earlier training. */
  | { readonly kind: 'stored'; readonly bytes: number; readonly budget: number; readonly found: boolean }
  /** Taps pass the budget, there is no store, and they are computed again for each chunk. */
  | { readonly kind: 'uncached'; readonly bytes: number; readonly budget: number }
  /** Rows are varied anew in each epoch: taps, `bytes` of them, are computed at each step and not kept. */
  | { readonly kind: 'augmented'; readonly bytes: number }
  /** The data of a float32 input are bytes: exported models take them divided by 255, 0 to 1. */
  | { readonly kind: 'bytes'; readonly input: string }
  /** Before the first step: epochs at most, and the rows of each. */
  | { readonly kind: 'started'; readonly epochs: number; readonly rows: number; readonly validationRows: number }
  /** It goes on from a checkpoint: epochs and steps done, and the records of those epochs. */
  | { readonly kind: 'resumed'; readonly epoch: number; readonly step: number; readonly history: readonly EpochRecord[] }
  | {
      readonly kind: 'step';
      readonly epoch: number;
      readonly done: number;
      readonly total: number;
      /** Mean over the epoch so far. */
      readonly loss: number;
      /** Of each minibatch since the last event. */
      readonly losses: Float32Array;
    }
  | { readonly kind: 'epoch'; readonly record: EpochRecord; readonly epochs: number; readonly seconds: number }
  /** What the loss learned of the training part in place of "balanced": a number for each class or label, by its name, else its number. */
  | {
      readonly kind: 'balanced';
      readonly option: string;
      readonly numbers: readonly { readonly name: string; readonly value: number }[];
    }
  /** The schedule plateau: from now on the rate is this one. */
  | { readonly kind: 'plateau'; readonly epoch: number; readonly rate: number }
  /** Early stopping ends it; the weights are those of epoch `best`. */
  | { readonly kind: 'stopped'; readonly epoch: number; readonly best: number };
