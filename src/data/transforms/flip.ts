// flip: mirror images. horizontal swaps left and right, vertical swaps top and bottom.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { inputData } from '../dataset.js';
import { mirror } from '../planes.js';
import { defineTransform, imageLayout, withInputs } from './transform.js';

const options = z
  .strictObject({
    axis: z.enum(['horizontal', 'vertical']).describe('Which way it is mirrored: horizontal swaps left and right.'),
  })
  .describe('Mirrors images.');

export const flip = defineTransform('flip', options, (dataset, { axis }, context) => {
  const layout = imageLayout(dataset, 'flip', context);
  const from = inputData(dataset);
  const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
  mirror(from, to, layout, axis);
  return withInputs(dataset, new Tensor(dataset.inputs.dtype, dataset.inputs.dims, to));
});
