// prognet/onnx/node: all of prognet/onnx, and what needs Node: models as files, weights beside them included, and onnxruntime-node.

export * from './index.js';
export { type LoadedRuntime, type LoadSettings, loadRuntime } from './runtime/load.js';
export { NodeRuntime } from './runtime/node.js';
export { loadModel as load } from './serde/external-data.js';
export { type SaveOptions, saveModel as save } from './serde/save-model.js';
