// Batch normalisation in training: by the minibatch's mean and biased variance in primitive ops (BatchNormalization with training_mode has no WebGPU kernel),
// and the running statistics moved; like PyTorch, the running variance takes the unbiased one.
import { must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** What BatchNormalization reads beside its input: [C] each, and its numbers. */
export interface Normalisation {
  readonly scale: Value;
  readonly bias: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly epsilon: number;
  /** ONNX's: running = running * momentum + batch * (1 - momentum). */
  readonly momentum: number;
}

/** x normalised over all axes but that of its channels, 1 or the last, and the running statistics after this minibatch. */
export function byMinibatch(
  g: Ops,
  x: Value,
  given: Normalisation,
  axis: 1 | -1 = 1,
): { readonly y: Value; readonly mean: Value; readonly variance: Value } {
  const { scale, bias, mean, variance, epsilon, momentum } = given;
  const channels = must(scale.dims[0], 'channels');
  const rank = must(x.shape, 'shape').length;
  const own = axis === 1 ? 1 : rank - 1;
  const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== own);
  const wide = Array.from({ length: rank }, (_, i) => (i === own ? channels : 1));
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
  const next = { mean: moved(mean, batchMean), variance: moved(variance, unbiased) };
  return { ...next, y: g.add(g.mul(normal, g.reshape(scale, wide)), g.reshape(bias, wide)) };
}
