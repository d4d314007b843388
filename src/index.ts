// The public library, free of Node: describe a network, build its graphs, differentiate, encode. What touches files and onnxruntime-node is
// in `prognet/node`.
export * from './core/errors.js';
export { type DType } from './core/dtype.js';
export { Tensor } from './core/tensor.js';
export { gradient, type GradientRequest } from './autodiff/gradient.js';
export { Graph, Node, Value } from './ir/graph.js';
export { Model } from './ir/model.js';
export { ops, type Ops } from './ops/ops.js';
export { optimizer, type OptimizerOptions } from './optim/optimizer.js';
export * from './progressive/description/builder.js';
export type { Description } from './progressive/description/description.js';
export { parseDescription, readDescription } from './progressive/description/parse.js';
export { type FormOptions, taskModel } from './progressive/forms.js';
export { columnParameters, initialWeights, type Weights } from './progressive/parameters.js';
export { toBinary } from './serde/to-binary.js';
export { train, type TrainEvent, type TrainRequest, type TrainResult } from './train/loop.js';
export { trainSettings, type TrainSettings } from './train/settings.js';
export { stepGraph } from './train/step-graph.js';
export { version } from './version.js';
