// What may be written of a head's loss and its weights, what is refused, and the numbers that "balanced" stands for.
import { describe, expect, it } from 'vitest';
import { parseDescription, toInput } from '../../../src/model/description/parse.js';
import {
  balanceOf,
  type HeadInput,
  headLoss,
  lowerLoss,
  sampleWeight,
  targetsOf,
  toBalance,
  withBalance,
  withLoss,
} from '../../../src/model/heads/heads.js';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';
import { errorOf, withColumn } from '../description/support.js';
import { headOf } from './support.js';

const at = 'columns[0].head.';

it.each([
  // weights
  [
    { classify: { classes: 3, class_weights: 'balance' } },
    'classify.class_weights: found "balance", expected "balanced", a list of numbers, one for each class, or numbers by class name',
  ],
  [
    { classify: { classes: 3, class_weights: 2 } },
    'classify.class_weights: found 2, expected "balanced", a list of numbers, one for each class, or numbers by class name',
  ],
  [{ classify: { classes: 2, class_weights: [1, -1] } }, 'classify.class_weights[1]: found -1, expected a non-negative number'],
  [
    { classify: { classes: 2, class_weights: { ham: 1 } } },
    'classify.class_weights: found {"ham":1}, expected "names" in the head beside weights by name, or a list',
  ],
  [
    { classify: { classes: 2, names: ['ham', 'spam'], class_weights: { spem: 3 } } },
    'classify.class_weights: unknown class "spem", did you mean "spam"?',
  ],
  [
    { classify: { classes: 2, pos_weight: 3 } },
    'classify: unknown key "pos_weight", expected "class_weights": pos_weight is for the head binary',
  ],
  [
    { binary: { labels: 2, class_weights: 'balanced' } },
    'binary: unknown key "class_weights", expected "pos_weight": class_weights is for the head classify',
  ],
  [{ binary: { labels: 3, pos_weight: [1, 2] } }, 'binary.pos_weight: found [1,2], expected as many weights as "labels"'],
  [{ binary: { labels: 3, pos_weight: 0 } }, 'binary.pos_weight: found 0, expected a positive number'],
  [
    { binary: { labels: 2, names: ['a', 'b'], pos_weight: { c: 1 } } },
    'binary.pos_weight: unknown label "c", expected one of "a", "b"',
  ],
  [
    { regress: { outputs: 1, pos_weight: 2 } },
    'regress: unknown key "pos_weight", expected one of "outputs", "names", "loss", "each", "init"',
  ],
  // losses
  [{ classify: { classes: 2, loss: 'focla' } }, 'classify.loss: unknown loss "focla", did you mean "focal"?'],
  [{ classify: { classes: 2, loss: { focal: -1 } } }, 'classify.loss.focal: found -1, expected a non-negative number'],
  [
    { binary: { labels: 2, loss: { focal: { gamma: '2' } } } },
    'binary.loss.focal.gamma: found "2", expected a non-negative number',
  ],
  [
    { classify: { classes: 2, loss: 'focal', label_smoothing: 0.1 } },
    'classify.label_smoothing: found 0.1, expected 0 beside the loss focal, which has no such form',
  ],
  [
    { regress: { outputs: 1, loss: 'focal' } },
    'regress.loss: unknown loss "focal", expected one of "mse", "l1", "huber", "quantile"',
  ],
  [{ regress: { outputs: 1, loss: { huber: 0 } } }, 'regress.loss.huber: found 0, expected a positive number'],
  [
    { regress: { outputs: 1, loss: 'quantile' } },
    'regress.loss: found "quantile" alone, expected its options, as in { quantile: 0.9 }',
  ],
  [{ regress: { outputs: 1, loss: { quantile: 1 } } }, 'regress.loss.quantile: found 1, expected a number above 0 and below 1'],
  [
    { regress: { outputs: 2, loss: { quantile: [0.1, 90] } } },
    'regress.loss.quantile[1]: found 90, expected a number above 0 and below 1',
  ],
  [
    { regress: { outputs: 2, loss: { quantile: 'median' } } },
    'regress.loss.quantile: found "median", expected a number above 0 and below 1, or a list of them, one for each output',
  ],
  [
    { regress: { outputs: 3, loss: { quantile: [0.1, 0.9] } } },
    'regress.loss: found {"quantile":[0.1,0.9]}, expected as many quantiles as "outputs"',
  ],
])('%j is refused', (head, message) => {
  expect(errorOf(() => parseDescription(withColumn(0, { head }))).message).toBe(at + message);
});

it.each([
  ['class_weights', 'balanced', '{ classify: { classes: 2, class_weights: balanced } }'],
  ['pos_weight', 3, '{ binary: { labels: 3, pos_weight: balanced } }'],
  ['loss', 'huber', '{ regress: { outputs: 1, loss: huber } }'],
])('%s in train is sent to the head', (key, value, example) => {
  expect(errorOf(() => parseDescription(withColumn(0, { train: { [key]: value } }))).message).toBe(
    `columns[0].train: unknown key "${key}", expected it in the head, as in ${example}`,
  );
});

