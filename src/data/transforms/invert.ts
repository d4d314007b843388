// invert: the negative. uint8: 255 - x. float32: 1 - x.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { defineValues, valuesOf } from './transform.js';

export const invert = defineValues(
  'invert',
  z.strictObject({}).describe('The negative of images: 255 - x, float32 1 - x.'),
  () => (part) => {
    const from = valuesOf(part);
    const range = from instanceof Uint8Array ? 255 : 1;
    const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
    for (let i = 0; i < from.length; i++) to[i] = range - (from[i] as number);
    return new Tensor(part.dtype, part.dims, to);
  },
);
