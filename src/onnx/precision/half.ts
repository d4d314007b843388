// float32 tensors to float16 and back, IEEE 754 binary16 held as its bits, as TensorProto keeps it. Rounds to the nearest, ties to even; numbers
// from 65520 on become infinite, numbers of at most 2^-25 become zero.
import { Float16Array } from '@petamoriken/float16';
import { Tensor } from '../core/tensor.js';

/** The smallest normal number, 2^-14; below it digits are lost one by one, and from 2^-25 down all. */
export const smallestNormal = 2 ** -14;
/** Numbers of at most this size become 0. */
export const vanishes = 2 ** -25;
/** From here on a number rounds to infinity. */
export const infinite = 65520;

/** What is lost of a tensor in float16. */
export interface HalfLoss {
  /** Finite numbers that become infinite. */
  readonly overflowed: number;
  /** Numbers other than zero that become zero. */
  readonly vanished: number;
  /** Numbers other than zero, all of them below the normal range: a scale or an epsilon that float16 cannot hold. */
  readonly tiny: boolean;
}

/** Rounds a float32 tensor. */
export function toHalf(t: Tensor): Tensor {
  const data = t.data as Float32Array;
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const bits = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = halfBits(words[i] ?? 0);
  return new Tensor('float16', t.dims, bits);
}

/** What rounding a float32 tensor would lose. */
export function halfLoss(t: Tensor): HalfLoss {
  const data = t.data as Float32Array;
  let [overflowed, vanished, largest] = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const v = Math.abs(data[i] ?? 0);
    if (v >= infinite && v !== Number.POSITIVE_INFINITY) overflowed++;
    if (v <= vanishes && v !== 0) vanished++;
    if (v > largest) largest = v;
  }
  return { overflowed, vanished, tiny: largest > 0 && largest < smallestNormal };
}

/** The float16 nearest to a float32, of two the even one; both as their bits. */
function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00 | ((size >>> 13) & 0x3ff);
  // from 65520 on
  if (size >= 0x477ff000) return sign | 0x7c00;
  // 2^-14 and more: the exponent in the new bias, 13 digits less
  if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
  if (size <= 0x33000000) return sign;
  const digits = (size & 0x7fffff) | 0x800000;
  const shift = 126 - (size >>> 23);
  const kept = digits >>> shift;
  return sign | ((digits + (1 << (shift - 1)) - 1 + (kept & 1)) >>> shift);
}

/** The same numbers as float32; other dtypes stay as they are. */
export function fromHalf(t: Tensor): Tensor {
  if (t.dtype !== 'float16') return t;
  const bits = t.data as Uint16Array;
  const halves = new Float16Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.length);
  return new Tensor('float32', t.dims, new Float32Array(halves));
}
