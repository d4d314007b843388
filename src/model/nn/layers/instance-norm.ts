// instance_norm: each channel of a sample normalised by its own mean and variance. No statistics are kept.
import { ShapeError } from '../../../onnx/core/errors.js';
import { Tensor } from '../../../onnx/core/tensor.js';
import { layer } from '../layer.js';
import { anyPositionsOf } from '../sample.js';
import { flag, real, strict } from '../schema.js';

/** Options of `instanceNorm`. */
export interface InstanceNormOptions {
  /** Added to the variance before the root; 1e-5 when absent. */
  epsilon?: number;
  /** A scale and a bias for each channel; false when absent. */
  affine?: boolean;
}

/**
 * Normalises each channel of a sample over all of its positions.
 * @function
 */
export const instanceNorm = layer('instance_norm', {
  doc: 'Normalises each channel of a sample over all of its positions.',
  options: strict({
    epsilon: real('a positive number', { above: 0 })
      .default(1e-5)
      .describe('Added to the variance before the root; 1e-5 when absent.'),
    affine: flag.default(false).describe('A scale and a bias for each channel; false when absent.'),
  }),
  call: (options: InstanceNormOptions = {}) => options,
  lower: ({ g, layout, trainable }, { epsilon, affine }, x) => {
    const { channels, size } = anyPositionsOf(x, layout);
    if (size.every((n) => n === 1))
      throw new ShapeError('one position is its own mean, so all would be 0: more than one is needed', {
        got: `[${[channels, ...size]}]`,
      });
    const of = (value: number) => g.constant(new Tensor('float32', [channels], new Float32Array(channels).fill(value)));
    const scale = affine ? trainable('scale', [channels], { fill: 1 }) : of(1);
    const bias = affine ? trainable('bias', [channels], { fill: 0 }) : of(0);
    return g.instanceNormalization(x, scale, bias, { epsilon });
  },
  gives: 'channels-first',
});
