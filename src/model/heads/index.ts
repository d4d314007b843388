// The list of heads, each by its name. What follows from it is in heads.ts.
export { binary } from './binary.js';
export { classify } from './classify.js';
export { none } from './none.js';
export { regress } from './regress.js';
