// The public library, free of Node: describe a network, build its graphs, differentiate, encode. What touches files and onnxruntime-node is
// in `prognet/node`.

export { type GradientRequest, gradient, jvp, type TangentRequest } from './autodiff/gradient.js';
export type { DType } from './core/dtype.js';
export * from './core/errors.js';
export { Tensor } from './core/tensor.js';
export { ortTraining } from './deploy/artifacts/session-engine.js';
export { type GradientModelOptions, gradientModel } from './deploy/gradient-model.js';
export { calibrate } from './deploy/precision/calibrate.js';
export { toDynamicInt8 } from './deploy/precision/dynamic-int8.js';
export { type Float16Options, toFloat16 } from './deploy/precision/float16.js';
export { prepared } from './deploy/precision/precision.js';
export { toStaticInt8 } from './deploy/precision/static-int8.js';
export { Graph, Node, Value } from './ir/graph.js';
export { Model } from './ir/model.js';
export { type Ops, ops } from './ops/ops.js';
export { adam, adamw, type OptimizerOptions, optimizer, rmsprop, sgd } from './optim/optimizer.js';
export * from './progressive/description/builder.js';
export type { Description } from './progressive/description/description.js';
export { parseDescription, readDescription } from './progressive/description/parse.js';
export { type FormOptions, taskModel } from './progressive/forms.js';
export { columnParameters, initialWeights, type Weights } from './progressive/parameters.js';
export { OrtTraining, type TrainingPackage } from './runtime/ort-training.js';
export { type WebModules, WebRuntime } from './runtime/web.js';
export { fromBinary } from './serde/from-binary.js';
export { toBinary } from './serde/to-binary.js';
export type { Engine, EngineContext, EngineMaker, Minibatches } from './train/engine.js';
export { type TrainEvent, type TrainRequest, type TrainResult, train } from './train/loop.js';
export {
  type ExportOptions,
  type GrowOptions,
  Network,
  type NetworkOptions,
  prognet,
  type TrainingGraphOptions,
} from './train/network.js';
export { type TrainSettings, trainSettings } from './train/settings.js';
export { stepGraph } from './train/step-graph.js';
export { TapCache } from './train/tap-cache.js';
export { version } from './version.js';
