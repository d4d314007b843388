// normalise: by a mean and a deviation that are known beforehand.

import * as z from 'zod';
import { Tensor } from '../../../onnx/core/tensor.js';
import { sampleDims } from '../../nn/sample.js';
import { strict } from '../../nn/schema.js';
import { channelShape, perChannel } from '../channels.js';
import { step } from '../step.js';

const numbers = 'a number, or one for each channel';
const positives = 'a positive number, or one for each channel';
const mean = z.union([z.number(), z.array(z.number()).min(1)], { error: numbers });
const std = z.union([z.number().positive(), z.array(z.number().positive()).min(1)], { error: positives });

/** Options of `normalise`. */
export interface NormaliseOptions {
  /** One number, or one for each channel (of flat samples: each feature); 0 when absent. */
  mean?: number | number[];
  /** One positive number, or one for each channel; 1 when absent. */
  std?: number | number[];
}

/**
 * (x - mean) / std, by channel.
 * @function
 */
export const normalise = step('normalise', {
  doc: '(x - mean) / std, by channel.',
  options: strict({
    mean: mean.default(0).describe('One number, or one for each channel (of flat samples: each feature); 0 when absent.'),
    std: std.default(1).describe('One positive number, or one for each channel; 1 when absent.'),
  }),
  call: (options: NormaliseOptions = {}) => options,
  lower: ({ g }, o, x) => {
    const dims = sampleDims(x);
    const constant = (option: 'mean' | 'std') => {
      const values = Float32Array.from(perChannel(option, o[option], dims));
      return g.constant(new Tensor('float32', dims.length === 0 ? [] : channelShape(dims), values));
    };
    return g.div(g.sub(x, constant('mean')), constant('std'));
  },
});
