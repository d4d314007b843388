// zoom and rotate: images resampled about their centre, bilinear, 0 outside. The four taps of each pixel are the same for all images, so they
// are found once. uint8 is rounded.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import { type Dataset, inputData } from '../dataset.js';
import { defineTransform, type ImageLayout, imageLayout, type TransformContext, withInputs } from './transform.js';

interface Taps {
  /** Four source offsets a pixel. */
  readonly at: Uint32Array;
  /** Their weights; 0 where the tap lies outside. */
  readonly weight: Float64Array;
}

/**
 * A pixel at (x, y) from the centre, y downwards, takes its value at (a x + b y, -b x + a y). Coordinates are rounded to 1e-6 so that quarter
 * turns are exact.
 */
function findTaps({ height, width }: ImageLayout, a: number, b: number): Taps {
  const at = new Uint32Array(4 * height * width);
  const weight = new Float64Array(4 * height * width);
  const snap = (v: number): number => Math.round(v * 1e6) / 1e6;
  let tap = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = column - (width - 1) / 2;
      const y = row - (height - 1) / 2;
      const sx = snap(a * x + b * y + (width - 1) / 2);
      const sy = snap(a * y - b * x + (height - 1) / 2);
      const left = Math.floor(sx);
      const top = Math.floor(sy);
      for (let corner = 0; corner < 4; corner++, tap++) {
        const c = left + (corner & 1);
        const r = top + (corner >> 1);
        if (c < 0 || c >= width || r < 0 || r >= height) continue;
        at[tap] = r * width + c;
        weight[tap] = (corner & 1 ? sx - left : 1 - (sx - left)) * (corner >> 1 ? sy - top : 1 - (sy - top));
      }
    }
  }
  return { at, weight };
}

function warp(dataset: Dataset, name: string, a: number, b: number, context: TransformContext): Dataset {
  const layout = imageLayout(dataset, name, context);
  const { at, weight } = findTaps(layout, a, b);
  const size = layout.height * layout.width;
  const from = inputData(dataset);
  const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
  const half = from instanceof Uint8Array ? 0.5 : 0;
  for (let plane = 0; plane < layout.planes; plane++) {
    const base = plane * size;
    for (let i = 0, t = 0; i < size; i++, t += 4) {
      to[base + i] =
        (weight[t] as number) * (from[base + (at[t] as number)] as number) +
        (weight[t + 1] as number) * (from[base + (at[t + 1] as number)] as number) +
        (weight[t + 2] as number) * (from[base + (at[t + 2] as number)] as number) +
        (weight[t + 3] as number) * (from[base + (at[t + 3] as number)] as number) +
        half;
    }
  }
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
