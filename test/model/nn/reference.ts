// Convolutions and pooling over any number of axes by their definitions, in float64: what the layers are compared with.
import type { Tensor } from '../../../src/onnx/core/tensor.js';

export interface Moves {
  readonly stride?: readonly number[];
  readonly dilation?: readonly number[];
  /** Before each axis, then behind each. */
  readonly pads?: readonly number[];
  readonly groups?: number;
  /** Of a transposed convolution: places more at the end of each axis. */
  readonly extra?: readonly number[];
}

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Every index into these dims, in order. */
function indices(dims: readonly number[]): number[][] {
  return Array.from({ length: product(dims) }, (_, flat) => {
    const index: number[] = [];
    let rest = flat;
    for (const d of [...dims].reverse()) {
      index.unshift(rest % d);
      rest = Math.floor(rest / d);
    }
    return index;
  });
}

/** Where an index stands; undefined outside. */
function place(dims: readonly number[], index: readonly number[]): number | undefined {
  if (index.some((i, axis) => i < 0 || i >= (dims[axis] ?? 0))) return undefined;
  return index.reduce((at, i, axis) => at * (dims[axis] ?? 0) + i, 0);
}

interface Result {
  readonly dims: readonly number[];
  readonly numbers: number[];
}

/** y[f, p] = sum over c, k of w[f, c, k] x[c, stride p + dilation k - pad]. */
export function convolution(x: Tensor, w: Tensor, moves: Moves = {}): Result {
  const [n = 1, channels = 1, ...size] = x.dims;
  const [filters = 1, perGroup = 1, ...kernel] = w.dims;
  const { stride = [], dilation = [], pads = [], groups = 1 } = moves;
  const pad = (i: number) => pads[i] ?? 0;
  const out = size.map((s, i) => {
    const extent = ((kernel[i] ?? 1) - 1) * (dilation[i] ?? 1) + 1;
    return Math.floor((s + pad(i) + pad(i + size.length) - extent) / (stride[i] ?? 1)) + 1;
  });
  const dims = [n, filters, ...out];
  const [xs, ws] = [x.numbers(), w.numbers()];
  const numbers = indices(dims).map(([row = 0, f = 0, ...p]) => {
    let sum = 0;
    const first = Math.floor(f / (filters / groups)) * perGroup;
    for (let c = 0; c < perGroup; c++)
      for (const k of indices(kernel)) {
        const from = k.map((ki, i) => (p[i] ?? 0) * (stride[i] ?? 1) + ki * (dilation[i] ?? 1) - pad(i));
        const at = place([n, channels, ...size], [row, first + c, ...from]);
        if (at !== undefined) sum += (xs[at] ?? 0) * (ws[place(w.dims, [f, c, ...k]) ?? 0] ?? 0);
      }
    return sum;
  });
  return { dims, numbers };
}

/** Each x[c, p] adds w[c, f, k] x[c, p] to y[f, stride p + dilation k - pad]. */
export function transposed(x: Tensor, w: Tensor, moves: Moves = {}): Result {
  const [n = 1, channels = 1, ...size] = x.dims;
  const [, perGroup = 1, ...kernel] = w.dims;
  const { stride = [], dilation = [], pads = [], groups = 1, extra = [] } = moves;
  const pad = (i: number) => pads[i] ?? 0;
  const out = size.map((s, i) => {
    const extent = ((kernel[i] ?? 1) - 1) * (dilation[i] ?? 1) + 1;
    return (s - 1) * (stride[i] ?? 1) + extent + (extra[i] ?? 0) - pad(i) - pad(i + size.length);
  });
  const dims = [n, perGroup * groups, ...out];
  const numbers = new Array<number>(product(dims)).fill(0);
  const [xs, ws] = [x.numbers(), w.numbers()];
  for (const [row = 0, c = 0, ...p] of indices(x.dims))
    for (let f = 0; f < perGroup; f++)
      for (const k of indices(kernel)) {
        const to = k.map((ki, i) => (p[i] ?? 0) * (stride[i] ?? 1) + ki * (dilation[i] ?? 1) - pad(i));
        const filter = Math.floor(c / (channels / groups)) * perGroup + f;
        const at = place(dims, [row, filter, ...to]);
        const [xi, wi] = [place(x.dims, [row, c, ...p]) ?? 0, place(w.dims, [c, f, ...k]) ?? 0];
        if (at !== undefined) numbers[at] = (numbers[at] ?? 0) + (xs[xi] ?? 0) * (ws[wi] ?? 0);
      }
  return { dims, numbers };
}

/** One number of each window: `pool` of the values in it that are there. */
export function pooled(x: Tensor, kernel: readonly number[], moves: Moves, pool: (values: readonly number[]) => number): Result {
  const [n = 1, channels = 1, ...size] = x.dims;
  const { stride = kernel, pads = [] } = moves;
  const out = size.map(
    (s, i) => Math.floor((s + (pads[i] ?? 0) + (pads[i + size.length] ?? 0) - (kernel[i] ?? 1)) / (stride[i] ?? 1)) + 1,
  );
  const dims = [n, channels, ...out];
  const xs = x.numbers();
  const numbers = indices(dims).map(([row = 0, c = 0, ...p]) => {
    const values = indices(kernel).flatMap((k) => {
      const at = place(x.dims, [row, c, ...k.map((ki, i) => (p[i] ?? 0) * (stride[i] ?? 1) + ki - (pads[i] ?? 0))]);
      return at === undefined ? [] : [xs[at] ?? 0];
    });
    return pool(values);
  });
  return { dims, numbers };
}
