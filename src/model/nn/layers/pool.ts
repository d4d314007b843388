// Pooling over images: by windows (maxpool2d, avgpool2d) and over the whole image (global_maxpool, global_avgpool).
import { ShapeError } from '../../../onnx/core/errors.js';
import type { Value } from '../../../onnx/ir/graph.js';
import { layer } from '../layer.js';
import { type Layout, spatialOf } from '../sample.js';
import { strict } from '../schema.js';
import { explicitPads, type PaddingInput, type PairInput, padding, pair, type Window } from '../window.js';

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

function attributes(o: Omit<Window, 'dilation'>, x: Value, layout: Layout | undefined) {
  const { size } = spatialOf(x, 2, layout);
  const pads = explicitPads({ ...o, dilation: size.map(() => 1) }, size);
  if (pads.some((pad, i) => pad >= (o.kernel[i % size.length] ?? 0)))
    throw new ShapeError(`padding [${pads}] reaches beyond the window [${o.kernel}]`, { got: `[${pads}]` });
  return { kernel_shape: o.kernel, strides: o.stride, pads };
}

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
  lower: ({ g, layout }, o, x) => g.maxPool(x, attributes(o, x, layout)),
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
  lower: ({ g, layout }, o, x) => g.averagePool(x, attributes(o, x, layout)),
});

/**
 * The mean of each channel of an image: flat.
 * @function
 */
export const globalAvgpool = layer('global_avgpool', {
  doc: 'The mean of each channel of an image: flat.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, layout }, _, x) => {
    spatialOf(x, 2, layout);
    return g.flatten(g.globalAveragePool(x), { axis: 1 });
  },
});

/**
 * The largest value of each channel of an image: flat.
 * @function
 */
export const globalMaxpool = layer('global_maxpool', {
  doc: 'The largest value of each channel of an image: flat.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, layout }, _, x) => {
    spatialOf(x, 2, layout);
    return g.flatten(g.globalMaxPool(x), { axis: 1 });
  },
});
