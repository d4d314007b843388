// The part of the library for Node: data sources, workspaces, and onnxruntime-node.
export { loadData } from './data/sources.js';
export { deployTasks } from './project/deploy.js';
export { exportWithPrecision } from './project/export-precision.js';
export { openProject } from './project/project.js';
export { trainTask } from './project/train-task.js';
export { verifyTask } from './project/verify.js';
export { loadRuntime } from './runtime/load.js';
export { NodeRuntime } from './runtime/node.js';
export { loadOrtTraining } from './runtime/ort-training-node.js';
