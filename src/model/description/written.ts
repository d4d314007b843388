// The types of descriptions for people who write or read them in TypeScript: as written (`...Input`), and checked with every default filled in.

export type { BinaryOptions } from '../heads/binary.js';
export type { ClassifyOptions } from '../heads/classify.js';
export type { FilledHeads, Head, HeadInput, Heads, HeadValues, NamedHead, SeveralHeads, SingleHead } from '../heads/heads.js';
export type { ChanceLoss, ChanceLossInput, NumberLoss, NumberLossInput } from '../heads/losses.js';
export type { MeasureName, Monitor } from '../heads/measure-names.js';
export type { RegressOptions } from '../heads/regress.js';
export type { HeadsInput, WeighedHeadInput } from '../heads/several-schema.js';
export type { Weighting } from '../heads/weights.js';
export type { ActivationName } from '../nn/activation-name.js';
export type { FilledInits, Init, InitInput, Inits, InitValues } from '../nn/init.js';
export type { CompositeOptions } from '../nn/layer.js';
export type { AttentionOptions } from '../nn/layers/attention.js';
export type { BatchNormOptions } from '../nn/layers/batch-norm.js';
export type { ConcatOptions } from '../nn/layers/concat.js';
export type { ConvTranspose1dOptions } from '../nn/layers/conv-transpose1d.js';
export type { ConvTranspose2dOptions } from '../nn/layers/conv-transpose2d.js';
export type { Conv1dOptions } from '../nn/layers/conv1d.js';
export type { Conv2dOptions } from '../nn/layers/conv2d.js';
export type { Conv3dOptions } from '../nn/layers/conv3d.js';
export type { DenseOptions } from '../nn/layers/dense.js';
export type { DepthwiseConv2dOptions } from '../nn/layers/depthwise-conv2d.js';
export type { EmbeddingOptions } from '../nn/layers/embedding.js';
export type { GroupNormOptions } from '../nn/layers/group-norm.js';
export type { InstanceNormOptions } from '../nn/layers/instance-norm.js';
export type { LayerNormOptions } from '../nn/layers/layer-norm.js';
export type { AttentionOverStepsOptions, OverStepsOptions } from '../nn/layers/over-steps.js';
export type { PoolOptions } from '../nn/layers/pool.js';
export type { Pool1dOptions } from '../nn/layers/pool1d.js';
export type { Pool3dOptions } from '../nn/layers/pool3d.js';
export type { PositionalEmbeddingOptions } from '../nn/layers/positions.js';
export type { RecurrentOptions, RnnOptions } from '../nn/layers/recurrent.js';
export type { RmsNormOptions } from '../nn/layers/rms-norm.js';
export type { SqueezeExcitationOptions } from '../nn/layers/squeeze-excitation.js';
export type { TransformerDecoderOptions, TransformerEncoderOptions } from '../nn/layers/transformer.js';
export type {
  CompositeInput,
  CompositeInputOptions,
  CompositeKind,
  CompositeLayer,
  FilledLayers,
  Layer,
  LayerInput,
  Layers,
  LayerValues,
} from '../nn/layers.js';
export type { Filled, WithKind, Written, WrittenKind } from '../nn/schema.js';
export type {
  Padding1dInput,
  Padding3dInput,
  PaddingInput,
  Pads,
  Pads3d,
  Pair,
  PairInput,
  SingleInput,
  TripleInput,
} from '../nn/window.js';
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
export type { AdapterInput, Join, Laterals, LateralsInput, LinearInput, TapInput, Taps } from './lateral-schema.js';
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
export type { Lora, LoraInput, Tune, TuneInput } from './tune-schema.js';
