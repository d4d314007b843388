// Images with their channels last, and the windows of a convolution over them as the rows of a matrix: what ONNX Runtime multiplies fast,
// and copies fast, a run of channels at a time.
import { Tensor } from '../core/tensor.js';
import type { Value } from '../ir/graph.js';
import type { Ops } from './ops.js';
import { spatialOf, type Window } from './window.js';

/** [N, C, spatial...] to [N, places, C]. */
export function channelsLast(g: Ops, x: Value, channels: number): Value {
  return g.transpose(g.reshape(x, g.ints([0, channels, -1])), { perm: [0, 2, 1] });
}

/** The windows of x [N, C, sizes...]: [N places, kernel C], a window's elements in the order of the kernel, channels fastest. */
export function windows(g: Ops, x: Value, channels: number, places: readonly number[], w: Window): Value {
  const sizes = spatialOf(x.shape).map(Number);
  const area = sizes.reduce((a, b) => a * b, 1);
  const index = windowIndex(sizes, places, w, area);
  let rows = channelsLast(g, x, channels);
  // One more row, of zeros, is what windows see of the padding.
  if (index.includes(BigInt(area))) rows = g.pad(rows, g.ints([0, 0, 0, 0, 1, 0]));
  const taps = w.kernel.reduce((a, b) => a * b, 1);
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
