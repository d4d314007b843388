// resize: images of one size to images of another, by linear interpolation.
import { Tensor } from '../../../onnx/core/tensor.js';
import { sized, spatialOf } from '../../nn/sample.js';
import { size, strict } from '../../nn/schema.js';
import { step } from '../step.js';

/** Options of `resize`. */
export interface ResizeOptions {
  /** Rows of the result. */
  height: number;
  /** Columns of the result. */
  width: number;
}

/**
 * Images [C,H,W] to another height and width, by linear interpolation between pixel centres.
 * @function
 */
export const resize = step('resize', {
  doc: 'Images [C,H,W] to another height and width, by linear interpolation between pixel centres.',
  options: strict({ height: size.describe('Rows of the result.'), width: size.describe('Columns of the result.') }),
  example: '{ resize: { height: 32, width: 32 } }',
  call: (options: ResizeOptions) => options,
  lower: ({ g }, { height, width }, x) => {
    const {
      channels,
      size: [h = 1, w = 1],
    } = spatialOf(x, 2, undefined);
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' } as const;
    if (typeof h === 'string' || typeof w === 'string') {
      const sizes = g.concat(g.slice(g.shape(x), [0], [2], [0]), [height, width], { axis: 0 });
      return sized(g.resize(x, null, null, sizes, attributes), [channels, height, width]);
    }
    const scales = g.constant(Tensor.from('float32', [1, 1, height / h, width / w]));
    return g.resize(x, null, scales, null, attributes);
  },
});
