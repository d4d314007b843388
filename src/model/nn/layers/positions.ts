// Layers that tell steps where they stand: positional_embedding learns it, sinusoidal is given (Vaswani et al. 2017, arXiv 1706.03762).
import { type InitInput, positionInit } from '../init.js';
import { layer } from '../layer.js';
import { knownSize } from '../open-size.js';
import { sequenceOf } from '../sample.js';
import { strict } from '../schema.js';
import { waves } from '../steps.js';

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
    const [open, features] = sequenceOf(x, c.layout);
    const why = 'and there is a learned row for each step';
    const steps = knownSize(open, why, '"sinusoidal" takes any number of steps, and so does "rotary" of attention');
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
    const [, features] = sequenceOf(x, layout);
    const turn = Array.from({ length: features }, (_, k) => 10000 ** (-(k - (k % 2)) / features));
    return g.add(
      x,
      waves(g, x, turn, (k) => (k % 2 === 0 ? 'sin' : 'cos')),
    );
  },
  gives: 'channels-last',
});
