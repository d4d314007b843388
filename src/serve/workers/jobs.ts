// What worker threads that compute are asked, and what they answer.
import type { Tensors } from '../served-model.js';
import type { AllParts } from './tensor-parts.js';

/** What to load: a model, or a fleet with so many bytes of columns. */
export type ToLoad = { readonly threads: number; readonly providers: readonly string[] } & (
  | { readonly model: Uint8Array; readonly weightsFolder?: string }
  | { readonly fleet: string; readonly memory: number }
);

/** The same, under a number. */
export type LoadJob = ToLoad & { readonly session: number };

/** Requests to answer in one run. */
export interface RunJob {
  readonly session: number;
  /** The inputs of all of them, one below the other. */
  readonly inputs: AllParts;
  /** Of each request; where there is one request alone they are not looked at. */
  readonly rows: readonly number[];
  /** Of a fleet: which column each request asks. */
  readonly columns?: readonly string[];
  readonly outputs?: readonly string[];
}

export interface Ran {
  /** The outputs of all requests, one below the other; where a column is at fault, of each request its outputs or why its column does not answer. */
  readonly answers: AllParts | readonly (AllParts | string)[];
  /** Nanoseconds. */
  readonly input: number;
  readonly infer: number;
  readonly output: number;
}

/** What runs batches: a session, or a fleet. */
export interface Runs {
  run(feeds: Tensors, job: Pick<RunJob, 'rows' | 'columns' | 'outputs'>): Promise<Tensors>;
  /** Why a column is not to be asked; undefined for an error that is no fault of a column. */
  columnFault?(error: unknown): string | undefined;
  release(): Promise<void>;
}
