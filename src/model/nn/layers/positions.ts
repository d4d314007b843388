// Layers that tell steps where they stand: positional_embedding learns it, sinusoidal is given (Vaswani et al. 2017, arXiv 1706.03762).
import { Tensor } from '../../../onnx/core/tensor.js';
import { type InitInput, positionInit } from '../init.js';
import { layer } from '../layer.js';
import { sequenceOf } from '../sample.js';
import { strict } from '../schema.js';

/** Options of `positionalEmbedding`. */
export interface PositionalEmbeddingOptions {
  /** How the table begins: { normal: 0.02 } when absent. */
  init?: InitInput;
}

/**
 * Adds a learned row to each step of a sequence [T,F].
 * @function
 */
export const positionalEmbedding = layer('positional_embedding', {
  doc: 'Adds a learned row to each step of a sequence [T,F].',
  options: strict({ init: positionInit }),
  call: (options: PositionalEmbeddingOptions = {}) => options,
  lower: (c, { init }, x) => {
    const [steps, features] = sequenceOf(x, c.layout);
    return c.g.add(x, c.trainable('table', [steps, features], { by: init, fanIn: steps, fanOut: features }));
  },
  gives: 'channels-last',
});

/**
 * Adds sines and cosines of its place to each step of a sequence [T,F], at wavelengths from 2 pi to 20000 pi.
 * @function
 */
export const sinusoidal = layer('sinusoidal', {
  doc: 'Adds sines and cosines of its place to each step of a sequence [T,F], at wavelengths from 2 pi to 20000 pi.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, layout }, _, x) => {
    const [steps, features] = sequenceOf(x, layout);
    const waves = Array.from({ length: steps * features }, (_, k) => {
      const feature = k % features;
      const angle = Math.floor(k / features) * 10000 ** (-(feature - (feature % 2)) / features);
      return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    return g.add(x, g.constant(Tensor.from('float32', waves, [steps, features])));
  },
  gives: 'channels-last',
});
