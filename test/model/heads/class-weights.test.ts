// The mean loss under class weights of 0, in both of its forms, against the formula.
import { expect, it } from 'vitest';
import type { Head } from '../../../src/model/description/description.js';
import { lowerLoss } from '../../../src/model/heads/heads.js';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';

it.each(['int64', 'int32'] as const)('the weighted mean of %s classes, zeros met or not', async (dtype) => {
  const head: Head = { kind: 'classify', classes: 3, class_weights: [0, 2, 0.5], label_smoothing: 0, init: { kind: 'zeros' } };
  const g = ops();
  const scores = g.input('scores', 'float32', [3, 3]);
  const targets = g.input('targets', dtype, [3]);
  const loss = lowerLoss(g, head, scores, targets, 'mean');
  g.output(loss, 'loss');
  g.output(must(gradient(g, { of: loss, by: [scores] })[0], 'gradient'), 'd');
  const values = [1, 2, 3, 0, 1, 0, 2, 2, 1];
  const run = (classes: number[]) =>
    runModel(g.model(), { scores: Tensor.from('float32', values, [3, 3]), targets: Tensor.from(dtype, classes) });
  const nll = (row: number, c: number) => {
    const x = values.slice(row * 3, row * 3 + 3);
    return Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0)) - must(x[c], 'score');
  };
  const met = await run([1, 0, 2]);
  expect(met.loss?.numbers()[0]).toBeCloseTo((2 * nll(0, 1) + 0.5 * nll(2, 2)) / 2.5, 6);
  const none = await run([0, 0, 0]);
  expect([none.loss?.numbers(), none.d?.numbers().map(Math.abs)]).toEqual([[0], Array(9).fill(0)]);
});
