// flip: mirror images. horizontal swaps left and right, vertical swaps top and bottom.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { inputData } from '../dataset.js';
import { defineTransform, imageLayout, withInputs } from './transform.js';

const options = z
  .strictObject({
    axis: z.enum(['horizontal', 'vertical']).describe('Which way it is mirrored: horizontal swaps left and right.'),
  })
  .describe('Mirrors images.');

export const flip = defineTransform('flip', options, (dataset, { axis }, context) => {
  const { planes, height, width } = imageLayout(dataset, 'flip', context);
  const from = inputData(dataset);
  const to = from instanceof Uint8Array ? new Uint8Array(from) : new Float32Array(from);
  if (axis === 'horizontal') {
    for (let line = 0; line < planes * height; line++) to.subarray(line * width, (line + 1) * width).reverse();
  } else {
    for (let line = 0; line < planes * height; line++) {
      const y = line % height;
      const source = line - y + (height - 1 - y);
      to.set(from.subarray(source * width, (source + 1) * width), line * width);
    }
  }
  return withInputs(dataset, new Tensor(dataset.inputs.dtype, dataset.inputs.dims, to));
});
