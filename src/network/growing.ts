// What a growing network does, wherever it lives: a value in this process (network.ts), in a page's worker (web/client.ts), or in a folder
// (tasks/workspace-network.ts). Types alone; test/contract/growing.test.ts holds all three to them.
import type { Samples } from '../data/samples.js';
import type { ColumnInput } from '../model/description/description.js';
import type { TrainInput } from '../model/description/train-schema.js';
import type { FormOptions } from '../model/progressive/forms.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { EpochRecord } from '../train/checkpoint.js';
import type { HeadEvaluation } from '../train/evaluate.js';
import type { TrainEvent } from '../train/events.js';
import type { Evidence, Proof } from './proof.js';

/** Inputs by name, each [N, ...]; or the tensor of a network's only input. float32, or uint8 that is scaled to 0..1. */
export type Inputs = Samples | Tensor;

/** Rows with their targets: int64 [N] classes for classify, float32 [N, k] for binary and regress. */
export interface GivenData {
  /** The rows' inputs. */
  readonly inputs: Inputs;
  /** The rows' targets, as many. */
  readonly targets: Tensor;
  /** Of a column with several heads: their names, in the order in which their targets stand side by side, float32 [N, ...], as `dataset` gives them. */
  readonly heads?: readonly string[];
}

/** The data of a training by their part. Without `validation`, the settings' part of `train` is set aside. */
export interface TaskData {
  /** What the column learns from. */
  readonly train: GivenData;
  /** What each epoch is measured on. */
  readonly validation?: GivenData;
  /** What the finished column is measured on. */
  readonly test?: GivenData;
}

/** How a column is trained: the settings of a description's `train`, which they override, and what follows the training. */
export interface TrainOptions extends TrainInput {
  /** Parts, or all as training data. A workspace's task has its own where this is left out. */
  readonly data?: TaskData | GivenData;
  /** Told of every epoch, and of what else happens on the way. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Whether the column is frozen when it is trained; default: it is. Else `freeze` freezes it, and until then it may be trained anew. */
  readonly freeze?: boolean;
  /** On abort the running minibatches end, a checkpoint is saved where there is a place for it, and InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

/** A finished training: the network with the column trained and, unless `freeze` was false, frozen, and what each epoch gave. */
export interface Trained<N> {
  /** The network with the column. */
  readonly network: N;
  /** A record for each epoch. */
  readonly history: readonly EpochRecord[];
  /** On the test data, where there were some. */
  readonly test?: Measured;
}

/** What a task answers for rows of inputs. */
export interface Prediction {
  /** Raw scores, float32 [N, k]; of several heads those of all side by side. */
  readonly scores: Tensor;
  /** Of several heads what each answers, by its name; then nothing but the scores stands beside it. */
  readonly heads?: Readonly<Record<string, HeadPrediction>>;
  /** Probabilities, float32 [N, k]; absent for regress. */
  readonly probabilities?: Tensor;
  /** Classes, int64 [N]; or one bool for each label, [N, k]. Absent for regress. */
  readonly labels?: Tensor;
  /** What the classes, labels or numbers are called, in the order of the scores; absent where they have no names. */
  readonly names?: readonly string[];
  /** Lines that say which numbers are far from all that the column was trained on; absent where none are. */
  readonly notes?: readonly string[];
  /** What the head read of its column, the output of the last block, [N, ...]; where it was asked for. */
  readonly tap?: Tensor;
  /** Of each row whether it is unlike the samples that the column learned from; where it was asked for and the network can tell. */
  readonly strange?: readonly boolean[];
  /** The time of the runs alone. */
  readonly milliseconds: number;
  /** The execution provider that ran. */
  readonly provider: string;
}

/** What one of several heads answers. */
export type HeadPrediction = Pick<Prediction, 'scores' | 'probabilities' | 'labels' | 'names'>;

/** What is asked for beside the answer. */
export interface PredictOptions {
  /** Whether the answer has `tap`. */
  readonly tap?: boolean;
  /** Whether the answer has `strange`, where the network knows what the column's own samples look like to it. */
  readonly marks?: boolean;
}

/** Loss and metric of a task over data. */
export interface Measured {
  /** Mean over rows. */
  readonly loss: number;
  /** `accuracy`, `label accuracy` or `mean absolute error`. */
  readonly metric: string;
  /** The metric's value: a part of the rows, or a mean error in the targets' unit. */
  readonly value: number;
  /** How many rows were measured. */
  readonly rows: number;
  /** Of several heads each by its name: then the loss is the sum of theirs by their weights, and the metric that of the first. */
  readonly heads?: Readonly<Record<string, HeadEvaluation>>;
}

/** What `verify` compares. */
export interface VerifyOptions {
  /** What every trained task is asked, of several inputs each those that it reads; left out, weights alone are compared. A workspace asks each task's own test data. */
  readonly inputs?: Inputs;
  /** What an earlier `verify` gave; left out, what was recorded when each column was frozen. */
  readonly since?: { readonly tasks: readonly Evidence[] };
  /** On abort InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

/** One task, or every trained task in one graph: all of them computed, or with `routed` the one asked for. */
export type ExportOptions = Omit<FormOptions, 'tasks'> & ({ readonly task: string } | { readonly all: true });

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Every method rejects or throws a PrognetError in one line for what it cannot take: UsageError for an unknown task. */
export interface GrowingNetwork {
  /** Tasks in the order of their columns. */
  readonly tasks: readonly string[];
  /** Whether the column of a task is trained and frozen. */
  trained(task: string): boolean;
  /** The network with one more column, untrained. What is frozen stays as it is. DescriptionError for a column that does not fit. */
  grow(column: ColumnInput): Awaitable<GrowingNetwork>;
  /** The network without its last column, which must not be frozen. */
  without(task: string): Awaitable<GrowingNetwork>;
  /** Trains a column and, unless `freeze` is false, freezes it; the network is as before when this fails. UsageError when it is frozen, or what it reads is not. */
  train(task: string, options: TrainOptions): Promise<Trained<GrowingNetwork>>;
  /** Freezes a trained column; one that is frozen already stays as it is. UsageError when it is not trained. */
  freeze(task: string): Promise<GrowingNetwork>;
  /** What a trained task answers, frozen or not. */
  predict(task: string, inputs: Inputs): Promise<Prediction>;
  /** How well a trained task answers. A workspace's task has its own test data where `data` is left out. */
  evaluate(task: string, data?: GivenData): Promise<Measured>;
  /** Whether any trained task has moved. */
  verify(options?: VerifyOptions): Promise<Proof>;
  /** The bytes of an ONNX file, weights included. */
  export(options: ExportOptions): Awaitable<Uint8Array>;
  /** The bytes of a .prognet file: the description and every frozen column. */
  save(): Promise<Uint8Array>;
  /** Gives back sessions, workers and locks; the network is not to be used after. */
  close(): Awaitable<void>;
}
