// Small changes to an example that leave its meaning: a turn, another size, a shift. For lessons of few examples.
import type { Random } from '../onnx/core/random.js';
import { type ImageShape, strides } from './input-shape.js';

const turn = (12 * Math.PI) / 180;
const stretch = 0.12;
const shift = 0.06;

/** The example seen through a random affine map, linearly interpolated; outside it is 0. */
export function varied(row: Float32Array, image: ImageShape, random: Random): Float32Array {
  const { channels, height, width } = image;
  const { pixel, channel } = strides(image);
  const between = (limit: number) => (2 * random.uniform() - 1) * limit;
  const angle = between(turn);
  const scale = 1 + between(stretch);
  const [dx, dy] = [between(shift) * width, between(shift) * height];
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const out = new Float32Array(row.length);
  for (let c = 0; c < channels; c++) {
    const at = (y: number, x: number) =>
      y < 0 || x < 0 || y >= height || x >= width ? 0 : (row[c * channel + (y * width + x) * pixel] ?? 0);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [u, v] = [x - cx - dx, y - cy - dy];
        const [sx, sy] = [cos * u + sin * v + cx, cos * v - sin * u + cy];
        const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
        const [fx, fy] = [sx - x0, sy - y0];
        const top = at(y0, x0) * (1 - fx) + at(y0, x0 + 1) * fx;
        const bottom = at(y0 + 1, x0) * (1 - fx) + at(y0 + 1, x0 + 1) * fx;
        out[c * channel + (y * width + x) * pixel] = top * (1 - fy) + bottom * fy;
      }
  }
  return out;
}
