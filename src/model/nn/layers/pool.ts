// Pooling over images by windows (maxpool2d, avgpool2d), and over all positions of whatever has some (global_maxpool, global_avgpool).
import { layer } from '../layer.js';
import { poolAttributes, pooled } from '../pooling.js';
import { anyPositionsOf } from '../sample.js';
import { strict } from '../schema.js';
import { type PaddingInput, type PairInput, padding, pair } from '../window.js';

/** Options of `maxpool2d` and `avgpool2d`. */
export interface PoolOptions {
  /** Steps of the window: one number, or [height, width]; the kernel when absent. */
  stride?: PairInput;
  /** "same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right]. */
  padding?: PaddingInput;
}

const options = strict({
  kernel: pair.describe('Size of the window: one number, or [height, width].'),
  stride: pair.optional().describe('Steps of the window: one number, or [height, width]; the kernel when absent.'),
  padding: padding
    .default('valid')
    .describe('"same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right].'),
}).transform((o) => ({ ...o, stride: o.stride ?? o.kernel }));

const call = (kernel: PairInput, options: PoolOptions = {}) => ({ kernel, ...options });

/**
 * The largest value of each window of an image.
 * @function
 */
export const maxpool2d = layer('maxpool2d', {
  doc: 'The largest value of each window of an image.',
  options,
  main: 'kernel',
  example: '{ maxpool2d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.maxPool(x, poolAttributes(o, x, 2, layout)), o, x, 2, layout),
  // Both orders give the same bits, forward and backward, since relu is monotone and passes no gradient where the maximum is not positive; after
  // the pool there is a quarter to do.
  overtakes: ['relu'],
});

/**
 * The mean of each window of an image; what padding adds does not count.
 * @function
 */
export const avgpool2d = layer('avgpool2d', {
  doc: 'The mean of each window of an image; what padding adds does not count.',
  options,
  main: 'kernel',
  example: '{ avgpool2d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.averagePool(x, poolAttributes(o, x, 2, layout)), o, x, 2, layout),
});

/**
 * The mean of each channel of a signal, an image or a volume: flat.
 * @function
 */
export const globalAvgpool = layer('global_avgpool', {
  doc: 'The mean of each channel of a signal, an image or a volume: flat.',
  options: strict({}),
  call: () => ({}),
  channels: 'apart',
  lower: ({ g, layout }, _, x) => {
    anyPositionsOf(x, layout);
    return g.flatten(g.globalAveragePool(x), { axis: 1 });
  },
});

/**
 * The largest value of each channel of a signal, an image or a volume: flat.
 * @function
 */
export const globalMaxpool = layer('global_maxpool', {
  doc: 'The largest value of each channel of a signal, an image or a volume: flat.',
  options: strict({}),
  call: () => ({}),
  channels: 'apart',
  lower: ({ g, layout }, _, x) => {
    anyPositionsOf(x, layout);
    return g.flatten(g.globalMaxPool(x), { axis: 1 });
  },
});
