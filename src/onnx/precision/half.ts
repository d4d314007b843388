// float32 tensors to float16 and back, IEEE 754 binary16 held as its bits, as TensorProto keeps it. Rounds to the nearest, ties to even; numbers
// from 65520 on become infinite, numbers of at most 2^-25 become zero.
import { Float16Array } from '@petamoriken/float16';
import { Tensor } from '../core/tensor.js';

/** The smallest normal number, 2^-14; below it digits are lost one by one, and from 2^-25 down all. */
export const smallestNormal = 2 ** -14;
/** Numbers of at most this size become 0. */
export const vanishes = 2 ** -25;

export interface Half {
  readonly tensor: Tensor;
  /** Finite numbers that became infinite. */
  readonly overflowed: number;
  /** Numbers other than zero that became zero. */
  readonly vanished: number;
  /** Numbers other than zero, all of them below the normal range: a scale or an epsilon that float16 cannot hold. */
  readonly tiny: boolean;
}

/** Rounds a float32 tensor. */
export function toHalf(t: Tensor): Half {
  const halves = new Float16Array(t.data as Float32Array);
  const bits = new Uint16Array(halves.buffer, halves.byteOffset, halves.length);
  let [overflowed, vanished, largest] = [0, 0, 0];
  for (let i = 0; i < bits.length; i++) {
    const v = Math.abs(Number(t.data[i]));
    const magnitude = (bits[i] ?? 0) & 0x7fff;
    if (magnitude === 0x7c00 && v !== Number.POSITIVE_INFINITY) overflowed++;
    if (magnitude === 0 && v !== 0) vanished++;
    if (v > largest) largest = v;
  }
  return { tensor: new Tensor('float16', t.dims, bits), overflowed, vanished, tiny: largest > 0 && largest < smallestNormal };
}

/** The same numbers as float32; other dtypes stay as they are. */
export function fromHalf(t: Tensor): Tensor {
  if (t.dtype !== 'float16') return t;
  const bits = t.data as Uint16Array;
  const halves = new Float16Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.length);
  return new Tensor('float32', t.dims, new Float32Array(halves));
}
