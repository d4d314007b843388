// Images with their channels last, and the windows of a convolution over them as the rows of a matrix: what ONNX Runtime multiplies fast,
// and copies fast, a run of channels at a time.
import { must } from '../../core/errors.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';
import type { Window } from './window.js';

/** [N, C, spatial...] to [N, places, C]. */
export function channelsLast(g: Ops, x: Value, channels: number): Value {
  return g.transpose(g.reshape(x, [0, channels, -1]), { perm: [0, 2, 1] });
}

/** An image as rows [N, sizes, C], all sizes in one, and a window that slides over it to `places`. */
export interface WindowedRows {
  readonly rows: Value;
  readonly sizes: readonly number[];
  readonly places: readonly number[];
  readonly window: Window;
  /** Where each row of the image stands; in order by default. */
  readonly at?: readonly number[] | undefined;
}

/** All windows: [N places, kernel C], a window's elements in the order of the kernel, channels fastest. */
export function windows(g: Ops, image: WindowedRows): Value {
  return windowsAt(g, image)();
}

/** The same by parts: of some places, row-major numbers, in the order in which they are given. */
export function windowsAt(g: Ops, image: WindowedRows): (chosen?: readonly number[]) => Value {
  const { at } = image;
  const area = image.sizes.reduce((a, b) => a * b, 1);
  const [channels, taps] = [Number(image.rows.shape?.[2]), image.window.kernel.reduce((a, b) => a * b, 1)];
  const all = windowIndex(image, area).map((window) => window.map((row) => at?.[row] ?? row));
  let padded: Value | undefined;
  return (chosen) => {
    const index = chosen === undefined ? all.flat() : chosen.flatMap((p) => all[p] ?? []);
    // Windows of one element each, at every place: the rows themselves.
    if (taps === 1 && index.length === area && index.every((row, i) => row === i)) return g.reshape(image.rows, [-1, channels]);
    // One more row, of zeros, is what windows see of the padding.
    if (index.includes(area)) padded ??= g.pad(image.rows, [0, 0, 0, 0, 1, 0]);
    const rows = index.includes(area) ? must(padded, 'padded rows') : image.rows;
    const gathered = g.gather(rows, g.constant(Tensor.from('int64', index), 'windows'), { axis: 1 });
    return g.reshape(gathered, [-1, taps * channels]);
  };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** For each place, row-major, the image's row that each element of its window sees; `outside` for padding. */
function windowIndex({ sizes, places, window: w }: WindowedRows, outside: number): number[][] {
  const perAxis = sizes.map((size, i) =>
    range(places[i] ?? 1).map((p) =>
      range(w.kernel[i] ?? 1).map((k) => {
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
  return rows.map((window) => window.map((at) => (at < 0 ? outside : at)));
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
