// squeeze_excitation: each channel weighed by what all of them are on average (arXiv 1709.01507). Laterals do not join within: it is a gate.
import { biasInit, type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { anyPositionsOf } from '../sample.js';
import { size, strict } from '../schema.js';

/** Options of `squeezeExcitation`. */
export interface SqueezeExcitationOptions {
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * Weighs each channel by sigmoid(W relu(V m)), m being the means of all channels.
 * @function
 */
export const squeezeExcitation = layer('squeeze_excitation', {
  doc: 'Weighs each channel by sigmoid(W relu(V m)), m being the means of all channels.',
  options: strict({
    reduction: size.default(16).describe('V gives this fraction of the channels, rounded down, at least one; 16 when absent.'),
    init: weightInit,
  }),
  main: 'reduction',
  call: (reduction?: number, options: SqueezeExcitationOptions = {}) => ({
    ...(reduction !== undefined && { reduction }),
    ...options,
  }),
  lower: ({ g, layout, trainable }, { reduction, init }, x) => {
    const { channels, size } = anyPositionsOf(x, layout);
    const squeezed = Math.max(1, Math.floor(channels / reduction));
    const dense = (what: string, from: number, to: number) =>
      [
        trainable(`${what}/weight`, [from, to], { by: init, fanIn: from, fanOut: to }),
        trainable(`${what}/bias`, [to], biasInit(init, from)),
      ] as const;
    const mean = g.flatten(g.globalAveragePool(x), { axis: 1 });
    const narrow = g.relu(g.gemm(mean, ...dense('squeeze', channels, squeezed)));
    const gate = g.sigmoid(g.gemm(narrow, ...dense('excite', squeezed, channels)));
    return g.mul(x, g.reshape(gate, [0, channels, ...size.map(() => 1)]));
  },
  gives: 'channels-first',
});
