// prognet/onnx: ONNX graphs for people who know nothing of columns. Build, differentiate, rewrite, check, print, quantize; bytes in and out.
// Free of Node and of all packages but protobufjs and float16; files and onnxruntime-node are prognet/onnx/node's.

export { type GradOptions, grad } from './autodiff/grad.js';
export { type GradientRequest, gradient, jvp, type TangentRequest, type VectorRequest, vjp } from './autodiff/gradient.js';
export { type DifferentiableOps, type GraphOptions, graph } from './autodiff/graph.js';
export type { DType } from './core/dtype.js';
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
} from './core/errors.js';
export type { Remedy } from './core/remedy.js';
export type { Dim, Shape } from './core/shape.js';
export { Tensor, type TensorData } from './core/tensor.js';
export { version } from './core/version.js';
export { type Attribute, Graph, Node, Value } from './ir/graph.js';
export { formatInspection, inspectModel, type ModelSummary } from './ir/inspect.js';
export { cloneModel, type FunctionDef, Model } from './ir/model.js';
export { printGraph, printModel } from './ir/print.js';
export type { TensorType, Type } from './ir/types.js';
export { ops } from './ops/ops.js';
export type { Ops } from './ops/ops-builder.js';
export { verifyModel } from './ops/verify-model.js';
export { fuse } from './passes/fuse/fuse.js';
export { inferShapes } from './passes/infer-shapes.js';
export { inlineFunctions } from './passes/inline-functions.js';
export { upgradeOpset } from './passes/opset/upgrade-opset.js';
export { optimise } from './passes/optimise.js';
export { inOrder, type Pass, type PassContext, untilStable } from './passes/pass.js';
export { removeUnused } from './passes/remove-unused.js';
export type { Batch } from './precision/calibrate.js';
export { type Quantized, type QuantizeOptions, quantize } from './precision/quantize.js';
export type { Runtime, Session, SessionOptions } from './runtime/session.js';
export { type WebModules, WebRuntime } from './runtime/web.js';
export { type FromBinaryOptions, fromBinary } from './serde/from-binary.js';
export { toBinary } from './serde/to-binary.js';
