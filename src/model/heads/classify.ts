// classify: one class of several, by softmax cross-entropy.
import * as z from 'zod';
import { float32, Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { type InitInput, weightInit } from '../nn/init.js';
import { integer, real, strict } from '../nn/schema.js';
import { head, meanOf, type Reduction } from './head.js';
import { nameList } from './names.js';

/** Options of `classify`. */
export interface ClassifyOptions {
  /** What the classes are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** What a sample counts in the loss, by its class; all the same when absent. */
  class_weights?: number[];
  /** The part of each target that is spread over all classes; 0 when absent. */
  label_smoothing?: number;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

const weights = z.array(real('a non-negative number', { min: 0 }), { error: 'a list of numbers, one for each class' });

/**
 * One class of several: softmax cross-entropy.
 * @function
 */
export const classify = head('classify', {
  doc: 'One class of several: softmax cross-entropy.',
  options: strict({
    classes: integer(2, 'an integer of at least 2').describe('How many classes there are.'),
    names: nameList('class')
      .optional()
      .describe('What the classes are called, in the data, in answers and in exported files: a text for each.'),
    class_weights: weights.optional().describe('What a sample counts in the loss, by its class; all the same when absent.'),
    label_smoothing: real('a number of at least 0 and below 1', { min: 0, below: 1 })
      .default(0)
      .describe('The part of each target that is spread over all classes; 0 when absent.'),
    init: weightInit,
  })
    .refine((h) => h.class_weights === undefined || h.class_weights.length === h.classes, {
      error: 'expected as many weights as "classes"',
      path: ['class_weights'],
    })
    .refine((h) => h.class_weights === undefined || h.class_weights.some((w) => w > 0), {
      error: 'expected at least one weight above 0',
      path: ['class_weights'],
    })
    .refine((h) => h.names === undefined || h.names.length === h.classes, {
      error: 'expected as many names as "classes"',
      path: ['names'],
    }),
  width: 'classes',
  example: '{ classify: 10 }',
  call: (classes: number, options: ClassifyOptions = {}) => ({ classes, ...options }),
  targets: { of: 'classes' },
  loss: (g, o, scores, targets, reduction) => crossEntropy(g, o, scores, targets, reduction),
  metric: {
    name: 'accuracy',
    better: 'higher',
    of: (_, scores, targets) => {
      let best = 0;
      for (let j = 1; j < scores.length; j++) if (Number(scores[j]) > Number(scores[best])) best = j;
      return best === targets[0] ? 1 : 0;
    },
  },
  answers: {
    each: 'class',
    probabilities: (g, scores) => g.softmax(scores, { axis: 1 }),
    label: (g, scores) => g.argMax(scores, { axis: 1, keepdims: 0 }),
  },
  weight: (o, target) => (o.class_weights === undefined ? 1 : (o.class_weights[target] ?? Number.NaN)),
  names: (o) => o.names,
});

interface Weighting {
  readonly class_weights?: readonly number[] | undefined;
  readonly label_smoothing: number;
}

/**
 * "mean" is divided by the sum of the class weights met (0 where all of them are 0); under "none" the weight of a sample's class is multiplied in.
 * Classes as int32 take a form without SoftmaxCrossEntropyLoss and OneHot, which graphics processors lack.
 */
function crossEntropy(g: Ops, o: Weighting, scores: Value, targets: Value, reduction: Reduction): Value {
  const weights = o.class_weights === undefined ? undefined : g.constant(float32(o.class_weights));
  const zeros = o.class_weights?.includes(0) === true;
  const s = o.label_smoothing;
  if (targets.dtype === 'int32') return maskedCrossEntropy(g, scores, targets, weights, zeros, s, reduction);
  const hard =
    reduction === 'mean' && weights !== undefined && zeros
      ? g.div(
          g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction: 'sum' }),
          aboveZero(g, g.reduceSum(g.gather(weights, targets, { axis: 0 }), undefined, { keepdims: 0 })),
        )
      : g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction });
  if (s === 0) return hard;
  // (1 - s) CE + s mean over classes of -log p; PyTorch's label_smoothing (without class weights in the second part)
  const soft = g.neg(meanOf(g, g.logSoftmax(scores, { axis: 1 }), reduction));
  return g.add(g.mul(hard, 1 - s), g.mul(soft, s));
}

/**
 * A sum or mean of weights to divide by. Where all of them are 0 so is what is divided: 0 by the least normal float32 is 0, and no other weights
 * come near it.
 */
function aboveZero(g: Ops, weights: Value): Value {
  return g.clip(weights, 2 ** -126);
}

// With z = x - max x and log p = z - log sum e^z:  loss = - sum over classes of [(1 - s) w t + s / k] log p, t being 1 for the sample's class
// and else 0. Mean: the hard part over the sum of the weights met, the soft part over the samples.
function maskedCrossEntropy(
  g: Ops,
  scores: Value,
  targets: Value,
  weights: Value | undefined,
  zeros: boolean,
  smoothing: number,
  reduction: Reduction,
): Value {
  const classes = Number(scores.shape?.[1]);
  const index = g.constant(
    Tensor.from(
      'int32',
      Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    ),
  );
  const mask = g.cast(g.equal(g.unsqueeze(targets, [1]), index), { to: 'float32' });
  const z = g.sub(scores, g.reduceMax(scores, [1], { keepdims: 1 }));
  const logP = g.sub(z, g.log(g.reduceSum(g.exp(z), [1], { keepdims: 1 })));
  const weighted = weights === undefined ? mask : g.mul(mask, weights);
  const perSample = (v: Value) => g.reduceSum(v, [1], { keepdims: 0 });
  const mean = (v: Value) => g.reduceMean(v, [0], { keepdims: 0 });
  const each = g.neg(perSample(g.mul(weighted, logP)));
  const met = weights === undefined ? undefined : mean(perSample(weighted));
  const hard = reduction === 'none' ? each : met === undefined ? mean(each) : g.div(mean(each), zeros ? aboveZero(g, met) : met);
  if (smoothing === 0) return hard;
  const softEach = g.neg(g.reduceMean(logP, [1], { keepdims: 0 }));
  const soft = reduction === 'none' ? softEach : mean(softEach);
  return g.add(g.mul(hard, 1 - smoothing), g.mul(soft, smoothing));
}
