// classify: one class of several, by softmax cross-entropy or focal loss.
import { type InitInput, weightInit } from '../nn/init.js';
import { real, strict } from '../nn/schema.js';
import { crossEntropy } from './cross-entropy.js';
import { eachStep } from './each-step.js';
import { head, lastAxis } from './head.js';
import { type ChanceLossInput, chanceLoss } from './losses.js';
import { countBeside, nameList } from './names.js';
import { balancedClasses, classWeights, refuseMisnamed, type Weighting, weightList } from './weights.js';

/** Options of `classify`. */
export interface ClassifyOptions {
  /** What the classes are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** "cross_entropy" (when absent), or { focal: { gamma: 2 } }, where rows that are answered rightly already count less. */
  loss?: ChanceLossInput;
  /** What a sample counts in the loss, by its class: numbers in order or by name, or "balanced" by the training data; all the same when absent. */
  class_weights?: Weighting;
  /** The part of each target that is spread over all classes; 0 when absent. */
  label_smoothing?: number;
  /** "step": each step of a sequence [T,F] is answered by itself; when absent: each sample is. */
  each?: 'step';
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * One class of several: softmax cross-entropy or focal loss.
 * @function
 */
export const classify = head('classify', {
  doc: 'One class of several: softmax cross-entropy or focal loss.',
  options: strict(
    {
      classes: countBeside('classes', 2).describe('How many classes there are.'),
      names: nameList('class')
        .optional()
        .describe('What the classes are called, in the data, in answers and in exported files: a text for each.'),
      loss: chanceLoss
        .optional()
        .describe(
          '"cross_entropy" (when absent), or { focal: { gamma: 2 } }, where rows that are answered rightly already count less.',
        ),
      class_weights: classWeights
        .optional()
        .describe(
          'What a sample counts in the loss, by its class: numbers in order or by name, or "balanced" by the training data; all the same when absent.',
        ),
      label_smoothing: real('a number of at least 0 and below 1', { min: 0, below: 1 })
        .default(0)
        .describe('The part of each target that is spread over all classes; 0 when absent.'),
      each: eachStep,
      init: weightInit,
    },
    undefined,
    { pos_weight: 'expected "class_weights": pos_weight is for the head binary' },
  )
    .refine((h) => !Array.isArray(h.class_weights) || h.class_weights.length === h.classes, {
      error: 'expected as many weights as "classes"',
      path: ['class_weights'],
    })
    .refine((h) => !Array.isArray(h.class_weights) || h.class_weights.some((w) => w > 0), {
      error: 'expected at least one weight above 0',
      path: ['class_weights'],
    })
    .refine((h) => h.names === undefined || h.names.length === h.classes, {
      error: 'expected as many names as "classes"',
      path: ['names'],
    })
    .superRefine(refuseMisnamed('class_weights', 'class'))
    .refine((h) => h.label_smoothing === 0 || typeof h.loss !== 'object', {
      error: 'expected 0 beside the loss focal, which has no such form',
      path: ['label_smoothing'],
    }),
  width: 'classes',
  example: '{ classify: 10 }',
  call: (classes: number, options: ClassifyOptions = {}) => ({ classes, ...options }),
  targets: { of: 'classes' },
  loss: crossEntropy,
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
    probabilities: (g, scores) => g.softmax(scores, { axis: lastAxis(scores) }),
    label: (g, scores) => g.argMax(scores, { axis: lastAxis(scores), keepdims: 0 }),
  },
  balance: { option: 'class_weights', of: ({ classes }, targets, named) => balancedClasses(targets, classes, named) },
  weight: (o, target) =>
    o.class_weights === undefined ? 1 : (weightList('class_weights', o.class_weights, o, o.classes)[target] ?? Number.NaN),
  names: (o) => o.names,
});
