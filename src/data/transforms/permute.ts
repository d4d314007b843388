// permute: the same fixed permutation of all elements of every input (permuted MNIST, Goodfellow et al. 2013), channels included.
import * as z from 'zod';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { inputData, rows } from '../dataset.js';
import { defineTransform, seed, withInputs } from './transform.js';

export const permute = defineTransform(
  'permute',
  z.strictObject({ seed: seed.describe('Seed of the order.') }).describe('Puts the values of every sample into one other order.'),
  (dataset, options) => {
    const from = inputData(dataset);
    const count = rows(dataset);
    const width = count === 0 ? 0 : from.length / count;
    const order = new Random(options.seed, 'permute').permutation(width);
    const to = from instanceof Uint8Array ? new Uint8Array(from.length) : new Float32Array(from.length);
    for (let row = 0; row < count; row++) {
      const base = row * width;
      for (let i = 0; i < width; i++) to[base + i] = from[base + (order[i] as number)] as number;
    }
    return withInputs(dataset, new Tensor(dataset.inputs.dtype, dataset.inputs.dims, to));
  },
);
