// noise: adds normal noise, std in units of the full range (0.2 is 51 grey levels). uint8 is rounded and clipped to 0..255. float32 is
// clipped to 0..1 when the whole train set lies there, and not clipped otherwise (standardised images and tables have no fixed range).
import * as z from 'zod';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { type Dataset, inputData } from '../dataset.js';
import { defineTransform, seed, withInputs } from './transform.js';

/**
 * Quantile of the standard normal, relative error below 1.2e-9. P. J. Acklam, "An algorithm for computing the inverse normal cumulative
 * distribution function", 2003.
 */
function quantile(p: number): number {
  if (p > 0.5) return -quantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      (((((-7.784894002430293e-3 * q - 3.223964580411365e-1) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 3.224671290700398e-1) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r -
      3.066479806614716e1) *
      r +
      2.506628277459239) *
      q) /
    (((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r -
      1.328068155288572e1) *
      r +
      1)
  );
}

/** 65536 equally likely draws of N(0, scale^2): one 16-bit index a draw, tails to 4.3 sigma. 47 million take 0.5 s, Random.normal 1.5 s. */
function normalTable(scale: number): Float32Array {
  const table = new Float32Array(65536);
  for (let i = 0; i < 65536; i++) table[i] = scale * quantile((i + 0.5) / 65536);
  return table;
}

function inUnitRange(dataset: Dataset): boolean {
  const data = inputData(dataset);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (value < 0 || value > 1) return false;
  }
  return true;
}

/** Rounding and clipping are those of a Uint8ClampedArray. */
function addToBytes(from: Uint8Array, table: Float32Array, random: Random): Uint8Array {
  const to = new Uint8ClampedArray(from.length);
  const even = from.length & ~1;
  for (let i = 0; i < even; i += 2) {
    const bits = random.uint32();
    to[i] = (from[i] as number) + (table[bits & 0xffff] as number);
    to[i + 1] = (from[i + 1] as number) + (table[bits >>> 16] as number);
  }
  if (even < from.length) to[even] = (from[even] as number) + (table[random.uint32() & 0xffff] as number);
  return new Uint8Array(to.buffer);
}

function addToFloats(from: Float32Array, table: Float32Array, random: Random, clip: boolean): Float32Array {
  const to = new Float32Array(from.length);
  const even = from.length & ~1;
  for (let i = 0; i < even; i += 2) {
    const bits = random.uint32();
    to[i] = (from[i] as number) + (table[bits & 0xffff] as number);
    to[i + 1] = (from[i + 1] as number) + (table[bits >>> 16] as number);
  }
  if (even < from.length) to[even] = (from[even] as number) + (table[random.uint32() & 0xffff] as number);
  if (!clip) return to;
  for (let i = 0; i < to.length; i++) {
    const value = to[i] as number;
    if (value < 0) to[i] = 0;
    else if (value > 1) to[i] = 1;
  }
  return to;
}

export const noise = defineTransform(
  'noise',
  z
    .strictObject({
      std: z.number().nonnegative().describe('Its standard deviation, in parts of the range 0..1.'),
      seed: seed.default(0).describe('Seed of the draw; 0 when absent.'),
    })
    .describe('Adds normal noise, cut to the range of the values.'),
  (dataset, options, context) => {
    const from = inputData(dataset);
    const random = new Random(options.seed, 'noise', context.part);
    const to =
      from instanceof Uint8Array
        ? addToBytes(from, normalTable(options.std * 255), random)
        : addToFloats(from, normalTable(options.std), random, inUnitRange(context.train));
    return withInputs(dataset, new Tensor(dataset.inputs.dtype, dataset.inputs.dims, to));
  },
);
