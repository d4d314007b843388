// The library for browsers, `prognet/web`: a network in a worker that predicts, grows, trains and exports on the user's machine. Nothing of Node.
export * from './core/errors.js';
export { Tensor } from './core/tensor.js';
export * from './progressive/description/builder.js';
export type { ColumnInput } from './progressive/description/description.js';
export type { LateralStrength } from './progressive/lateral-strength.js';
export type { TrainEvent } from './train/loop.js';
export { begin, type OpenOptions, type OpenSource, open, type Prediction, type TrainOptions, WebNetwork } from './web/client.js';
export type { BlockInfo, NetworkInfo, RuntimeChoice, TaskInfo, Witness } from './web/protocol.js';
