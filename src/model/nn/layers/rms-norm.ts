// rms_norm: the features of each position over their root mean square (arXiv 1910.07467). No mean is taken off, no statistics are kept.
import { reduceMean } from '../../../onnx/ops/families/reduce.js';
import { layer } from '../layer.js';
import { layoutOf, positionsOf, sampleDims } from '../sample.js';
import { real, strict } from '../schema.js';

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** Added to the mean square before the root; 2 ** -23 when absent. */
  epsilon?: number;
}

/**
 * Divides the features, or the channels, of each position by their root mean square.
 * @function
 */
export const rmsNorm = layer('rms_norm', {
  doc: 'Divides the features, or the channels, of each position by their root mean square.',
  options: strict({
    epsilon: real('a positive number', { above: 0 })
      .default(2 ** -23)
      .describe('Added to the mean square before the root; 2 ** -23 when absent.'),
  }),
  call: (options: RmsNormOptions = {}) => options,
  /** RMSNormalization begins at opset 23. */
  lower: ({ g, layout, trainable }, { epsilon }, x) => {
    const { channels, size } = positionsOf(sampleDims(x), layout);
    const scale = trainable('scale', [channels], { fill: 1 });
    const first = layoutOf(layout) === 'channels-first';
    const square = reduceMean(g, g.mul(x, x), [first ? 1 : size.length + 1]);
    const normal = g.div(x, g.sqrt(g.add(square, epsilon)));
    return g.mul(normal, first && size.length > 0 ? g.reshape(scale, [channels, ...size.map(() => 1)]) : scale);
  },
  gives: 'as taken',
});
