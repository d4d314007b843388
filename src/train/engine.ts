// What does the minibatches of a training. The loop (loop.ts) decides on order, rates, epochs, checkpoints and when to stop; an engine takes
// steps: the step graph on any runtime (step-engine.ts), or ONNX Runtime's TrainingSession (artifacts/session-engine.ts).
import type { Tensor } from '../onnx/core/tensor.js';

/** Minibatches of one size, one after another. */
export interface Minibatches {
  /** The epoch that they are of, from 0. */
  readonly epoch: number;
  /** Updates done before the first of them. */
  readonly first: number;
  /** How many there are. */
  readonly count: number;
  /** Rows of each minibatch. */
  readonly size: number;
  /** `count * size` rows of the training data. */
  readonly rows: Uint32Array;
  /** Seed of dropout, for each minibatch. */
  readonly seeds: BigInt64Array;
}

/** What steps gave. */
export interface StepResults {
  /** Of each step. */
  readonly losses: Float32Array;
  /** How the rows were answered before the step that learned of them: scores [n, width] and targets, in order. Absent where nobody can tell. */
  readonly answers?: readonly { readonly scores: Tensor; readonly targets: Tensor }[];
}

/** What takes the steps of a training. */
export interface Engine {
  /** Bytes of taps that it keeps in memory. */
  readonly tapBytes: number;
  /** Takes parameters and, after `step` updates, the optimizer's state as `read` gave them. Called once, before any step. */
  begin(tensors: ReadonlyMap<string, Tensor>, step: number): Promise<void>;
  /** Takes these steps. */
  run(minibatches: Minibatches): Promise<StepResults>;
  /** Parameters, statistics and optimizer state as they are now: what a checkpoint holds. */
  read(): Promise<ReadonlyMap<string, Tensor>>;
  /** Gives its memory back. */
  release(): Promise<void>;
}
