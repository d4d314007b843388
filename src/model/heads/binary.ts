// binary: several labels, each there or not, by sigmoid cross-entropy.
import { type InitInput, weightInit } from '../nn/init.js';
import { size, strict } from '../nn/schema.js';
import { head, meanOf } from './head.js';
import { nameList } from './names.js';

/** Options of `binary`. */
export interface BinaryOptions {
  /** What the labels are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * Several labels, each there or not: sigmoid cross-entropy.
 * @function
 */
export const binary = head('binary', {
  doc: 'Several labels, each there or not: sigmoid cross-entropy.',
  options: strict({
    labels: size.describe('How many labels there are.'),
    names: nameList('label')
      .optional()
      .describe('What the labels are called, in the data, in answers and in exported files: a text for each.'),
    init: weightInit,
  }).refine((h) => h.names === undefined || h.names.length === h.labels, {
    error: 'expected as many names as "labels"',
    path: ['names'],
  }),
  width: 'labels',
  example: '{ binary: 5 }',
  call: (labels: number, options: BinaryOptions = {}) => ({ labels, ...options }),
  targets: { of: 'numbers', from: 0, to: 1 },
  // -[t log p + (1 - t) log(1 - p)] with p = sigmoid(x) is softplus(x) - x t
  loss: (g, _, scores, targets, reduction) => meanOf(g, g.sub(g.softplus(scores), g.mul(scores, targets)), reduction),
  metric: {
    name: 'accuracy',
    better: 'higher',
    of: (_, scores, targets) => {
      let right = 0;
      for (let j = 0; j < scores.length; j++) right += Number(Number(scores[j]) > 0 === Number(targets[j]) > 0.5);
      return right / scores.length;
    },
  },
  answers: {
    each: 'flags',
    probabilities: (g, scores) => g.sigmoid(scores),
    label: (g, scores) => g.greater(scores, 0),
  },
  names: (o) => o.names,
});
