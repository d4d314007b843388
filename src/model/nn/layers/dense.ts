// dense: y = x W + b over a flat input.
import { biasInit, type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { featuresOf } from '../sample.js';
import { flag, size, strict } from '../schema.js';

/** Options of `dense`. */
export interface DenseOptions {
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * y = x W + b over a flat input.
 * @function
 */
export const dense = layer('dense', {
  doc: 'y = x W + b over a flat input.',
  options: strict({
    units: size.describe('Features of the output.'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  }),
  main: 'units',
  example: '{ dense: 128 }',
  call: (units: number, options: DenseOptions = {}) => ({ units, ...options }),
  lower: (c, { units, bias, init }, x) => {
    const fanIn = featuresOf(x);
    const weight = c.trainable('weight', [fanIn, units], { by: init, fanIn, fanOut: units });
    if (!bias) return c.join(c.g.matMul(x, weight));
    return c.join(c.g.gemm(x, weight, c.trainable('bias', [units], biasInit(init, fanIn))));
  },
  channels: 'made',
  joint: ({ units, init }) => ({ along: 'features', width: units, init }),
});
