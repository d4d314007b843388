// The types of descriptions for people who write or read them in TypeScript: as written (`...Input`), and checked with every default filled in.

export type { BinaryOptions } from '../heads/binary.js';
export type { ClassifyOptions } from '../heads/classify.js';
export type { FilledHeads, Head, HeadInput, Heads, HeadValues } from '../heads/heads.js';
export type { ChanceLoss, ChanceLossInput, NumberLoss, NumberLossInput } from '../heads/losses.js';
export type { MeasureName, Monitor } from '../heads/measure-names.js';
export type { RegressOptions } from '../heads/regress.js';
export type { Weighting } from '../heads/weights.js';
export type { FilledInits, Init, InitInput, Inits, InitValues } from '../nn/init.js';
export type { BatchNormOptions } from '../nn/layers/batch-norm.js';
export type { Conv2dOptions } from '../nn/layers/conv2d.js';
export type { DenseOptions } from '../nn/layers/dense.js';
export type { EmbeddingOptions } from '../nn/layers/embedding.js';
export type { LayerNormOptions } from '../nn/layers/layer-norm.js';
export type { PoolOptions } from '../nn/layers/pool.js';
export type {
  ActivationName,
  CompositeInput,
  CompositeKind,
  CompositeLayer,
  FilledLayers,
  Layer,
  LayerInput,
  Layers,
  LayerValues,
} from '../nn/layers.js';
export type { Filled, WithKind, Written, WrittenKind } from '../nn/schema.js';
export type { PaddingInput, Pads, Pair, PairInput } from '../nn/window.js';
export type { FilledSteps, Step, StepInput, Steps, StepValues } from '../prepare/prepare.js';
export type { NormaliseOptions } from '../prepare/steps/normalise.js';
export type { ResizeOptions } from '../prepare/steps/resize.js';
export type { Augmentation, AugmentationInput } from './augment-schema.js';
export type {
  ColumnDescription,
  ColumnInput,
  DataInput,
  Description,
  DescriptionInput,
  Input,
  InputInput,
} from './description.js';
export type { Feature, FeatureInput } from './features.js';
export type { ImportedInput, ImportedTap } from './imported-schema.js';
export type { AdapterInput, Laterals, LateralsInput, LinearInput, TapInput, Taps } from './lateral-schema.js';
export type {
  Clip,
  ClipInput,
  EarlyStopping,
  EarlyStoppingInput,
  Plateau,
  PlateauOptions,
  Schedule,
  ScheduleInput,
  Train,
  TrainInput,
} from './train-schema.js';
