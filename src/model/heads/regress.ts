// regress: numbers, by mean squared, mean absolute or Huber's error, or as quantiles.
import { float32 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { type InitInput, weightInit } from '../nn/init.js';
import { strict } from '../nn/schema.js';
import { eachStep } from './each-step.js';
import { head, meanOf } from './head.js';
import { type NumberLoss, type NumberLossInput, numberLoss } from './losses.js';
import { countBeside, nameList } from './names.js';

/** Options of `regress`. */
export interface RegressOptions {
  /** What the numbers are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** "mse" (when absent), the mean squared error, "l1", the mean absolute one, { huber: { delta: 1 } } or { quantile: 0.9 }. */
  loss?: NumberLossInput;
  /** "step": each step of a sequence [T,F] is answered by itself; when absent: each sample is. */
  each?: 'step';
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * Numbers: mean squared, mean absolute or Huber's error, or quantiles.
 * @function
 */
export const regress = head('regress', {
  doc: "Numbers: mean squared, mean absolute or Huber's error, or quantiles.",
  options: strict({
    outputs: countBeside('outputs', 1).describe('How many numbers there are.'),
    names: nameList('number')
      .optional()
      .describe('What the numbers are called, in the data, in answers and in exported files: a text for each.'),
    loss: numberLoss
      .default('mse')
      .describe(
        '"mse" (when absent), the mean squared error, "l1", the mean absolute one, { huber: { delta: 1 } } or { quantile: 0.9 }.',
      ),
    each: eachStep,
    init: weightInit,
  })
    .refine((h) => h.names === undefined || h.names.length === h.outputs, {
      error: 'expected as many names as "outputs"',
      path: ['names'],
    })
    .refine(
      (h) =>
        !(typeof h.loss === 'object' && h.loss.kind === 'quantile' && Array.isArray(h.loss.q)) || h.loss.q.length === h.outputs,
      {
        error: 'expected as many quantiles as "outputs"',
        path: ['loss'],
      },
    ),
  width: 'outputs',
  example: '{ regress: 3 }',
  call: (outputs: number, options: RegressOptions = {}) => ({ outputs, ...options }),
  targets: { of: 'numbers' },
  loss: (g, { loss }, scores, targets, reduction, counted) =>
    meanOf(g, distance(g, loss, g.sub(scores, targets)), reduction, counted),
  // Quantiles of one number.
  sharesTarget: ({ loss }) => typeof loss === 'object' && loss.kind === 'quantile' && Array.isArray(loss.q),
  metric: {
    name: 'error',
    better: 'lower',
    of: (_, scores, targets) => {
      let sum = 0;
      for (let j = 0; j < scores.length; j++) sum += Math.abs(Number(scores[j]) - Number(targets[j]));
      return sum / scores.length;
    },
  },
  names: (o) => o.names,
});

// d = score - target. Huber's: d^2 / 2 up to delta, delta (|d| - delta / 2) beyond, which with c = min(|d|, delta) is c (|d| - c / 2). The
// pinball loss of quantile q: (1 - q) d above the target, -q d below.
function distance(g: Ops, loss: NumberLoss, d: Value): Value {
  if (loss === 'mse') return g.mul(d, d);
  if (loss === 'l1') return g.abs(d);
  if (loss.kind === 'huber') {
    const far = g.abs(d);
    const near = g.min(far, loss.delta);
    return g.mul(near, g.sub(far, g.mul(near, 0.5)));
  }
  const { q } = loss;
  const parts = (of: (q: number) => number) => (Array.isArray(q) ? g.constant(float32(q.map(of))) : of(q));
  return g.max(
    g.mul(
      d,
      parts((p) => 1 - p),
    ),
    g.mul(
      d,
      parts((p) => -p),
    ),
  );
}
