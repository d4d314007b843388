// Folding of ops that only move elements: a new tensor whose elements are those of another, chosen by flat index.

import { within } from '../../core/bounds.js';
import { dtypes } from '../../core/dtype.js';
import { elementCount } from '../../core/shape.js';
import { allocate, Tensor } from '../../core/tensor.js';

/** Beyond this many elements a folded copy would only make the file larger. */
const largest = 1 << 16;

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (dims[i + 1] ?? 1);
  return strides;
}

/** The coordinates of a flat index. */
export function coordinates(flat: number, dims: readonly number[]): number[] {
  const at = new Array<number>(dims.length).fill(0);
  let rest = flat;
  for (let i = dims.length - 1; i >= 0; i--) {
    const d = dims[i] ?? 1;
    at[i] = rest % d;
    rest = Math.floor(rest / d);
  }
  return at;
}

/** A tensor of the dtype of `like`. undefined for dtypes that are not one array element each, large results, and elements that are not there. */
export function assemble(
  like: Tensor,
  dims: readonly number[],
  element: (i: number) => number | bigint | string | undefined,
): [Tensor] | undefined {
  const { dtype } = like;
  const count = elementCount(dims);
  const { bits } = dtypes[dtype];
  if (!within('size', count) || count > largest || (bits > 0 && bits < 8) || dtype === 'complex64' || dtype === 'complex128')
    return undefined;
  const data = dtype === 'string' ? new Array<string>(count) : allocate(dtype, count);
  for (let i = 0; i < count; i++) {
    const value = element(i);
    if (value === undefined) return undefined;
    data[i] = value as number & string;
  }
  return [new Tensor(dtype, dims, data)];
}

/** The tensor of shape `dims` whose element i is `t[source(i)]`. */
export function pick(t: Tensor, dims: readonly number[], source: (i: number) => number): [Tensor] | undefined {
  return assemble(t, dims, (i) => t.data[source(i)]);
}

/** Elements of a tensor under other dims: element [i, j, ...] is the one at `offset + i * strides[0] + j * strides[1] + ...`. */
export interface View {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The elements in their order under other dims. */
export function sameOrder(dims: readonly number[]): View {
  return { dims, strides: stridesOf(dims), offset: 0 };
}

/** What a view shows, where it is small. */
export function pickView(t: Tensor, { dims, strides, offset }: View): [Tensor] | undefined {
  return pick(t, dims, (i) => coordinates(i, dims).reduce((at, k, axis) => at + k * (strides[axis] ?? 0), offset));
}

/** What a view shows of float32 numbers, however many they are; shared with `t` where their order is the same. */
export function viewed(t: Tensor, { dims, strides, offset }: View): Tensor {
  const from = t.data as Float32Array;
  const count = elementCount(dims);
  const plain = stridesOf(dims).every((stride, axis) => stride === strides[axis] || dims[axis] === 1);
  if (plain && count === from.length) return new Tensor('float32', dims, from);
  const to = new Float32Array(count);
  const last = dims.length - 1;
  let end = 0;
  const copy = (axis: number, start: number): void => {
    const [size, stride] = [dims[axis] ?? 1, strides[axis] ?? 0];
    for (let i = 0, at = start; i < size; i++, at += stride) {
      if (axis < last) copy(axis + 1, at);
      else to[end++] = from[at] ?? 0;
    }
  };
  if (count > 0) copy(0, offset);
  return new Tensor('float32', dims, to);
}
