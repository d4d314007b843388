// Coloured pixels on their way to a sample: a file in any size, or the pad, made what the column's own images were.
import type { Decoding } from '../data/images/decoding.js';
import { type ImageShape, strides } from './input-shape.js';
import { type Pixels, resized } from './resample.js';

/** Grey of a colour image as of Pillow's mode L, which the column's own data are of. */
const grey = (r: number, g: number, b: number): number => (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;

/** A sample 0..1 of pixels of whatever size. */
export function sampleOf(pixels: Pixels, image: ImageShape, fit: Decoding['fit']): Float32Array {
  const { channels, height, width } = image;
  const { data } = resized(pixels, image, fit);
  const { pixel, channel } = strides(image);
  const out = new Float32Array(channels * height * width);
  for (let i = 0; i < height * width; i++) {
    const [r = 0, g = 0, b = 0, alpha = 255] = data.subarray(4 * i, 4 * i + 4);
    const values = channels === 1 ? [grey(r, g, b)] : [r, g, b, alpha].slice(0, channels);
    values.forEach((value, c) => {
      out[i * pixel + c * channel] = value / 255;
    });
  }
  return out;
}
