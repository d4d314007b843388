// What a network in the hand of a program is made, trained and asked with. Types alone.
import type { DescriptionInput } from '../model/description/description.js';
import type { Clip } from '../model/description/train-schema.js';
import type { DType } from '../onnx/core/dtype.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import type { OptimizerOptions } from '../train/optim/optimizer.js';
import type { TrainRequest } from '../train/request.js';
import type { StepGraph } from '../train/step/step-graph.js';
import type { TrainOptions } from './growing.js';

/** What a network is before it has columns. `name` is the ONNX graph's name. */
export type NetworkOptions = Omit<DescriptionInput, 'prognet' | 'name' | 'columns'> & { readonly name?: string };

/** The form of a training graph. */
export interface TrainingGraphOptions {
  /** The rule of an update: `adam()`, `sgd({ lr: 0.1 })`. */
  readonly optimizer: OptimizerOptions;
  /** Sizes of the network's inputs that are open, by their names. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Rows of a minibatch; left out, the graph takes any. */
  readonly batch?: number;
  /** How gradients are bounded; not at all when absent. */
  readonly clip?: Clip;
  /** dtype of the data input: uint8 is scaled to 0..1 in the graph. Default float32. */
  readonly dataType?: Extract<DType, 'float32' | 'uint8'>;
}

/** A step graph with what it is fed each step beside data. */
export interface TrainingGraph extends StepGraph {
  /** The row of `step/scalars` for a step, counted from 1, at a rate (default: the optimizer's own). */
  readonly scalars: (step: number, rate?: number) => readonly number[];
}

/** Where a network's graphs run, unless it was bound to a runtime by `on`. */
export interface On {
  /** Such as `NodeRuntime.load()` of prognet/node gives. */
  readonly on?: Runtime;
  /** Providers and threads of the sessions that are made. */
  readonly session?: SessionOptions;
}

/** Training in this process: beside the settings, what the loop takes (train/loop.ts). */
export type NetworkTrainOptions = TrainOptions &
  On &
  Pick<TrainRequest, 'engine' | 'tapBudget' | 'tapStorage' | 'tapCache' | 'store'>;
