// group_norm: channels in groups, each group of a sample normalised by its own mean and variance. No statistics are kept.
import { ShapeError } from '../../../onnx/core/errors.js';
import { int64, Tensor } from '../../../onnx/core/tensor.js';
import type { Value } from '../../../onnx/ir/graph.js';
import type { Ops } from '../../../onnx/ops/ops-builder.js';
import { layer } from '../layer.js';
import { areKnown } from '../open-size.js';
import { anyPositionsOf, reshaped, sized } from '../sample.js';
import { flag, real, size, strict } from '../schema.js';

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** Added to the variance before the root; 1e-5 when absent. */
  epsilon?: number;
  /** A scale and a bias for each channel; true when absent. */
  affine?: boolean;
}

/**
 * Normalises each group of channels of a sample over all of its positions.
 * @function
 */
export const groupNorm = layer('group_norm', {
  doc: 'Normalises each group of channels of a sample over all of its positions.',
  options: strict({
    groups: size.describe('How many groups; it divides the channels.'),
    epsilon: real('a positive number', { above: 0 })
      .default(1e-5)
      .describe('Added to the variance before the root; 1e-5 when absent.'),
    affine: flag.default(true).describe('A scale and a bias for each channel; true when absent.'),
  }),
  main: 'groups',
  example: '{ group_norm: 8 }',
  call: (groups: number, options: GroupNormOptions = {}) => ({ groups, ...options }),
  /** GroupNormalization begins at opset 18 and takes a scale for each channel from 21 on: InstanceNormalization of the groups is valid in all. */
  lower: ({ g, layout, trainable }, { groups, epsilon, affine }, x) => {
    const { channels, size } = anyPositionsOf(x, layout);
    if (channels % groups !== 0)
      throw new ShapeError(`${channels} channels do not divide into ${groups} groups`, { got: String(channels) });
    const of = (value: number) => g.constant(new Tensor('float32', [groups], new Float32Array(groups).fill(value)));
    const rows = g.reshape(
      x,
      areKnown(size) ? [0, groups, size.reduce((n, d) => n * d, channels / groups)] : grouped(g, x, channels, groups),
    );
    const plain = g.instanceNormalization(rows, of(1), of(0), { epsilon });
    const normal = areKnown(size)
      ? reshaped(g, plain, [channels, ...size])
      : sized(g.reshape(plain, g.shape(x)), [channels, ...size]);
    if (!affine) return normal;
    const wide = [channels, ...size.map(() => 1)];
    const scale = g.reshape(trainable('scale', [channels], { fill: 1 }), wide);
    return g.add(g.mul(normal, scale), g.reshape(trainable('bias', [channels], { fill: 0 }), wide));
  },
  gives: 'channels-first',
});

/**
 * [0, groups, values of each], of sizes that are open: -1 cannot be found of a batch without rows. No Concat, in which ONNX Runtime puts -1 in place of the
 * one that is computed.
 */
function grouped(g: Ops, x: Value, channels: number, groups: number): Value {
  const vector = (...values: number[]) => g.constant(int64(values));
  return g.add(g.mul(g.reduceProd(g.shape(x, { start: 2 })), vector(0, 0, channels / groups)), vector(0, groups, 0));
}
