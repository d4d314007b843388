// The public library, free of Node: describe a network, grow and train it, export it. What touches files and onnxruntime-node is in
// `prognet/node`; graphs and gradients of any model are in `prognet/onnx`.

export { ortTrainingEngine } from './artifacts/session-engine.js';
export type { Dataset, Labelled, SampleSet, Split } from './data/dataset.js';
export {
  dataset,
  type NestedNumbers,
  type NumberArray,
  type OwnData,
  type OwnDataOptions,
  type OwnTargets,
} from './data/own-data.js';
export type { Reading, ReadingOptions } from './data/reading.js';
export type { BlockShuffle, Rows, RowsOnDisk } from './data/rows.js';
export type { SampleRows, Samples } from './data/samples.js';
export type { TransformSpec } from './data/transforms/registry.js';
export * from './model/description/builder.js';
export { parseDescription } from './model/description/parse.js';
export { readDescription } from './model/description/read-text.js';
export type { Side, Tokens } from './model/description/tokens.js';
export type * from './model/description/written.js';
export type { OwnInit, ParameterInit } from './model/nn/init.js';
export type { Size } from './model/nn/open-size.js';
export type { ParameterSpec } from './model/nn/scope.js';
export { type Column, type ColumnParameters, type Columns, columnsOf, type TapRef } from './model/progressive/column.js';
export type { ColumnFacts, DataFacts, FactsByTask, Seen, TrainedFacts } from './model/progressive/facts.js';
export { type FormOptions, taskModel } from './model/progressive/forms.js';
export type { GraphLoader, ImportedDescription, ImportedGraph } from './model/progressive/imported-graph.js';
export type { ByInput, InputDtype, NetworkInput } from './model/progressive/inputs.js';
export type { LateralStrength } from './model/progressive/lateral-strength.js';
export type { LoweredColumn, ReadInput, StepCount, TapOf, Tuned } from './model/progressive/lowering.js';
export { type FrozenWeights, initialWeights, type Weights } from './model/progressive/weights.js';
export type * from './network/growing.js';
export { Network, prognet } from './network/network.js';
export type * from './network/options.js';
export { type Evidence, type Proof, proofOf, type TaskProof } from './network/proof.js';
export { readNetwork } from './network/read-network.js';
export type { DType } from './onnx/core/dtype.js';
export {
  DataError,
  DescriptionError,
  type ErrorFields,
  InternalError,
  InterruptedError,
  ModelError,
  PrognetError,
  RuntimeError,
  ShapeError,
  TrainingError,
  UsageError,
  WorkspaceError,
} from './onnx/core/errors.js';
export type { Remedy } from './onnx/core/remedy.js';
export { Tensor } from './onnx/core/tensor.js';
export { version } from './onnx/core/version.js';
export type { Model } from './onnx/ir/model.js';
export { OrtTraining, type PackageSession, type TrainingPackage, type Values } from './onnx/runtime/ort-training.js';
export type * from './onnx/runtime/session.js';
export type { TrainingFiles, TrainingRuntime, TrainingSession } from './onnx/runtime/training-session.js';
export { type WebModules, WebRuntime, type WebSettings } from './onnx/runtime/web.js';
export { toBinary } from './onnx/serde/to-binary.js';
export type { Augmenter } from './train/augment/augmenter.js';
export type { Checkpoint, CheckpointStore, EpochRecord, TrainState, ValidationRecord } from './train/checkpoint.js';
export type { CountState } from './train/counts.js';
export type { Engine, Minibatches, StepResults } from './train/engine.js';
export type { HeadEvaluation } from './train/evaluate.js';
export type { TrainEvent } from './train/events.js';
export { type TrainResult, train } from './train/loop.js';
export type { KeptDtype } from './train/network-input.js';
export {
  adam,
  adamw,
  type Optimizer,
  type OptimizerOptions,
  optimizer,
  type Rule,
  rmsprop,
  sgd,
} from './train/optim/optimizer.js';
export type { EngineContext, EngineMaker, TrainData, TrainRequest } from './train/request.js';
export { type TrainSettings, trainSettings } from './train/settings.js';
export type { Carried as CarriedState } from './train/step/carried-state.js';
export type { Penalty } from './train/step/penalty.js';
export { type StepGraph, type StepRequest, stepGraph } from './train/step/step-graph.js';
export type { ColumnTaps, KnownTensor, OnRows, Taps } from './train/taps/column-taps.js';
export { TapCache, type TapPlace } from './train/taps/tap-cache.js';
export type { TapInput } from './train/taps/tap-inputs.js';
export type { StoredRows, TapStorage } from './train/taps/tapped-data.js';
