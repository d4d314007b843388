// permute: the same fixed permutation of all elements of every input (permuted MNIST, Goodfellow et al. 2013), channels included.
import * as z from 'zod';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { defineValues, seed, valuesOf } from './transform.js';

export const permute = defineValues(
  'permute',
  z.strictObject({ seed: seed.describe('Seed of the order.') }).describe('Puts the values of every sample into one other order.'),
  (options) => {
    let order: Uint32Array | undefined;
    return (part) => {
      const from = valuesOf(part);
      const count = part.dims[0] ?? 0;
      const width = count === 0 ? 0 : from.length / count;
      order ??= new Random(options.seed, 'permute').permutation(width);
      const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
      for (let row = 0; row < count; row++) {
        const base = row * width;
        for (let i = 0; i < width; i++) to[base + i] = from[base + (order[i] as number)] as number;
      }
      return new Tensor(part.dtype, part.dims, to);
    };
  },
);
