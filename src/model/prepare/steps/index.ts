// The list of steps, each by its name. What follows from it is in prepare.ts.
export { fill } from './fill.js';
export { normalise } from './normalise.js';
export { oneHot } from './one-hot.js';
export { resize } from './resize.js';
export { scale } from './scale.js';
export { standardise } from './standardise.js';
export { transpose } from './transpose.js';
