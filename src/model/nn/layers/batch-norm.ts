// batch_norm: each feature or channel normalised over the minibatch, in inference by running statistics.
import { ShapeError } from '../../../onnx/core/errors.js';
import { byMinibatch } from '../batch-statistics.js';
import { layer } from '../layer.js';
import { layoutOf, positionsOf, sampleDims } from '../sample.js';
import { real, strict } from '../schema.js';

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Added to the variance before the root; 1e-5 when absent. */
  epsilon?: number;
  /** ONNX's: running = running * momentum + batch * (1 - momentum); 0.9 when absent. */
  momentum?: number;
}

/**
 * Normalises each feature or channel over the minibatch, in inference by running statistics.
 * @function
 */
export const batchNorm = layer('batch_norm', {
  doc: 'Normalises each feature or channel over the minibatch, in inference by running statistics.',
  options: strict({
    epsilon: real('a positive number', { above: 0 })
      .default(1e-5)
      .describe('Added to the variance before the root; 1e-5 when absent.'),
    momentum: real('a number from 0 to 1', { min: 0, max: 1 })
      .default(0.9)
      .describe("ONNX's: running = running * momentum + batch * (1 - momentum); 0.9 when absent."),
  }),
  call: (options: BatchNormOptions = {}) => options,
  channels: 'apart',
  /**
   * Training: normalises by the minibatch's own statistics and moves the running ones. Inference: BatchNormalization.
   */
  lower: ({ g, scope, name, layout, trainable }, { epsilon, momentum }, x) => {
    const dims = sampleDims(x);
    if (dims.length === 0) throw new ShapeError('features or an image are needed', { expected: '[C] or [C,H,W]', got: '[]' });
    const { channels, size } = positionsOf(dims, layout);
    const scale = trainable('scale', [channels], { fill: 1 });
    const bias = trainable('bias', [channels], { fill: 0 });
    const single = size.every((d) => d === 1);
    const running = (what: string, fill: number) =>
      scope.parameter({
        name: `${name}/${what}`,
        shape: [channels],
        init: { fill },
        role: 'statistic',
        ...(single && { minRows: 2 }),
      });
    const mean = running('mean', 0);
    const variance = running('var', 1);
    const last = size.length > 0 && layoutOf(layout) === 'channels-last';
    // BatchNormalization reads channels at axis 1 alone.
    if (!scope.training && last) return g.add(g.mul(g.sub(x, mean), g.div(scale, g.sqrt(g.add(variance, epsilon)))), bias);
    if (!scope.training) return g.batchNormalization(x, scale, bias, mean, variance, { epsilon });

    const now = byMinibatch(g, x, { scale, bias, mean, variance, epsilon, momentum }, last ? -1 : 1);
    scope.update(`${name}/mean`, now.mean);
    scope.update(`${name}/var`, now.variance);
    return now.y;
  },
  gives: 'as taken',
});
