// Activations, a row each, lowered to ops of opset 17. Laterals of Eq. 2 may take any of them, options at their defaults.
import * as z from 'zod';
import { ShapeError } from '../../../onnx/core/errors.js';
import type { Value } from '../../../onnx/ir/graph.js';
import type { Ops } from '../../../onnx/ops/ops-builder.js';
import { activation } from '../layer.js';
import { sampleDims } from '../sample.js';
import { real, strict } from '../schema.js';

/** An activation without options. */
const plain = <const K extends string>(kind: K, doc: string, apply: (g: Ops, x: Value) => Value) =>
  activation(kind, { doc, options: strict({}), call: () => ({}), apply: (g, _, x) => apply(g, x) });

/**
 * max(x, 0).
 * @function
 */
export const relu = plain('relu', 'max(x, 0).', (g, x) => g.relu(x));
/**
 * x where it is positive, else alpha (e^x - 1), at the scale that keeps mean 0 and variance 1.
 * @function
 */
export const selu = plain(
  'selu',
  'x where it is positive, else alpha (e^x - 1), at the scale that keeps mean 0 and variance 1.',
  (g, x) => g.selu(x),
);
/**
 * 1 / (1 + e^-x).
 * @function
 */
export const sigmoid = plain('sigmoid', '1 / (1 + e^-x).', (g, x) => g.sigmoid(x));
/**
 * The hyperbolic tangent.
 * @function
 */
export const tanh = plain('tanh', 'The hyperbolic tangent.', (g, x) => g.tanh(x));
/**
 * log(1 + e^x).
 * @function
 */
export const softplus = plain('softplus', 'log(1 + e^x).', (g, x) => g.softplus(x));
/**
 * x max(0, min(1, x / 6 + 1/2)).
 * @function
 */
export const hardswish = plain('hardswish', 'x max(0, min(1, x / 6 + 1/2)).', (g, x) => g.hardSwish(x));
/**
 * x sigmoid(x).
 * @function
 */
export const silu = plain('silu', 'x sigmoid(x).', (g, x) => g.mul(x, g.sigmoid(x)));
// The op Gelu begins at opset 20.
/**
 * x (1 + erf(x / sqrt 2)) / 2.
 * @function
 */
export const gelu = plain('gelu', 'x (1 + erf(x / sqrt 2)) / 2.', (g, x) =>
  g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1)),
);

/**
 * x where it is positive, else alpha x.
 * @function
 */
export const leakyRelu = activation('leaky_relu', {
  doc: 'x where it is positive, else alpha x.',
  options: strict({ alpha: real('a number').default(0.01).describe('The slope below 0; 0.01 when absent.') }),
  main: 'alpha',
  call: (alpha?: number) => ({ alpha }),
  apply: (g, { alpha }, x) => g.leakyRelu(x, { alpha }),
});
/**
 * x where it is positive, else alpha (e^x - 1).
 * @function
 */
export const elu = activation('elu', {
  doc: 'x where it is positive, else alpha (e^x - 1).',
  options: strict({ alpha: real('a number').default(1).describe('Where it ends for the least x, negated; 1 when absent.') }),
  main: 'alpha',
  call: (alpha?: number) => ({ alpha }),
  apply: (g, { alpha }, x) => g.elu(x, { alpha }),
});
/**
 * e^x over the sum of e^x along an axis of the sample.
 * @function
 */
export const softmax = activation('softmax', {
  doc: 'e^x over the sum of e^x along an axis of the sample.',
  options: strict({
    axis: z.int({ error: 'an integer' }).default(-1).describe('The axis, the batch counted as 0; -1, the last, when absent.'),
  }),
  main: 'axis',
  call: (axis?: number) => ({ axis }),
  along: true,
  apply: (g, { axis }, x) => {
    if (axis === 0 || axis === -(sampleDims(x).length + 1))
      throw new ShapeError(`axis ${axis} is the batch, expected an axis of the sample: from 1, or from the end`, {
        got: String(axis),
      });
    return g.softmax(x, { axis });
  },
});
