// Pooling by windows over signals: maxpool1d, avgpool1d.
import { layer } from '../layer.js';
import { poolAttributes, pooled } from '../pooling.js';
import { strict } from '../schema.js';
import { type Padding1dInput, padding1d, type SingleInput, single } from '../window.js';

/** Options of `maxpool1d` and `avgpool1d`. */
export interface Pool1dOptions {
  /** Steps of the window; the kernel when absent. */
  stride?: SingleInput;
  /** "same", "valid" (when absent), one number or [begin, end]. */
  padding?: Padding1dInput;
}

const options = strict({
  kernel: single.describe('Size of the window.'),
  stride: single.optional().describe('Steps of the window; the kernel when absent.'),
  padding: padding1d.default('valid').describe('"same", "valid" (when absent), one number or [begin, end].'),
}).transform((o) => ({ ...o, stride: o.stride ?? o.kernel }));

const call = (kernel: SingleInput, options: Pool1dOptions = {}) => ({ kernel, ...options });

/**
 * The largest value of each window of a signal.
 * @function
 */
export const maxpool1d = layer('maxpool1d', {
  doc: 'The largest value of each window of a signal.',
  options,
  main: 'kernel',
  example: '{ maxpool1d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.maxPool(x, poolAttributes(o, x, 1, layout)), o, x, 1, layout),
  // As in maxpool2d.
  overtakes: ['relu'],
});

/**
 * The mean of each window of a signal; what padding adds does not count.
 * @function
 */
export const avgpool1d = layer('avgpool1d', {
  doc: 'The mean of each window of a signal; what padding adds does not count.',
  options,
  main: 'kernel',
  example: '{ avgpool1d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.averagePool(x, poolAttributes(o, x, 1, layout)), o, x, 1, layout),
});
