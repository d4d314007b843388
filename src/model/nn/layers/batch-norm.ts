// batch_norm: each feature or channel normalised over the minibatch, in inference by running statistics.
import { ShapeError } from '../../../onnx/core/errors.js';
import type { Value } from '../../../onnx/ir/graph.js';
import { reduceMean } from '../../../onnx/ops/families/reduce.js';
import { layer } from '../layer.js';
import { sampleDims } from '../sample.js';
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
  /**
   * Training: normalises by the minibatch's mean and biased variance in primitive ops (BatchNormalization with training_mode has no WebGPU
   * kernel) and moves the running statistics; like PyTorch, the running variance takes the unbiased one. Inference: BatchNormalization.
   */
  lower: ({ g, scope, name, trainable }, { epsilon, momentum }, x) => {
    const [channels] = sampleDims(x);
    const rank = sampleDims(x).length + 1;
    if (channels === undefined)
      throw new ShapeError('features or an image are needed', { expected: '[C] or [C,H,W]', got: '[]' });
    const scale = trainable('scale', [channels], { fill: 1 });
    const bias = trainable('bias', [channels], { fill: 0 });
    const single = sampleDims(x)
      .slice(1)
      .every((d) => d === 1);
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
    if (!scope.training) return g.batchNormalization(x, scale, bias, mean, variance, { epsilon });

    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
    const wide = [1, channels, ...Array.from({ length: rank - 2 }, () => 1)];
    const batchMean = reduceMean(g, x, axes);
    const centred = g.sub(x, batchMean);
    const batchVariance = reduceMean(g, g.mul(centred, centred), axes);
    const normal = g.div(centred, g.sqrt(g.add(batchVariance, epsilon)));
    // n / (n - 1) with n the number of values per channel, at least 2
    const found = g.div(g.cast(g.size(x), { to: 'float32' }), channels);
    const count = g.max(found, 2);
    const unbiased = g.mul(batchVariance, g.div(count, g.sub(count, 1)));
    // One value has no variance: it leaves the statistics as they are.
    const several = g.greater(found, 1);
    const moved = (old: Value, now: Value) =>
      g.where(several, g.add(g.mul(old, momentum), g.mul(g.reshape(now, [channels]), 1 - momentum)), old);
    scope.update(`${name}/mean`, moved(mean, batchMean));
    scope.update(`${name}/var`, moved(variance, unbiased));
    return g.add(g.mul(normal, g.reshape(scale, wide)), g.reshape(bias, wide));
  },
});
