// binary: several labels, each there or not, by sigmoid cross-entropy or focal loss.
import { float32 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { type InitInput, weightInit } from '../nn/init.js';
import { strict } from '../nn/schema.js';
import { eachStep } from './each-step.js';
import { head, meanOf } from './head.js';
import { type ChanceLoss, type ChanceLossInput, chanceLoss } from './losses.js';
import { countBeside, nameList } from './names.js';
import { balancedLabels, labelWeights, refuseMisnamed, type Weighting, weightList } from './weights.js';

/** Options of `binary`. */
export interface BinaryOptions {
  /** What the labels are called, in the data, in answers and in exported files: a text for each. */
  names?: string[];
  /** "cross_entropy" (when absent), or { focal: { gamma: 2 } }, where labels that are answered rightly already count less. */
  loss?: ChanceLossInput;
  /** What a label that is there counts beside one that is not: a number, one for each label in order or by name, or "balanced" by the training data; 1 when absent. */
  pos_weight?: number | Weighting;
  /** "step": each step of a sequence [T,F] is answered by itself; when absent: each sample is. */
  each?: 'step';
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * Several labels, each there or not: sigmoid cross-entropy or focal loss.
 * @function
 */
export const binary = head('binary', {
  doc: 'Several labels, each there or not: sigmoid cross-entropy or focal loss.',
  options: strict(
    {
      labels: countBeside('labels', 1).describe('How many labels there are.'),
      names: nameList('label')
        .optional()
        .describe('What the labels are called, in the data, in answers and in exported files: a text for each.'),
      loss: chanceLoss
        .optional()
        .describe(
          '"cross_entropy" (when absent), or { focal: { gamma: 2 } }, where labels that are answered rightly already count less.',
        ),
      pos_weight: labelWeights
        .optional()
        .describe(
          'What a label that is there counts beside one that is not: a number, one for each label in order or by name, or "balanced" by the training data; 1 when absent.',
        ),
      each: eachStep,
      init: weightInit,
    },
    undefined,
    { class_weights: 'expected "pos_weight": class_weights is for the head classify' },
  )
    .refine((h) => h.names === undefined || h.names.length === h.labels, {
      error: 'expected as many names as "labels"',
      path: ['names'],
    })
    .refine((h) => !Array.isArray(h.pos_weight) || h.pos_weight.length === h.labels, {
      error: 'expected as many weights as "labels"',
      path: ['pos_weight'],
    })
    .superRefine(refuseMisnamed('pos_weight', 'label')),
  width: 'labels',
  example: '{ binary: 5 }',
  call: (labels: number, options: BinaryOptions = {}) => ({ labels, ...options }),
  targets: { of: 'numbers', from: 0, to: 1 },
  loss: (g, o, scores, targets, reduction, counted) => meanOf(g, crossEntropy(g, o, scores, targets), reduction, counted),
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
  balance: { option: 'pos_weight', of: ({ labels }, targets, named) => balancedLabels(targets, labels, named) },
  names: (o) => o.names,
});

interface LabelLoss {
  readonly labels: number;
  readonly names?: readonly string[] | undefined;
  readonly loss?: ChanceLoss | undefined;
  readonly pos_weight?: number | Weighting | undefined;
}

// With p = sigmoid(x): -log p = softplus(-x) and -log(1 - p) = softplus(x). Cross-entropy is w t softplus(-x) + (1 - t) softplus(x), which
// without a weight w is softplus(x) - x t. Focal loss (arXiv 1708.02002) takes the first part times (1 - p)^gamma = e^(-gamma softplus(x)) and
// the second times p^gamma.
function crossEntropy(g: Ops, o: LabelLoss, scores: Value, targets: Value): Value {
  const gamma = typeof o.loss === 'object' ? o.loss.gamma : undefined;
  if (o.pos_weight === undefined && gamma === undefined) return g.sub(g.softplus(scores), g.mul(scores, targets));
  const weights = o.pos_weight === undefined ? undefined : weightList('pos_weight', o.pos_weight, o, o.labels);
  const there = weights === undefined ? targets : g.mul(targets, g.constant(float32(weights)));
  const [right, wrong] = [g.softplus(g.neg(scores)), g.softplus(scores)];
  const focal = (loss: Value, other: Value) => (gamma === undefined ? loss : g.mul(g.exp(g.mul(other, -gamma)), loss));
  return g.add(g.mul(there, focal(right, wrong)), g.mul(g.sub(1, targets), focal(wrong, right)));
}
