// What the products of a training come to, by the sizes of its weights: the floor under any engine.
import { columnsOf } from '../../dist/index.js';

/** Places of a convolution of the benchmarks' network, by the block that its name begins with. */
const places = (name) => [28 ** 2, 14 ** 2, 7 ** 2][Number(name.split('/')[1])];

/** Floating-point operations for one row: `forward` of a column alone, `step` of training it. Its laterals count, its sources do not. */
function products(column) {
  let [forward, step] = [0, 0];
  const { specs } = column.parameters;
  const matrices = specs.filter((s) => s.shape.length === 2 || s.shape.length === 4);
  for (const { name, shape } of matrices) {
    const product = 2 * shape.reduce((a, b) => a * b, 1) * (shape.length === 4 ? places(name) : 1);
    // Data and taps need no gradient.
    const readsInput = name.endsWith('/V') || name === matrices[0].name;
    forward += product;
    step += product * (readsInput ? 2 : 3);
  }
  return { forward, step };
}

/** The same for the last of `count` columns: a row's step, and the forward pass of what stands before it. */
export function columnProducts(description, count) {
  const columns = [...columnsOf(description)].slice(0, count).map(products);
  const frozen = columns.slice(0, -1).reduce((sum, { forward }) => sum + forward, 0);
  return { step: columns.at(-1).step, frozen };
}
