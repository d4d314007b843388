// The part of the library for Node: data sources, workspaces, and onnxruntime-node.
export { loadData } from './data/sources.js';
export { loadRuntime } from './onnx/runtime/load.js';
export { NodeRuntime } from './onnx/runtime/node.js';
export { loadOrtTraining } from './onnx/runtime/ort-training-node.js';
export { deployTasks } from './tasks/deploy.js';
export { exportWithPrecision } from './tasks/export-precision.js';
export { type OpenOptions, open } from './tasks/open-network.js';
export { openProject } from './tasks/project.js';
export { type SaveOptions, save } from './tasks/save-network.js';
export { trainTask } from './tasks/train-task.js';
export { verifyTask } from './tasks/verify.js';
export { WorkspaceNetwork, type WorkspaceTrainOptions } from './tasks/workspace-network.js';
