// An image brought to another size as sharp does it, up to rounding: what is much too large is first averaged over whole pixels, then Lanczos with
// three lobes; what is too small is enlarged by cubics. For images that are asked about as a column's own were decoded.
import type { Decoding } from '../data/images/decoding.js';

/** RGBA, 0 to 255, row after row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

const lobes = 3;
/** libvips averages whole pixels first, as long as this many remain for each of the result. */
const gap = 2;

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x: number): number => (Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0);

function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

/** For each of `size` places the first source pixel that counts and the weights from it on. `left` is where the result begins in the source. */
function tapsOf(size: number, shrink: number, left: number): { first: number; weights: number[] }[] {
  const [kernel, reach, wide] = shrink > 1 ? [lanczos, lobes * shrink, shrink] : [cubic, 2, 1];
  return Array.from({ length: size }, (_, i) => {
    // What is enlarged begins half a pixel before the image.
    const at = shrink > 1 ? (i + 0.5) * shrink - 0.5 + left : i * shrink - 0.5;
    const first = Math.ceil(at - reach);
    const weights = Array.from({ length: Math.floor(at + reach) - first + 1 }, (_, j) => kernel((first + j - at) / wide));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
}

/** Along one axis: `step` bytes lie between neighbours on it; lines are told by where they begin. */
function along(
  data: Uint8ClampedArray,
  out: Uint8ClampedArray,
  lines: readonly (readonly [from: number, to: number])[],
  steps: readonly [from: number, to: number],
  length: number,
  taps: ReturnType<typeof tapsOf>,
): void {
  for (const [from, to] of lines)
    taps.forEach(({ first, weights }, i) => {
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        weights.forEach((weight, j) => {
          const at = Math.min(length - 1, Math.max(0, first + j));
          sum += weight * (data[from + at * steps[0] + c] ?? 0);
        });
        out[to + i * steps[1] + c] = sum;
      }
    });
}

function scaled({ width, height, data }: Pixels, vertical: boolean, size: number, shrink: number, left: number): Pixels {
  const from = vertical ? height : width;
  const made = { width: vertical ? width : size, height: vertical ? size : height };
  const out = new Uint8ClampedArray(4 * made.width * made.height);
  const count = vertical ? width : height;
  const lines = Array.from({ length: count }, (_, i) =>
    vertical ? ([4 * i, 4 * i] as const) : ([4 * i * width, 4 * i * made.width] as const),
  );
  const steps = vertical ? ([4 * width, 4 * made.width] as const) : ([4, 4] as const);
  along(data, out, lines, steps, from, tapsOf(size, shrink, left));
  return { ...made, data: out };
}

/** Means of whole pixels along one axis; the last may be of fewer. */
function averaged({ width, height, data }: Pixels, vertical: boolean, by: number): Pixels {
  const from = vertical ? height : width;
  const size = Math.ceil(from / by);
  const made = { width: vertical ? width : size, height: vertical ? size : height };
  const out = new Uint8ClampedArray(4 * made.width * made.height);
  for (let y = 0; y < made.height; y++)
    for (let x = 0; x < made.width; x++)
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        for (let k = 0; k < by; k++) {
          const sx = vertical ? x : Math.min(width - 1, x * by + k);
          const sy = vertical ? Math.min(height - 1, y * by + k) : y;
          sum += data[4 * (sy * width + sx) + c] ?? 0;
        }
        out[4 * (y * made.width + x) + c] = sum / by;
      }
  return { ...made, data: out };
}

/** Makes one axis smaller. */
function reduced(pixels: Pixels, vertical: boolean, size: number, shrink: number): Pixels {
  if (shrink <= 1) return pixels;
  const by = Math.max(1, Math.floor(shrink / gap));
  // What rounding of the size leaves over is parted between both ends.
  const left = ((vertical ? pixels.height : pixels.width) - size * shrink) / 2;
  return scaled(by > 1 ? averaged(pixels, vertical, by) : pixels, vertical, size, shrink / by, left / by);
}

/** The part of an image that begins at (left, top); outside it is black. */
function part(pixels: Pixels, left: number, top: number, width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = [x + left, y + top];
      const within = sx >= 0 && sy >= 0 && sx < pixels.width && sy < pixels.height;
      const at = 4 * (sy * pixels.width + sx);
      data.set(within ? pixels.data.subarray(at, at + 4) : [0, 0, 0, 255], 4 * (y * width + x));
    }
  return { width, height, data };
}

/** The image at the size of the decoding, made to fit as it says: cut, with black beside it, or stretched. */
export function resized(pixels: Pixels, { width, height }: { width: number; height: number }, fit: Decoding['fit']): Pixels {
  if (pixels.width === width && pixels.height === height) return pixels;
  let [across, down] = [pixels.width / width, pixels.height / height];
  if (fit === 'cover') across = down = Math.min(across, down);
  if (fit === 'contain') across = down = Math.max(across, down);
  const size = { width: Math.round(pixels.width / across), height: Math.round(pixels.height / down) };
  let made = reduced(reduced(pixels, true, size.height, down), false, size.width, across);
  // libvips enlarges both axes at once: one that keeps its size is moved by half a pixel with the other.
  if (across < 1 || down < 1)
    made = scaled(scaled(made, true, size.height, Math.min(1, down), 0), false, size.width, Math.min(1, across), 0);
  if (made.width === width && made.height === height) return made;
  const offset = (have: number, want: number) =>
    have > want ? Math.floor((have - want + 1) / 2) : -Math.floor((want - have) / 2);
  return part(made, offset(made.width, width), offset(made.height, height), width, height);
}
