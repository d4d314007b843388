// Layers that make features of a sequence [T,F]: mean, largest, last and a learned mean over its steps; steps that only fill up do not count.
import * as z from 'zod';
import type { Value } from '../../../onnx/ir/graph.js';
import { reduceMean, reduceSum } from '../../../onnx/ops/families/reduce.js';
import type { Ops } from '../../../onnx/ops/ops-builder.js';
import { glorotInit, type InitInput } from '../init.js';
import { type LayerContext, layer } from '../layer.js';
import { placesOf, uncounted } from '../present.js';
import { sequenceOf } from '../sample.js';
import { strict } from '../schema.js';

/** Options of `meanOverSteps`, `maxOverSteps` and `lastStep`. */
export interface OverStepsOptions {
  /** An input that says which steps are there: a number for each, 0 where it fills up, or how many there are; all of them when absent. */
  mask?: string;
}

/** Options of `attentionOverSteps`. */
export interface AttentionOverStepsOptions extends OverStepsOptions {
  /** How the weights begin: glorot_uniform when absent, biases at 0. */
  init?: InitInput;
}

const fields = {
  mask: z
    .string({ error: 'the name of an input' })
    .min(1, { error: 'the name of an input' })
    .optional()
    .describe(
      'An input that says which steps are there: a number for each, 0 where it fills up, or how many there are; all of them when absent.',
    ),
};
const call = (options: OverStepsOptions = {}) => options;

/** The sizes of a sequence, and which of its steps are there, bool [N,T,1]: undefined where all are. */
function stepsOf(c: LayerContext, mask: string | undefined, x: Value) {
  const [, features] = sequenceOf(x, c.layout);
  const present = mask === undefined ? undefined : c.g.unsqueeze(c.present(mask, x), [2]);
  return { g: c.g, features, present };
}

const counted = (g: Ops, present: Value) => g.cast(present, { to: 'float32' });

/**
 * The mean of a sequence [T,F] over its steps: [F]. Without any step it is 0.
 * @function
 */
export const meanOverSteps = layer('mean_over_steps', {
  doc: 'The mean of a sequence [T,F] over its steps: [F]. Without any step it is 0.',
  options: strict(fields),
  call,
  lower: (c, { mask }, x) => {
    const { g, present } = stepsOf(c, mask, x);
    if (present === undefined) return reduceMean(g, x, [1], 0);
    const ones = counted(g, present);
    // Not a product: what fills up may be no number.
    const sum = reduceSum(g, g.where(present, x, 0), [1], 0);
    return g.div(sum, g.max(reduceSum(g, ones, [1], 0), 1));
  },
  gives: 'unsaid',
});

/**
 * The largest of a sequence [T,F] over its steps, for each feature: [F]. Without any step it is 0.
 * @function
 */
export const maxOverSteps = layer('max_over_steps', {
  doc: 'The largest of a sequence [T,F] over its steps, for each feature: [F]. Without any step it is 0.',
  options: strict(fields),
  call,
  lower: (c, { mask }, x) => {
    const { g, present } = stepsOf(c, mask, x);
    const largest = (v: Value) => g.reduceMax(v, [1], { keepdims: 0 });
    if (present === undefined) return largest(x);
    const some = g.greater(largest(counted(g, present)), 0);
    return g.where(some, largest(g.where(present, x, Number.NEGATIVE_INFINITY)), 0);
  },
  gives: 'unsaid',
});

/**
 * The last step of a sequence [T,F] that is there: [F]. Without any step it is 0.
 * @function
 */
export const lastStep = layer('last_step', {
  doc: 'The last step of a sequence [T,F] that is there: [F]. Without any step it is 0.',
  options: strict(fields),
  call,
  lower: (c, { mask }, x) => {
    const [steps] = sequenceOf(x, c.layout);
    const { g } = c;
    if (mask === undefined) return g.gather(x, typeof steps === 'number' ? steps - 1 : -1, { axis: 1 });
    const present = c.present(mask, x);
    const places = placesOf(g, present, x);
    const last = g.equal(places, g.reduceMax(places, [1], { keepdims: 1 }));
    const chosen = g.unsqueeze(g.and(present, last), [2]);
    return reduceSum(g, g.where(chosen, x, 0), [1], 0);
  },
  gives: 'unsaid',
});

/**
 * A mean of a sequence [T,F] over its steps, whose weights are learned of the features of each: [F]. Without any step it is 0.
 * @function
 */
export const attentionOverSteps = layer('attention_over_steps', {
  doc: 'A mean of a sequence [T,F] over its steps, whose weights are learned of the features of each: [F]. Without any step it is 0.',
  options: strict({ ...fields, init: glorotInit }),
  call: (options: AttentionOverStepsOptions = {}) => options,
  lower: (c, { mask, init }, x) => {
    const { g, features, present } = stepsOf(c, mask, x);
    const steps = present === undefined ? x : g.where(present, x, 0);
    const weight = (what: string, units: number) =>
      c.trainable(`${what}/weight`, [features, units], { by: init, fanIn: features, fanOut: units });
    const hidden = g.tanh(
      g.add(g.matMul(steps, weight('hidden', features)), c.trainable('hidden/bias', [features], { fill: 0 })),
    );
    const scores = g.matMul(hidden, weight('score', 1));
    const weights = g.softmax(present === undefined ? scores : g.where(present, scores, uncounted), { axis: 1 });
    return reduceSum(g, g.mul(steps, weights), [1], 0);
  },
  gives: 'unsaid',
});
