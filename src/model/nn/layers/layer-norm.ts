// layer_norm: each sample normalised by its own mean and variance.
import { layer } from '../layer.js';
import { sampleDims } from '../sample.js';
import { real, strict } from '../schema.js';

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance before the root; 1e-5 when absent. */
  epsilon?: number;
}

/**
 * Normalises each sample over all of its axes.
 * @function
 */
export const layerNorm = layer('layer_norm', {
  doc: 'Normalises each sample over all of its axes.',
  options: strict({
    epsilon: real('a positive number', { above: 0 })
      .default(1e-5)
      .describe('Added to the variance before the root; 1e-5 when absent.'),
  }),
  call: (options: LayerNormOptions = {}) => options,
  lower: ({ g, trainable }, { epsilon }, x) => {
    const dims = sampleDims(x);
    const scale = trainable('scale', dims, { fill: 1 });
    const bias = trainable('bias', dims, { fill: 0 });
    return g.layerNormalization(x, scale, bias, { axis: 1, epsilon });
  },
});
