// regress: numbers, by mean squared or mean absolute error.
import { type InitInput, weightInit } from '../nn/init.js';
import { oneOf, size, strict } from '../nn/schema.js';
import { head, meanOf } from './head.js';
import { nameList } from './names.js';

/** Options of `regress`. */
export interface RegressOptions {
  /** What the numbers are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** "mse" (when absent), the mean squared error, or "l1", the mean absolute one. */
  loss?: 'mse' | 'l1';
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * Numbers: mean squared or mean absolute error.
 * @function
 */
export const regress = head('regress', {
  doc: 'Numbers: mean squared or mean absolute error.',
  options: strict({
    outputs: size.describe('How many numbers there are.'),
    names: nameList('number')
      .optional()
      .describe('What the numbers are called, in the data, in answers and in exported files: a text for each.'),
    loss: oneOf(['mse', 'l1'])
      .default('mse')
      .describe('"mse" (when absent), the mean squared error, or "l1", the mean absolute one.'),
    init: weightInit,
  }).refine((h) => h.names === undefined || h.names.length === h.outputs, {
    error: 'expected as many names as "outputs"',
    path: ['names'],
  }),
  width: 'outputs',
  example: '{ regress: 3 }',
  call: (outputs: number, options: RegressOptions = {}) => ({ outputs, ...options }),
  targets: { of: 'numbers' },
  loss: (g, o, scores, targets, reduction) => {
    const d = g.sub(scores, targets);
    return meanOf(g, o.loss === 'mse' ? g.mul(d, d) : g.abs(d), reduction);
  },
  metric: {
    name: 'error',
    better: 'lower',
    of: (_, scores, targets) => {
      let sum = 0;
      for (let j = 0; j < scores.length; j++) sum += Math.abs(Number(scores[j]) - Number(targets[j]));
      return sum / scores.length;
    },
  },
  names: (o) => o.names,
});
