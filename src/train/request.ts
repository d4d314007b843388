// What a training is asked for, and what its engine is given of that.
import type { SampleSet } from '../data/dataset.js';
import type { Column } from '../model/progressive/column.js';
import type { ByInput } from '../model/progressive/inputs.js';
import type { FrozenWeights, Weights } from '../model/progressive/weights.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import type { Augmenter } from './augment/augmenter.js';
import type { CheckpointStore } from './checkpoint.js';
import type { Engine } from './engine.js';
import type { TrainEvent } from './events.js';
import type { KeptDtype } from './network-input.js';
import type { TrainSettings } from './settings.js';
import type { Penalty } from './step/penalty.js';
import type { ColumnTaps } from './taps/column-taps.js';
import type { TapCache } from './taps/tap-cache.js';
import type { TapStorage } from './taps/tapped-data.js';

/** Rows of data with their targets. */
export type TrainData = Pick<SampleSet, 'inputs' | 'targets' | 'classNames'>;

/** What the training loop takes. */
export interface TrainRequest {
  /** What runs the graphs. */
  readonly runtime: Runtime;
  /** What takes the steps; default: the step graph on `runtime`, which does all else in any case. */
  readonly engine?: EngineMaker;
  /** The column to train. */
  readonly column: Column;
  /** What the column begins with; default: drawn by the seed, as its initialisers say. */
  readonly start?: Weights;
  /** What `prepare` learned stands in `start` and stays; default: it is learned of the training data. */
  readonly prepared?: boolean;
  /** What is added to the loss of the training steps. The engine `ort` alone takes one. */
  readonly penalty?: Penalty;
  /** Weights of the earlier columns. They are read only. */
  readonly frozen: FrozenWeights;
  /** Epochs, rates and the rest, with defaults filled in. */
  readonly settings: TrainSettings;
  /** The training data. */
  readonly train: TrainData;
  /** What each epoch is measured on. */
  readonly validation?: TrainData;
  /** Providers and threads of the sessions that are made. */
  readonly session?: SessionOptions;
  /** Bytes of taps kept in memory; default 1 GiB. */
  readonly tapBudget?: number;
  /** Where taps beyond the budget go. */
  readonly tapStorage?: TapStorage;
  /** Keeps taps for the next training on the same data; without one they end with this training. */
  readonly tapCache?: TapCache;
  /** Where checkpoints are kept; without one there are none. */
  readonly store?: CheckpointStore;
  /** Told of every epoch, and of what else happens on the way. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** On abort the running chunk ends, a checkpoint is saved and InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

/** What an engine is made with. */
export interface EngineContext extends TrainRequest {
  /** What it reads of earlier columns. */
  readonly taps: ColumnTaps;
  /** How rows are varied; not at all when absent. */
  readonly augmenter?: Augmenter;
  /** dtype of each input's data as they are kept: uint8 is scaled to 0..1. */
  readonly dtypes: ByInput<KeptDtype>;
  /** Steps of the whole training. */
  readonly steps: number;
  /** The learning rate of a step, counted from 0. */
  readonly rate: (step: number) => number;
}

/** Throws UsageError for settings that the engine cannot follow. */
export type EngineMaker = (context: EngineContext) => Promise<Engine>;
