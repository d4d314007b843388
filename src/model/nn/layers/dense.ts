// dense: y = x W + b over a flat input, or over each step of a sequence.
import * as z from 'zod';
import { biasInit, type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { featuresOf, sequenceOf } from '../sample.js';
import { flag, size, strict } from '../schema.js';

/** Options of `dense`. */
export interface DenseOptions {
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** "step": over each step of a sequence [T,F] by itself; when absent: over a flat input. */
  each?: 'step';
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * y = x W + b over a flat input, or over each step of a sequence.
 * @function
 */
export const dense = layer('dense', {
  doc: 'y = x W + b over a flat input, or over each step of a sequence.',
  options: strict({
    units: size.describe('Features of the output.'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    each: z
      .literal('step', { error: '"step"' })
      .optional()
      .describe('"step": over each step of a sequence [T,F] by itself; when absent: over a flat input.'),
    init: weightInit,
  }),
  main: 'units',
  example: '{ dense: 128 }',
  call: (units: number, options: DenseOptions = {}) => ({ units, ...options }),
  lower: (c, { units, bias, init, each }, x) => {
    if (each === 'step') {
      const [, features] = sequenceOf(x, c.layout);
      const weight = c.trainable('weight', [features, units], { by: init, fanIn: features, fanOut: units });
      const y = c.g.matMul(x, weight);
      return c.join(bias ? c.g.add(y, c.trainable('bias', [units], biasInit(init, features))) : y);
    }
    const fanIn = featuresOf(x);
    const weight = c.trainable('weight', [fanIn, units], { by: init, fanIn, fanOut: units });
    if (!bias) return c.join(c.g.matMul(x, weight));
    return c.join(c.g.gemm(x, weight, c.trainable('bias', [units], biasInit(init, fanIn))));
  },
  channels: 'made',
  joint: ({ units, init, each }, x, layout) => {
    if (each === undefined) return { along: 'features', width: units, init };
    return { along: 'positions', layout: 'channels-last', width: units, init, size: [sequenceOf(x, layout)[0]], like: x };
  },
  givesBy: ({ each }) => (each === 'step' ? 'channels-last' : undefined),
});
