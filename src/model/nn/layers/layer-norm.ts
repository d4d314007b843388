// layer_norm: each sample normalised by its own mean and variance.
import { layer } from '../layer.js';
import { normalised } from '../normalised.js';
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
  lower: (c, { epsilon }, x) => normalised(c, x, 1, epsilon),
});
