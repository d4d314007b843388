// zoom and rotate: images resampled about their centre, bilinear, 0 outside. The four taps of each pixel are the same for all images, so they
// are found once. uint8 is rounded.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { findTaps, resample, type Taps } from '../planes.js';
import { defineValues, imageLayout, type TransformContext, type Values, valuesOf } from './transform.js';

function warp(name: string, a: number, b: number, context: TransformContext): Values {
  let taps: Taps | undefined;
  return (part) => {
    const layout = imageLayout(part, name, context);
    taps ??= findTaps(layout, a, b);
    const from = valuesOf(part);
    const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
    resample(from, to, layout, taps);
    return new Tensor(part.dtype, part.dims, to);
  };
}

/** factor above 1 enlarges and crops, below 1 shrinks within a border of zeros. */
export const zoom = defineValues(
  'zoom',
  z
    .strictObject({
      factor: z.number().positive().describe('Above 1 enlarges and crops, below 1 shrinks within a border of zeros.'),
    })
    .describe('Scales images about their centre.'),
  ({ factor }, context) => warp('zoom', 1 / factor, 0, context),
);

/** Counter-clockwise as one looks at the image. */
export const rotate = defineValues(
  'rotate',
  z
    .strictObject({ degrees: z.number().describe('Counter-clockwise as one looks at the image.') })
    .describe('Turns images about their centre.'),
  ({ degrees }, context) => {
    const angle = (degrees / 180) * Math.PI;
    return warp('rotate', Math.cos(angle), -Math.sin(angle), context);
  },
);
