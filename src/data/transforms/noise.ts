// noise: adds normal noise, std in units of the full range (0.2 is 51 grey levels). uint8 is rounded and clipped to 0..255. float32 is
// clipped to 0..1 when the whole train set lies there, and not clipped otherwise (standardised images and tables have no fixed range).
import * as z from 'zod';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { RowSet } from '../dataset.js';
import { normalTable } from '../normal-table.js';
import { runsOf } from '../rows.js';
import { defineValues, seed, valuesOf } from './transform.js';

/** Rows looked at together. */
const rowsPerLook = 4096;

/** Whether all values lie in 0..1. */
function inUnitRange({ inputs }: RowSet): boolean {
  for (const { part } of runsOf(inputs, rowsPerLook)) {
    const data = valuesOf(part);
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      if (value < 0 || value > 1) return false;
    }
  }
  return true;
}

/** Two draws for each 32 random bits, over parts of any length. */
class Draws {
  private bits = 0;
  private left = false;

  constructor(private readonly random: Random) {}

  /** Adds a draw of the table to each element. Rounding and clipping of bytes are those of a Uint8ClampedArray. */
  add(from: Uint8Array | Float32Array, to: Uint8ClampedArray | Float32Array, table: Float32Array): void {
    let i = 0;
    if (this.left && from.length > 0) {
      to[0] = (from[0] as number) + (table[this.bits >>> 16] as number);
      this.left = false;
      i = 1;
    }
    for (; i + 1 < from.length; i += 2) {
      const bits = this.random.uint32();
      to[i] = (from[i] as number) + (table[bits & 0xffff] as number);
      to[i + 1] = (from[i + 1] as number) + (table[bits >>> 16] as number);
    }
    if (i >= from.length) return;
    this.bits = this.random.uint32();
    this.left = true;
    to[i] = (from[i] as number) + (table[this.bits & 0xffff] as number);
  }
}

function clipped(values: Float32Array): Float32Array {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < 0) values[i] = 0;
    else if (value > 1) values[i] = 1;
  }
  return values;
}

export const noise = defineValues(
  'noise',
  z
    .strictObject({
      std: z.number().nonnegative().describe('Its standard deviation, in parts of the range 0..1.'),
      seed: seed.default(0).describe('Seed of the draw; 0 when absent.'),
    })
    .describe('Adds normal noise, cut to the range of the values.'),
  (options, context) => {
    const draws = new Draws(new Random(options.seed, 'noise', context.part));
    const bytes = context.train.inputs.dtype === 'uint8';
    const table = normalTable(bytes ? options.std * 255 : options.std);
    const clip = !bytes && inUnitRange(context.train);
    return (part) => {
      const from = valuesOf(part);
      const { dtype, dims } = part;
      if (from instanceof Uint8Array) {
        const to = new Uint8ClampedArray(from.length);
        draws.add(from, to, table);
        return new Tensor(dtype, dims, new Uint8Array(to.buffer));
      }
      const to = new Float32Array(from.length);
      draws.add(from, to, table);
      return new Tensor(dtype, dims, clip ? clipped(to) : to);
    };
  },
);
