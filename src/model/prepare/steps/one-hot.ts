// one_hot: categories as rows of 0 and 1.

import { ShapeError } from '../../../onnx/core/errors.js';
import { Tensor } from '../../../onnx/core/tensor.js';
import { strict } from '../../nn/schema.js';
import { step } from '../step.js';

/**
 * Each category of a table as as many numbers as it has texts, 1 at its own and 0 elsewhere, all 0 for a text that is none of them. Numbers stay.
 * @function
 */
export const oneHot = step('one_hot', {
  doc: 'Each category of a table as as many numbers as it has texts, 1 at its own and 0 elsewhere, all 0 for a text that is none of them. Numbers stay.',
  options: strict({}),
  call: () => ({}),
  takesCategories: true,
  lower: ({ g, categories }, _, x) => {
    if (categories === undefined)
      throw new ShapeError('there are no categories, expected "features" of the input such as { city: [Basel, Bern] }', {
        expected: 'categories',
      });
    // Each feature as often as it has texts, each copy beside the index that it stands for: equal or not.
    const copies = categories.flatMap((count, place) =>
      count === 0
        ? [{ place, index: 0, category: false }]
        : Array.from({ length: count }, (_, index) => ({ place, index, category: true })),
    );
    const row = (values: readonly number[]) => g.constant(Tensor.from('float32', values, [1, copies.length]));
    const spread = g.gather(x, g.ints(copies.map(({ place }) => place)), { axis: 1 });
    const hit = g.cast(g.equal(spread, row(copies.map(({ index }) => index))), { to: 'float32' });
    if (copies.every(({ category }) => category)) return hit;
    const isCategory = g.constant(
      new Tensor(
        'bool',
        [1, copies.length],
        Uint8Array.from(copies, ({ category }) => Number(category)),
      ),
    );
    return g.where(isCategory, hit, spread);
  },
});
