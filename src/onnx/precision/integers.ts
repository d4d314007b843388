// Numbers as 8-bit integers: x = scale (q - zero), scale and zero for a range, and weights quantized symmetrically per channel (zero is 0).
import { must } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Quantization {
  readonly scale: number;
  readonly zero: number;
}

/** uint8 over a range, widened to hold zero exactly: padding and Relu depend on it. */
export function quantizationOf({ min, max }: Range): Quantization {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround((high - low) / 255) || 1;
  return { scale, zero: Math.min(255, Math.max(0, roundEven(-low / scale))) };
}

export interface QuantizedWeight {
  readonly values: Tensor;
  /** [channels] */
  readonly scales: Float32Array;
}

/** The largest magnitude of a weight: 127, or 63 where sums of two products must fit 16 bits (x86 without VNNI). */
export const weightLimit = (reduceRange: boolean): number => (reduceRange ? 63 : 127);

/** Channels lie along `axis` of a float32 tensor. `atLeast`: a lower bound of each scale. */
export function quantizeWeight(t: Tensor, axis: number, limit: number, atLeast?: (channel: number) => number): QuantizedWeight {
  const channels = must(t.dims[axis], 'channel axis');
  const inner = t.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const data = t.data as Float32Array;
  const largest = new Float64Array(channels);
  // Plain loops: TypedArray.from keeps all numbers in a list of its own, which of a large weight takes gigabytes.
  eachRun(data.length, channels, inner, (from, c) => {
    let most = largest[c] ?? 0;
    for (let i = from; i < from + inner; i++) {
      const size = Math.abs(data[i] ?? 0);
      if (size > most) most = size;
    }
    largest[c] = most;
  });
  const scales = Float32Array.from(largest, (m, c) => Math.max(m / limit, atLeast?.(c) ?? 0) || 1);
  const values = new Int8Array(data.length);
  eachRun(data.length, channels, inner, (from, c) => {
    const scale = scales[c] ?? 1;
    for (let i = from; i < from + inner; i++) {
      values[i] = Math.min(limit, Math.max(-limit, roundEven((data[i] ?? 0) / scale)));
    }
  });
  return { values: new Tensor('int8', t.dims, values), scales };
}

/** The neighbours of one channel, run by run. */
function eachRun(length: number, channels: number, inner: number, run: (from: number, channel: number) => void): void {
  for (let from = 0, c = 0; from < length; from += inner, c = c + 1 === channels ? 0 : c + 1) run(from, c);
}

/** A bias in units of `scales`, int32: it is added to the sum of the products of integers. */
export function quantizeBias(bias: Float32Array, scales: Float32Array): Int32Array {
  return Int32Array.from(bias, (b, c) => roundEven(b / (scales[c] ?? 1)));
}

/** The least scale of a weight by which its bias, in units of both scales, takes half of an int32 at most; the products are added to it. */
export function leastScale(bias: Float32Array | undefined, inputScale: number): (channel: number) => number {
  return (c) => Math.abs(bias?.[c] ?? 0) / 2 ** 30 / inputScale;
}

/** To the nearest integer, ties to even, as QuantizeLinear rounds. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}
