// The library for browsers, `prognet/web`: a network in a worker that predicts, grows, trains and exports on the user's machine. Nothing of Node.

export type { BlobLike, MessageLike, WorkerLike } from './browser/platform.js';
export * from './model/description/builder.js';
export type * from './model/description/written.js';
export type { AnswerKind } from './model/heads/head.js';
export type { LateralStrength } from './model/progressive/lateral-strength.js';
export type * from './network/growing.js';
export type { Evidence, Proof, TaskProof } from './network/proof.js';
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
export type { EpochRecord } from './train/checkpoint.js';
export type { TrainEvent } from './train/events.js';
export { begin, type OpenOptions, type OpenSource, open, WebNetwork, type WebTrainOptions } from './web/client.js';
export type { BlockInfo, HeadInfo, InputInfo, NetworkInfo, RuntimeChoice, TaskInfo } from './web/protocol.js';
export { type TableRows, type TableTextOptions, tableRows } from './web/table-rows.js';
