// What the page shows, as one value that never changes: each change is a new one. studio.ts makes them.
import type { AboutTask } from '../data/about-tasks.js';
import type { NetworkInfo } from '../web.js';
import type { SampleShape } from './input-shape.js';
import type { Lesson } from './lesson.js';
import type { Proof } from './proof.js';

export type Provider = 'wasm' | 'webgpu';

/** An answer in words, and how likely it is, as a table has it. */
export interface AnswerCell {
  readonly answer: string;
  readonly number: string;
}

export interface Answer {
  readonly task: string;
  /** Of several heads the one that answers. */
  readonly head?: string;
  /** Classes, labels or numbers in the head's order. */
  readonly entries: readonly { readonly name: string; readonly value: number }[];
  /** Of a head of each step what each of the sample's steps is; then there are no entries. */
  readonly steps?: readonly AnswerCell[];
  /** Whether the entries are probabilities. */
  readonly likely: boolean;
  /** Of the class that wins; undefined for other heads. */
  readonly best?: number;
  /** Whether the sample is unlike the column's own; undefined where nothing tells. */
  readonly strange?: boolean;
  /** The column's own samples that tell it. */
  readonly toldBy?: number;
  /** Which of the sample's numbers are far from all that the column was trained on, a line each. */
  readonly notes: readonly string[];
  readonly milliseconds: number;
  readonly provider: string;
}

/** A task's answers to all samples, where there are several. */
export interface AllAnswers {
  readonly task: string;
  /** As `predict` writes them. */
  readonly csv: () => string;
  /** Of each sample; of several heads those of each, by its name. */
  readonly heads: readonly { readonly name?: string; readonly cells: readonly AnswerCell[] }[];
  /** Which numbers of the samples, taken together, are far from all that the column was trained on, a line each. */
  readonly notes: readonly string[];
  /** Of each row; undefined where nothing tells. */
  readonly strange?: readonly boolean[];
}

export interface Training {
  readonly task: string;
  readonly stage: 'preparing' | 'training' | 'proving';
  readonly epochs: number;
  /** Of the epoch under way, from 0 to 1. */
  readonly part: number;
  readonly epoch: number;
  readonly provider: string;
  /** Steps of an epoch. */
  readonly perEpoch: number;
  /** Of each step so far; after a resumption, of those since. */
  readonly losses: readonly number[];
  readonly firstStep: number;
  readonly heldOut: readonly { readonly epoch: number; readonly accuracy: number }[];
  readonly stopping: boolean;
}

export interface Loaded {
  readonly info: NetworkInfo;
  readonly sample: SampleShape;
  /** What the network is, for people. */
  readonly title: string;
  /** What the page knows of tasks beside the network, of those that it came with. */
  readonly about: ReadonlyMap<string, AboutTask>;
  /** The sign before the decimals in the network's tables. */
  readonly decimal: '.' | ',';
}

export interface State {
  readonly phase: 'opening' | 'ready' | 'failed';
  readonly network?: Loaded;
  readonly provider: Provider;
  /** Whether the page has ONNX Runtime's files for WebGPU. */
  readonly webgpu: boolean;
  /** Samples to ask about, and the one that is asked. */
  readonly asked: readonly Float32Array[];
  readonly at: number;
  readonly answers: readonly Answer[];
  /** To every sample, where there are several; empty while they are being computed. */
  readonly all: readonly AllAnswers[];
  /** What was passed over in reading the samples. */
  readonly notes: readonly string[];
  readonly lesson: Lesson;
  /** Title of the lesson that came with the page. */
  readonly offered?: string;
  /** A training under way, or the last one as it ended. */
  readonly training?: Training | undefined;
  readonly teaching: boolean;
  /** A network is being opened or taught: no second one at the same time. */
  readonly busy: boolean;
  /** A training that another tab, or this one before, left unfinished. */
  readonly unfinished?: { readonly task: string; readonly elsewhere: boolean } | undefined;
  readonly proof?: Proof | undefined;
  /** Whether the network is other than the one the page came with. */
  readonly changed: boolean;
  /** What went wrong, by the place where it is shown. */
  readonly problems: Readonly<Partial<Record<Place, string>>>;
  /** For screen readers, and the line under the header. */
  readonly said: string;
}

/** Where a message belongs. */
export type Place = 'page' | 'network' | 'provider' | 'ask' | 'teach';
