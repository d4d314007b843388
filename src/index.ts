// The public library, free of Node: describe a network, grow and train it, export it. What touches files and onnxruntime-node is in
// `prognet/node`; graphs and gradients of any model are in `prognet/onnx`.

export { ortTrainingEngine } from './artifacts/session-engine.js';
export type { Dataset, Split } from './data/dataset.js';
export { dataset, type NestedNumbers, type NumberArray, type OwnData, type OwnDataOptions } from './data/own-data.js';
export type { TransformSpec } from './data/transforms/registry.js';
export * from './model/description/builder.js';
export type { Description } from './model/description/description.js';
export { parseDescription } from './model/description/parse.js';
export { readDescription } from './model/description/read-text.js';
export { type Column, type ColumnParameters, type Columns, columnsOf } from './model/progressive/column.js';
export { type FormOptions, taskModel } from './model/progressive/forms.js';
export { type FrozenWeights, initialWeights, type Weights } from './model/progressive/weights.js';
export type * from './network/growing.js';
export {
  Network,
  type NetworkOptions,
  type NetworkTrainOptions,
  type On,
  prognet,
  readNetwork,
  type TrainingGraph,
  type TrainingGraphOptions,
} from './network/network.js';
export { type Evidence, type Proof, proofOf, type TaskProof } from './network/proof.js';
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
export { OrtTraining, type TrainingPackage } from './onnx/runtime/ort-training.js';
export { type WebModules, WebRuntime } from './onnx/runtime/web.js';
export { toBinary } from './onnx/serde/to-binary.js';
export type { Engine, Minibatches } from './train/engine.js';
export type { TrainEvent } from './train/events.js';
export { type TrainResult, train } from './train/loop.js';
export { adam, adamw, type OptimizerOptions, optimizer, rmsprop, sgd } from './train/optim/optimizer.js';
export type { EngineContext, EngineMaker, TrainRequest } from './train/request.js';
export { type TrainSettings, trainSettings } from './train/settings.js';
export { stepGraph } from './train/step/step-graph.js';
export { TapCache } from './train/taps/tap-cache.js';
