// What protocols see of models, whatever answers for them: a model's signature, what it says of itself, an answer; and the host that lists, loads and
// unloads them.
import type { DType } from '../onnx/core/dtype.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** An input or an output; -1 in its shape is an open size. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** What is asked beside the inputs. */
export interface Ask {
  /** Names of outputs, all when absent. */
  readonly outputs?: readonly string[];
  /** Whether nobody waits for the answer any more; asked before it is computed. */
  readonly gone?: () => boolean;
  /** By `performance.now()`: a request that still waits then is not begun. */
  readonly deadline?: number;
}

/** Nanoseconds that parts of a request took. */
export interface Spent {
  readonly queue: number;
  readonly input: number;
  readonly infer: number;
  readonly output: number;
}

/** An answer, and how it came to be. */
export interface Answer {
  readonly outputs: Tensors;
  readonly spent: Spent;
  /** Rows of the batch that it was computed in, those of other requests included. */
  readonly batch: number;
  /** Whether it is the first of the requests of that batch: who counts batches counts these. */
  readonly first: boolean;
}

/** One model that answers. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Rows of one batch at most, of one request and of several that are joined; 0 where the first size is no batch that may be joined. */
  readonly maxBatch: number;
  /** How long a request waits for others that join its batch. */
  readonly batchDelayMicroseconds: number;
  /** What the model says of itself, by key: the metadata of its file. */
  readonly facts: Readonly<Record<string, string>>;
  /** Requests that wait or run. */
  readonly pending: number;
  /** Answers inputs that fit the signature. Throws ServeError. */
  infer(inputs: Tensors, ask: Ask): Promise<Answer>;
}

/** Whether a model answers. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING';
  /** Why it does not answer. */
  readonly reason: string;
}

/** What answers for models by their names. */
export interface ModelHost {
  /** Every model that it knows, in order of names. */
  index(): readonly IndexEntry[];
  /** The model, where it is loaded. */
  find(name: string): ServedModel | undefined;
  /** Loads a model, anew where it is loaded: requests under way end on what they began with. Throws ServeError. */
  load(name: string): Promise<void>;
  /** Takes no more requests for a model; those under way are answered. Throws ServeError. */
  unload(name: string): Promise<void>;
}

/** Whose request an input is of, for words of refusals: the model's name, and the request's id as Triton begins with it. */
export interface InputOf {
  readonly model: string;
  readonly begin: string;
}

/** What went wrong with a request, in the words that both protocols have for it. */
const kinds = {
  invalid: 400,
  forbidden: 403,
  'not-found': 404,
  'not-acceptable': 406,
  'too-large': 413,
  'media-type': 415,
  cancelled: 499,
  internal: 500,
  unsupported: 501,
  unavailable: 503,
} as const;
export type FaultKind = keyof typeof kinds;

/** A request that is not answered, and why. */
export class ServeError extends Error {
  override name = 'ServeError';
  /** Of HTTP. */
  readonly status: number;

  constructor(
    readonly kind: FaultKind,
    message: string,
    /** Seconds after which to ask again. */
    readonly retryAfter?: number,
  ) {
    super(message);
    this.status = kinds[kind];
  }
}
