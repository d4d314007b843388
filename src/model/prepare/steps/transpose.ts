// transpose: the axes of a sample in another order.
import * as z from 'zod';
import { ShapeError } from '../../../onnx/core/errors.js';
import { sampleDims } from '../../nn/sample.js';
import { integer, strict } from '../../nn/schema.js';
import { step } from '../step.js';

/**
 * The axes of a sample in another order: [2, 0, 1] makes [C,H,W] of [H,W,C].
 * @function
 */
export const transpose = step('transpose', {
  doc: 'The axes of a sample in another order: [2, 0, 1] makes [C,H,W] of [H,W,C].',
  options: strict({
    axes: z
      .array(integer(0, 'the number of an axis, from 0'), { error: 'a list of axes' })
      .min(1, { error: 'at least one axis' })
      .describe('Axes of a sample, from 0 and without the batch, in their new order.'),
  }),
  main: 'axes',
  example: '{ transpose: [2, 0, 1] }',
  call: (axes: number[]) => ({ axes }),
  lower: ({ g }, { axes }, x) => {
    const dims = sampleDims(x);
    if (axes.toSorted().join() !== dims.map((_, i) => i).join()) {
      throw new ShapeError(`axes [${axes}] are no order of the axes of a sample [${dims}]`, {
        expected: `0..${dims.length - 1}, each once`,
        got: `[${axes}]`,
      });
    }
    return g.transpose(x, { perm: [0, ...axes.map((axis) => axis + 1)] });
  },
});
