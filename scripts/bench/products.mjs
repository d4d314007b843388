// What the matrix products of a dense training come to, by the sizes of its weights: the floor under any engine.
import { columnParameters } from '../../dist/index.js';

/** Floating-point operations for one row: `forward` of a column alone, `step` of training it. Its laterals count, its sources do not. */
export function products(description, column) {
  let [forward, step] = [0, 0];
  const { specs } = columnParameters(description, column);
  const matrices = specs.filter((s) => s.shape.length === 2);
  for (const { name, shape } of matrices) {
    const product = 2 * shape[0] * shape[1];
    // Data and taps need no gradient.
    const readsInput = name.endsWith('/V') || name === matrices[0].name;
    forward += product;
    step += product * (readsInput ? 2 : 3);
  }
  return { forward, step };
}

/** The same for the last of `count` columns: a row's step, and the forward pass of what stands before it. */
export function columnProducts(description, count) {
  const frozen = Array.from({ length: count - 1 }, (_, c) => products(description, c).forward).reduce((a, b) => a + b, 0);
  return { step: products(description, count - 1).step, frozen };
}
