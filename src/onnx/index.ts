// prognet/onnx: ONNX graphs for people who know nothing of columns. Build, differentiate, rewrite, check, print, quantize; bytes in and out.
// Free of Node and of all packages but protobufjs and float16; files and onnxruntime-node are prognet/onnx/node's.

export type { OnRule } from './autodiff/backpropagate.js';
export { type GradOptions, grad } from './autodiff/grad.js';
export { type GradientRequest, gradient, jvp, type TangentRequest, type VectorRequest, vjp } from './autodiff/gradient.js';
export { type Alike, type Differentiable, type DifferentiableOps, type GraphOptions, graph } from './autodiff/graph.js';
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
export type { StoredBytes } from './core/stored-tensor.js';
export { Tensor, type TensorData, type TypedArray } from './core/tensor.js';
export { version } from './core/version.js';
export type { GraphBuilder, Infer, Names } from './ir/builder.js';
export {
  type Attribute,
  type AttributeKind,
  type AttributeValue,
  Graph,
  Node,
  type Restatement,
  type SparseTensor,
  type TensorLabel,
  Value,
} from './ir/graph.js';
export { formatInspection, type InitializerEntry, inspectModel, type ModelSummary, type SignatureEntry } from './ir/inspect.js';
export { cloneModel, type FunctionDef, Model } from './ir/model.js';
export { type PrintOptions, printGraph, printModel } from './ir/print.js';
export type { TensorType, Type } from './ir/types.js';
export type { AttributeInput, AttributeInputs } from './ops/attribute-inputs.js';
export type { Methods, SeveralMethods } from './ops/methods.js';
export { ops } from './ops/ops.js';
export type { Ops, OpsBuilder } from './ops/ops-builder.js';
export type { OpName } from './ops/signature.js';
export type { Method, Operand, OptionalOperand, Results } from './ops/typed-builder.js';
export { verifyModel } from './ops/verify-model.js';
export { fuse } from './passes/fuse/fuse.js';
export { inferShapes } from './passes/infer-shapes.js';
export { inlineFunctions } from './passes/inline-functions.js';
export { upgradeOpset } from './passes/opset/upgrade-opset.js';
export { optimise } from './passes/optimise.js';
export { inOrder, type Pass, type PassContext, untilStable } from './passes/pass.js';
export { removeUnused } from './passes/remove-unused.js';
export type { Batch } from './precision/calibrate.js';
export {
  type QuantizeDynamicInt8,
  type Quantized,
  type QuantizeFloat16,
  type QuantizeInt8,
  type QuantizeOptions,
  quantize,
} from './precision/quantize.js';
export type { OrtModule } from './runtime/ort-session.js';
export type * from './runtime/session.js';
export { type WebModules, WebRuntime, type WebSettings } from './runtime/web.js';
export type { ExternalReference, LoadExternal } from './serde/decoding.js';
export { type FromBinaryOptions, fromBinary } from './serde/from-binary.js';
export type { PlaceTensor } from './serde/tensor-to-proto.js';
export { toBinary } from './serde/to-binary.js';
