// zoom and rotate: images resampled about their centre, bilinear, 0 outside. The four taps of each pixel are the same for all images, so they
// are found once. uint8 is rounded.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { type Dataset, inputData } from '../dataset.js';
import { findTaps, resample } from '../planes.js';
import { defineTransform, imageLayout, type TransformContext, withInputs } from './transform.js';

function warp(dataset: Dataset, name: string, a: number, b: number, context: TransformContext): Dataset {
  const layout = imageLayout(dataset, name, context);
  const from = inputData(dataset);
  const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
  resample(from, to, layout, findTaps(layout, a, b));
  return withInputs(dataset, new Tensor(dataset.inputs.dtype, dataset.inputs.dims, to));
}

/** factor above 1 enlarges and crops, below 1 shrinks within a border of zeros. */
export const zoom = defineTransform(
  'zoom',
  z
    .strictObject({
      factor: z.number().positive().describe('Above 1 enlarges and crops, below 1 shrinks within a border of zeros.'),
    })
    .describe('Scales images about their centre.'),
  (dataset, { factor }, context) => warp(dataset, 'zoom', 1 / factor, 0, context),
);

/** Counter-clockwise as one looks at the image. */
export const rotate = defineTransform(
  'rotate',
  z
    .strictObject({ degrees: z.number().describe('Counter-clockwise as one looks at the image.') })
    .describe('Turns images about their centre.'),
  (dataset, { degrees }, context) => {
    const angle = (degrees / 180) * Math.PI;
    return warp(dataset, 'rotate', Math.cos(angle), -Math.sin(angle), context);
  },
);
