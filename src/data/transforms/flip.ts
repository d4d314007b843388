// flip: mirror images. horizontal swaps left and right, vertical swaps top and bottom.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { mirror } from '../planes.js';
import { defineValues, imageLayout, valuesOf } from './transform.js';

const options = z
  .strictObject({
    axis: z.enum(['horizontal', 'vertical']).describe('Which way it is mirrored: horizontal swaps left and right.'),
  })
  .describe('Mirrors images.');

export const flip = defineValues('flip', options, ({ axis }, context) => (part) => {
  const from = valuesOf(part);
  const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
  mirror(from, to, imageLayout(part, 'flip', context), axis);
  return new Tensor(part.dtype, part.dims, to);
});
