// What page and worker say to each other. Everything here survives structured cloning once its tensors are taken apart (crossing.ts).

import type { Decoding } from '../data/images/decoding.js';
import type { ColumnInput } from '../model/description/description.js';
import type { Feature } from '../model/description/features.js';
import type { TrainInput } from '../model/description/train-schema.js';
import type { AnswerKind } from '../model/heads/head.js';
import type { AnyHeadKind, HeadKind } from '../model/heads/heads.js';
import type { LateralStrength } from '../model/progressive/lateral-strength.js';
import type {
  ExportOptions,
  GivenData,
  Inputs,
  Measured,
  Prediction,
  PredictOptions,
  TaskData,
  Trained,
  VerifyOptions,
} from '../network/growing.js';
import type { NetworkOptions } from '../network/options.js';
import type { Proof } from '../network/proof.js';
import type { DType } from '../onnx/core/dtype.js';
import type { PlainError } from '../onnx/core/plain-error.js';
import type { RuntimeSettings, Selection } from '../onnx/runtime/session.js';
import type { TrainEvent } from '../train/events.js';

/** A task of the network, for display. */
export interface TaskInfo {
  /** The task. */
  readonly task: string;
  /** Whether its column is frozen. */
  readonly trained: boolean;
  /** Its column is trained and not frozen: it answers, and may be trained anew. */
  readonly unfrozen?: true;
  /** What it predicts, or "several". */
  readonly head: AnyHeadKind;
  /** Of several heads each, in the order in which their scores stand side by side; absent of one. */
  readonly heads?: readonly HeadInfo[];
  /** What its labels are: a class, or a flag for each output; absent where the scores are the answer. */
  readonly answers?: AnswerKind;
  /** "step": it answers each step of a sequence, scores are [N, T, outputs]; absent where it answers samples. */
  readonly each?: 'step';
  /** Classes, labels or numbers. */
  readonly outputs: number;
  /** What the classes are called, where the description says so. */
  readonly names?: readonly string[];
  /** How many parameters its column has. */
  readonly parameters: number;
  /** Empty for an ONNX model. */
  readonly blocks: readonly BlockInfo[];
  /** What it hears of earlier columns; empty while it is not trained. */
  readonly laterals: readonly LateralStrength[];
  /** The inputs that it reads, of those of the network. */
  readonly inputs: readonly string[];
  /** How many samples of its own tell which answers `predict` marks as strange; absent where nothing tells. */
  readonly markedBy?: number;
}

/** One of several heads, for display. */
export interface HeadInfo extends Pick<TaskInfo, 'answers' | 'outputs' | 'names'> {
  /** What it is called. */
  readonly name: string;
  /** What it predicts. */
  readonly head: HeadKind;
}

/** A block of a column, for display. */
export interface BlockInfo {
  /** `conv2d 16`, `relu`, ... */
  readonly layers: readonly string[];
  /** Of its tap, without the batch; a size that is open has its name. */
  readonly shape: readonly (number | string)[];
}

/** An input of a network. */
export interface InputInfo {
  /** Its name. */
  readonly name: string;
  /** Of its elements. */
  readonly dtype: DType;
  /** Without the batch; null stands for a size that is open. */
  readonly shape: readonly (number | null)[];
  /** What its numbers are, of a table. */
  readonly features?: readonly Feature[];
  /** A column prepares it, so that bytes are not scaled for a network of float32. */
  readonly prepared?: boolean;
  /** Every column fills values that are missing. */
  readonly fills?: boolean;
  /** How image files became the samples that a column was trained on. */
  readonly decoding?: Decoding;
  /** Between which values all of those lay, where that is known. */
  readonly range?: readonly [number, number];
}

/** What a worker holds, told after everything that changes it. */
export interface NetworkInfo {
  /** What the network is called. */
  readonly name: string;
  /** What it takes; of several inputs the first. */
  readonly input: InputInfo;
  /** All that it takes. */
  readonly inputs: readonly InputInfo[];
  /** Its tasks, in the order of their columns. */
  readonly tasks: readonly TaskInfo[];
  /** False for an ONNX model, which answers but has no description to grow by. */
  readonly growable: boolean;
  /** ONNX Runtime's name and version. */
  readonly runtime: string;
  /** The execution provider in use. */
  readonly provider: string;
  /** Providers that were wished for and do not work here, each with the reason. */
  readonly refused: Selection['refused'];
}

/** Where a network comes from: a .prognet file or an ONNX model, or nothing but its input. */
export type Source =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly name: string }
  | { readonly kind: 'new'; readonly options: NetworkOptions };

export interface RuntimeChoice extends RuntimeSettings {
  /** `webgpu,wasm`, as on the command line. Default wasm. */
  readonly provider?: string;
  /** Threads of wasm; more than one needs a cross-origin isolated page. */
  readonly threads?: number;
  /** Where onnxruntime-web's .wasm files lie, when not beside its modules. */
  readonly wasmPaths?: string;
}

export interface TrainCall {
  readonly task: string;
  readonly data: TaskData | GivenData;
  readonly settings: TrainInput;
  /** false: the column is left trained, to be frozen by a call of its own. */
  readonly freeze?: boolean;
  readonly marks?: boolean;
  /** Keeps checkpoints in the browser's database under this name, and goes on from there. */
  readonly checkpoint?: string;
}

/** The calls and what they give. */
export interface Calls {
  open: (args: { readonly source: Source; readonly runtime: RuntimeChoice }) => Promise<NetworkInfo>;
  grow: (args: { readonly column: ColumnInput }) => Promise<NetworkInfo>;
  without: (args: { readonly task: string }) => Promise<NetworkInfo>;
  train: (args: TrainCall, onEvent: (event: TrainEvent) => void, signal: AbortSignal) => Promise<Trained<NetworkInfo>>;
  freeze: (args: { readonly task: string }) => Promise<NetworkInfo>;
  forget: (args: { readonly checkpoint: string }) => Promise<void>;
  predict: (args: { readonly task: string; readonly inputs: Inputs } & PredictOptions) => Promise<Prediction>;
  evaluate: (args: { readonly task: string; readonly data: GivenData | undefined }) => Promise<Measured>;
  verify: (args: Omit<VerifyOptions, 'signal'>, onEvent: (event: never) => void, signal: AbortSignal) => Promise<Proof>;
  export: (args: ExportOptions) => Promise<Uint8Array>;
  save: (args: Record<string, never>) => Promise<Uint8Array>;
}

export type CallName = keyof Calls;
export type CallArgs<K extends CallName> = Parameters<Calls[K]>[0];
export type CallResult<K extends CallName> = Awaited<ReturnType<Calls[K]>>;

export type ToWorker =
  | { readonly id: number; readonly call: CallName; readonly args: unknown }
  /** Stops the call of that id. */
  | { readonly abort: number };

export type FromWorker =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly id: number; readonly event: TrainEvent };

/** Why threads of wasm cannot start: their own error, which reaches the page with its words or as an event alone. */
export const threadsRefused =
  "ONNX Runtime's threads were started from prognet's worker, because both were bundled into one script: in Vite set worker.format to 'es', or open with { threads: 1 }";