describe('as written', () => {
  it.each([
    [{ classify: { classes: 2, loss: 'cross_entropy' } }, { loss: 'cross_entropy', label_smoothing: 0 }],
    [{ classify: { classes: 2, loss: 'focal' } }, { loss: { kind: 'focal', gamma: 2 }, label_smoothing: 0 }],
    [{ binary: { labels: 2, loss: { focal: { gamma: 1 } } } }, { loss: { kind: 'focal', gamma: 1 } }],
    [{ regress: 2 }, { loss: 'mse' }],
    [{ regress: { outputs: 2, loss: { l1: {} } } }, { loss: 'l1' }],
    [{ regress: { outputs: 2, loss: { huber: 3 } } }, { loss: { kind: 'huber', delta: 3 } }],
    [{ regress: { outputs: 2, loss: { quantile: { q: [0.1, 0.9] } } } }, { loss: { kind: 'quantile', q: [0.1, 0.9] } }],
  ] as [HeadInput, object][])('%j', (written, loss) => {
    const head = headOf(written);
    expect(headLoss(head)).toEqual(loss);
    expect(withLoss(headOf(written), headLoss(head))).toEqual(head);
    // What is read again from what was written out is the same.
    const description = parseDescription(withColumn(0, { head: written }));
    expect(parseDescription(toInput(description))).toEqual(description);
  });
});

describe('balanced', () => {
  const classes = headOf({ classify: { classes: 3, class_weights: 'balanced', names: ['a', 'b', 'c'] } });
  const labels = headOf({ binary: { labels: 2, pos_weight: 'balanced' } });

  it('class weights are D / (k D_c), as in scikit-learn', () => {
    expect(balanceOf(classes, [0, 0, 0, 1, 1, 2], 'data')).toEqual([2 / 3, 1, 2]);
    expect(sampleWeight(withBalance(classes, [2 / 3, 1, 2]), 2n)).toBe(2);
  });

  it('label weights are rows without by rows with, soft targets by their parts', () => {
    expect(balanceOf(labels, [1, 0, 0, 1, 0, 0.5, 0, 0.5], 'data')).toEqual([3, 1]);
  });

  it.each([
    [
      classes,
      [0, 1, 1],
      'data: class_weights: balanced: class "c" has no row in the training part, expected some of each class, or numbers in place of balanced',
    ],
    [
      labels,
      [1, 0, 0, 0],
      'data: pos_weight: balanced: no row of the training part has label 1, expected some with it and some without, or numbers in place of balanced',
    ],
    [
      headOf({ classify: { classes: 3, class_weights: 'balanced', each: 'step' } }),
      [0, 2, 2, -100],
      'data: class_weights: balanced: class 1 has no step in the training part, expected some of each class, or numbers in place of balanced',
    ],
    [
      headOf({ binary: { labels: 2, pos_weight: 'balanced', each: 'step' } }),
      [1, 0, 0, 0],
      'data: pos_weight: balanced: no step of the training part has label 1, expected some with it and some without, or numbers in place of balanced',
    ],
    [
      labels,
      [1, 1, 1, 0],
      'data: pos_weight: balanced: every row of the training part has label 0, expected some with it and some without, or numbers in place of balanced',
    ],
  ])('%#: data that do not tell are refused', (head, targets, message) => {
    expect(() => balanceOf(head, targets, 'data')).toThrow(message);
  });

  it('is told from numbers, and stands for none until it was learned', () => {
    expect([toBalance(classes), toBalance(labels), toBalance(withBalance(labels, [1, 2]))]).toEqual([
      'class_weights',
      'pos_weight',
      undefined,
    ]);
    const g = ops();
    const lower = () => lowerLoss(g, classes, g.input('scores', 'float32', [2, 3]), g.input('targets', 'int64', [2]), 'mean');
    expect(lower).toThrow(
      'class_weights: balanced is learned of the data in training, and this column was not trained here: give numbers',
    );
  });
});

it('weights by name count 1 where a class is not named', () => {
  const head = headOf({ classify: { classes: 3, names: ['a', 'b', 'c'], class_weights: { b: 5 } } });
  expect([0, 1, 2].map((c) => sampleWeight(head, c))).toEqual([1, 5, 1]);
});

it('the loss of a minibatch in which no step counts is 0, and so are its gradients', async () => {
  const heads: readonly HeadInput[] = [
    { classify: { classes: 3, each: 'step' } },
    { classify: { classes: 3, each: 'step', class_weights: [1, 2, 3] } },
    { classify: { classes: 3, each: 'step', loss: 'focal', class_weights: [1, 2, 3] } },
    { binary: { labels: 3, each: 'step' } },
    { regress: { outputs: 3, each: 'step' } },
  ];
  for (const written of heads) {
    const head = headOf(written);
    const g = ops();
    const x = g.input('scores', 'float32', [1, 2, 3]);
    const { dtype, shape } = targetsOf(head, 1);
    const loss = lowerLoss(g, head, x, g.input('targets', dtype, shape), 'mean');
    g.output(must(gradient(g, { of: loss, by: [x] })[0], 'gradient'), 'gradient');
    g.output(loss, 'loss');
    const targets =
      head.kind === 'classify'
        ? Tensor.from('int64', [-100, -100], [1, 2])
        : Tensor.from('float32', new Array(6).fill(Number.NaN), [1, 2, 3]);
    const results = await runModel(g.model(), { scores: Tensor.from('float32', [1, 2, 3, 4, 5, 6], [1, 2, 3]), targets });
    expect(results.loss?.numbers(), JSON.stringify(written)).toEqual([0]);
    expect(
      results.gradient?.numbers().every((v) => v === 0),
      JSON.stringify(written),
    ).toBe(true);
  }
});
