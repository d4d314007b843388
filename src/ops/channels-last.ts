// Images with their channels last, and the windows of a convolution over them as the rows of a matrix: what ONNX Runtime multiplies fast,
// and copies fast, a run of channels at a time.
import { Tensor } from '../core/tensor.js';
import type { Value } from '../ir/graph.js';
import type { Ops } from './ops.js';
import type { Window } from './window.js';

/** [N, C, spatial...] to [N, places, C]. */
export function channelsLast(g: Ops, x: Value, channels: number): Value {
  return g.transpose(g.reshape(x, g.ints([0, channels, -1])), { perm: [0, 2, 1] });
}

/**
 * The windows of an image given as rows [N, sizes, C], all sizes in one: [N places, kernel C], a window's elements in the order of the kernel,
 * channels fastest. `chosen`: only these places, row-major numbers, in this order. `at`: where each row of the image stands, in order otherwise.
 */
export function windows(
  g: Ops,
  image: Value,
  sizes: readonly number[],
  places: readonly number[],
  w: Window,
  chosen?: readonly number[],
  at?: readonly number[],
): Value {
  const area = sizes.reduce((a, b) => a * b, 1);
  const channels = Number(image.shape?.[2]);
  const taps = w.kernel.reduce((a, b) => a * b, 1);
  const all = windowIndex(sizes, places, w, area);
  const seen = chosen === undefined ? all : chosen.flatMap((p) => [...all.subarray(p * taps, (p + 1) * taps)]);
  const index = BigInt64Array.from(seen, (row) => BigInt(at?.[Number(row)] ?? row));
  let rows = image;
  // One more row, of zeros, is what windows see of the padding.
  if (index.includes(BigInt(area))) rows = g.pad(rows, g.ints([0, 0, 0, 0, 1, 0]));
  // Windows of one element each, at every place: the rows themselves.
  if (taps === 1 && index.every((at, i) => at === BigInt(i)) && index.length === area)
    return g.reshape(rows, g.ints([-1, channels]));
  const gathered = g.gather(rows, g.constant(new Tensor('int64', [index.length], index), 'windows'), { axis: 1 });
  return g.reshape(gathered, g.ints([-1, taps * channels]));
}

/** For each place and each element of its window the row of the image, row-major; `outside` for padding. */
function windowIndex(sizes: readonly number[], places: readonly number[], w: Window, outside: number): BigInt64Array {
  const perAxis = sizes.map((size, i) =>
    Array.from({ length: places[i] ?? 1 }, (_, p) =>
      Array.from({ length: w.kernel[i] ?? 1 }, (_, k) => {
        const at = p * (w.strides[i] ?? 1) + k * (w.dilations[i] ?? 1) - (w.pads?.[i] ?? 0);
        return at >= 0 && at < size ? at : -1;
      }),
    ),
  );
  let rows: number[][] = [[0]];
  perAxis.forEach((axis, i) => {
    const size = sizes[i] ?? 1;
    rows = rows.flatMap((window) =>
      axis.map((line) => window.flatMap((at) => line.map((k) => (at < 0 || k < 0 ? -1 : at * size + k)))),
    );
  });
  return BigInt64Array.from(rows.flat(), (at) => BigInt(at < 0 ? outside : at));
}

/**
 * The elements of windows that tile an image of two spatial axes (window.ts, `tiles`), given as rows [N, sizes, C]: for each of the kernel's elements
 * what all windows have there, [N, places, C], `places` being those of the windows.
 */
export function tileElements(g: Ops, image: Value, places: readonly number[], kernel: readonly number[]): Value[] {
  return tileRows(places, kernel).map((rows) => g.gather(image, indexOf(g, rows), { axis: 1 }));
}

/** The image that has these elements. */
export function fromTileElements(
  g: Ops,
  elements: readonly Value[],
  places: readonly number[],
  kernel: readonly number[],
): Value {
  return g.gather(g.concat(...elements, { axis: 1 }), indexOf(g, rowsInTiles(places, kernel)), { axis: 1 });
}

/** Where each row of the image stands among those of its elements one after another. */
export function rowsInTiles(places: readonly number[], kernel: readonly number[]): number[] {
  const back: number[] = [];
  tileRows(places, kernel)
    .flat()
    .forEach((row, at) => {
      back[row] = at;
    });
  return back;
}

// Gather runs on all threads, which Slice and Concat with steps do not.
const indexOf = (g: Ops, rows: readonly number[]): Value => g.constant(Tensor.from('int64', rows), 'tiles');

/** For each element of windows that tile an image, `places` of them, the image's rows, in the order of the windows. */
export function tileRows([lines = 1, columns = 1]: readonly number[], [down = 1, across = 1]: readonly number[]): number[][] {
  return Array.from({ length: down * across }, (_, k) => {
    const [i, j] = [Math.floor(k / across), k % across];
    return Array.from(
      { length: lines * columns },
      (_, p) => (Math.floor(p / columns) * down + i) * columns * across + (p % columns) * across + j,
    );
  });
}
