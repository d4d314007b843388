// fill: a value in place of one that is not there (NaN).
import * as z from 'zod';
import { DataError } from '../../../onnx/core/errors.js';
import { sampleDims } from '../../nn/sample.js';
import { strict } from '../../nn/schema.js';
import { channelShape, eachOfChannel, learnMoments } from '../channels.js';
import { type Learning, step } from '../step.js';

/**
 * A number in place of what is not there (NaN, an empty cell): a constant, or the mean or median of the training data, by channel (of flat samples:
 * by feature).
 * @function
 */
export const fill = step('fill', {
  doc: 'A number in place of what is not there (NaN, an empty cell): a constant, or the mean or median of the training data, by channel (of flat samples: by feature).',
  options: strict({
    by: z
      .union([z.enum(['mean', 'median']), z.number()], { error: '"mean", "median" or a number' })
      .describe('"mean", "median" or a number.'),
  }),
  main: 'by',
  example: '{ fill: median }',
  call: (by: 'mean' | 'median' | number) => ({ by }),
  takesMissing: true,
  lower: ({ g, learned }, { by }, x) => {
    const value = typeof by === 'number' ? g.scalar(by, x) : learned(by, channelShape(sampleDims(x)), 0);
    return g.where(g.isNaN(x), value, x);
  },
  learn: ({ by }, sample) => {
    if (by === 'mean') return learnMoments(sample, ({ mean }) => ({ mean }));
    return by === 'median' ? medians(sample) : undefined;
  },
});

function medians(sample: readonly number[]): Learning {
  const found = Array.from({ length: sample[0] ?? 1 }, (): number[] => []);
  return {
    add: (rows) => eachOfChannel(rows, (c, value) => (Number.isNaN(value) ? 0 : found[c]?.push(value))),
    values: () => ({
      median: found.map((values, c) => {
        const sorted = Float64Array.from(values).sort();
        const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
        if (low === undefined || high === undefined)
          throw new DataError(`no training sample has a value of feature ${c}`, { got: 'none' });
        return (low + high) / 2;
      }),
    }),
  };
}
