import { expect, it } from 'vitest';
import { metricName, metricRises, outputLabels, sampleMetric, sampleWeight, targetsOf } from '../../../src/model/heads/heads.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { headOf, matrix, near, outputs } from './support.js';

const rows = [
  [1, 2, 0.5],
  [3, -1, 0],
];
const scores = matrix(rows);
const logP = rows.map((row) => {
  const sum = Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
  return row.map((x) => x - sum);
});
const at = (row: number, j: number) => logP[row]?.[j] ?? Number.NaN;

it.each(['int64', 'int32'] as const)('takes -log p of the class, classes as %s', async (dtype) => {
  const found = await outputs(headOf({ classify: 3 }), scores, Tensor.from(dtype, [1, 2]));
  const expected = [-at(0, 1), -at(1, 2)];
  expect(near(found.losses, expected)).toBe(true);
  expect(near(found.mean, [(Number(expected[0]) + Number(expected[1])) / 2])).toBe(true);
  expect(near(found.probabilities, logP.flat().map(Math.exp))).toBe(true);
  expect(found.label).toEqual([1, 0]);
});

it.each(['int64', 'int32'] as const)('weighs classes and smooths targets, classes as %s', async (dtype) => {
  const head = headOf({ classify: { classes: 3, class_weights: [1, 2, 0.5], label_smoothing: 0.1 } });
  const found = await outputs(head, scores, Tensor.from(dtype, [1, 2]));
  const soft = logP.map((row) => -row.reduce((a, b) => a + b) / 3);
  const hard = [-2 * at(0, 1), -0.5 * at(1, 2)];
  expect(
    near(
      found.losses,
      hard.map((v, i) => 0.9 * v + 0.1 * Number(soft[i])),
    ),
  ).toBe(true);
  const mean = (0.9 * (Number(hard[0]) + Number(hard[1]))) / 2.5 + (0.1 * (Number(soft[0]) + Number(soft[1]))) / 2;
  expect(near(found.mean, [mean])).toBe(true);
  expect([0, 1, 2].map((c) => sampleWeight(head, c))).toEqual([1, 2, 0.5]);
});

it('counts right answers, the first of equal scores being the answer', () => {
  const head = headOf({ classify: 2 });
  expect([metricName(head), metricRises(head)]).toEqual(['accuracy', true]);
  const equal = Float32Array.from([1, 1, 0, 2]);
  expect([0, 1].map((row) => sampleMetric(head, equal, [0n, 0n], row))).toEqual([1, 0]);
});

it('is trained on a class a row, which people may have names for', () => {
  expect(targetsOf(headOf({ classify: 3 }), 'N')).toEqual({ dtype: 'int64', shape: ['N'] });
  expect(outputLabels(headOf({ classify: { classes: 2, names: ['cat', 'dog'] } }))).toEqual(['cat', 'dog']);
  expect(outputLabels(headOf({ classify: 2 }))).toBeUndefined();
});
