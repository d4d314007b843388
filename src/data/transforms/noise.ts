// noise: adds normal noise, std in units of the full range (0.2 is 51 grey levels). uint8 is rounded and clipped to 0..255. float32 is
// clipped to 0..1 when the whole train set lies there, and not clipped otherwise (standardised images and tables have no fixed range).
import * as z from 'zod';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { type Dataset, inputData } from '../dataset.js';
import { normalTable } from '../normal-table.js';
import { defineTransform, seed, withInputs } from './transform.js';

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
