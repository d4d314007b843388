// The backbone that images.mjs and routing.mjs stand on: the first seven stages of nudenet's detector (scripts/models/fetch.py fetches it), and images of 28 pixels as
// it takes them.
import { fileURLToPath } from 'node:url';
import { at } from './compare.mjs';

const { Tensor } = await import(at('dist/onnx/index.js').href);
/** Height and width of an image. */
export const side = 64;
/** Its file. */
export const backbone = fileURLToPath(at('.cache/models/packages/nudenet/nudenet/320n.onnx'));
const taps = [2, 4, 6].map((stage) => `/model.${stage}/cv2/act/Mul_output_0`);

/** How it is imported. */
export const importing = ['--taps', taps.join(), '--dim', `height=${side}`, '--dim', `width=${side}`];

/** Images [1, 28, 28] as [3, side, side]: two pixels of nothing around, each pixel twice, three channels alike. */
export function widened(images, rows) {
  const data = new Float32Array(rows.length * 3 * side * side);
  rows.forEach((row, n) => {
    for (let y = 0; y < 28; y++) {
      for (let x = 0; x < 28; x++) {
        const value = Number(images.data[row * 784 + y * 28 + x]) * (images.dtype === 'uint8' ? 1 / 255 : 1);
        for (let c = 0; c < 3; c++)
          for (const [dy, dx] of [
            [0, 0],
            [0, 1],
            [1, 0],
            [1, 1],
          ])
            data[((n * 3 + c) * side + 2 * (y + 2) + dy) * side + 2 * (x + 2) + dx] = value;
      }
    }
  });
  return new Tensor('float32', [rows.length, 3, side, side], data);
}

/** A block of a column beside it. */
export const conv = (filters) => [{ conv2d: { filters, kernel: 3, stride: 2, padding: 'same' } }, 'relu'];
