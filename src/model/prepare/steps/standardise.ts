// standardise: by the mean and the deviation of the training data.
import { sampleDims } from '../../nn/sample.js';
import { strict } from '../../nn/schema.js';
import { channelShape, learnMoments } from '../channels.js';
import { step } from '../step.js';

/**
 * (x - mean) / std of each channel (of flat samples: each feature), as the training data have them. A channel that never changes is only shifted.
 * @function
 */
export const standardise = step('standardise', {
  doc: '(x - mean) / std of each channel (of flat samples: each feature), as the training data have them. A channel that never changes is only shifted.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, learned }, _, x) => {
    const shape = channelShape(sampleDims(x));
    return g.div(g.sub(x, learned('mean', shape, 0)), learned('std', shape, 1));
  },
  learn: (_, sample) =>
    learnMoments(sample, ({ mean, variance }) => ({
      mean,
      std: variance.map((v, c) => {
        const std = Math.sqrt(v);
        // rounding alone makes no deviation
        return std > 1e-7 * Math.abs(mean[c] ?? 0) ? std : 1;
      }),
    })),
});
