// The public library, free of Node: describe a network, build its graphs, differentiate, encode. What touches files and onnxruntime-node is
// in `prognet/node`.

export { ortTraining } from './artifacts/session-engine.js';
export * from './model/description/builder.js';
export type { Description } from './model/description/description.js';
export { parseDescription, readDescription } from './model/description/parse.js';
export { type FormOptions, taskModel } from './model/progressive/forms.js';
export { columnParameters, initialWeights, type Weights } from './model/progressive/parameters.js';
export {
  type ExportOptions,
  type GrowOptions,
  Network,
  type NetworkOptions,
  prognet,
  type TrainingGraphOptions,
} from './network/network.js';
export { type GradientRequest, gradient, jvp, type TangentRequest } from './onnx/autodiff/gradient.js';
export { type GradientModelOptions, gradientModel } from './onnx/autodiff/gradient-model.js';
export type { DType } from './onnx/core/dtype.js';
export * from './onnx/core/errors.js';
export { Tensor } from './onnx/core/tensor.js';
export { version } from './onnx/core/version.js';
export { Graph, Node, Value } from './onnx/ir/graph.js';
export { Model } from './onnx/ir/model.js';
export { type Ops, ops } from './onnx/ops/ops.js';
export { calibrate } from './onnx/precision/calibrate.js';
export { toDynamicInt8 } from './onnx/precision/dynamic-int8.js';
export { type Float16Options, toFloat16 } from './onnx/precision/float16.js';
export { prepared } from './onnx/precision/precision.js';
export { toStaticInt8 } from './onnx/precision/static-int8.js';
export { OrtTraining, type TrainingPackage } from './onnx/runtime/ort-training.js';
export { type WebModules, WebRuntime } from './onnx/runtime/web.js';
export { fromBinary } from './onnx/serde/from-binary.js';
export { toBinary } from './onnx/serde/to-binary.js';
export type { Engine, EngineContext, EngineMaker, Minibatches } from './train/engine.js';
export { type TrainEvent, type TrainRequest, type TrainResult, train } from './train/loop.js';
export { adam, adamw, type OptimizerOptions, optimizer, rmsprop, sgd } from './train/optim/optimizer.js';
export { type TrainSettings, trainSettings } from './train/settings.js';
export { stepGraph } from './train/step/step-graph.js';
export { TapCache } from './train/taps/tap-cache.js';
