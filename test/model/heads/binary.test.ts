import { expect, it } from 'vitest';
import { metricName, metricRises, sampleMetric, targetKind, targetsOf } from '../../../src/model/heads/heads.js';
import { headOf, matrix, near, outputs } from './support.js';

const head = headOf({ binary: 2 });

it('takes the mean over labels of -[t log p + (1 - t) log(1 - p)]', async () => {
  const [scores, targets] = [
    [
      [0.5, -2],
      [100, 0],
    ],
    [
      [1, 0.25],
      [1, 0],
    ],
  ];
  const found = await outputs(head, matrix(scores), matrix(targets));
  const each = (x: number, t: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - x * t;
  const losses = scores.map((row, i) => row.reduce((sum, x, j) => sum + each(x, Number(targets[i]?.[j])), 0) / 2);
  expect(near(found.losses, losses)).toBe(true);
  expect(near(found.mean, [(Number(losses[0]) + Number(losses[1])) / 2])).toBe(true);
  expect(
    near(
      found.probabilities,
      scores.flat().map((x) => 1 / (1 + Math.exp(-x))),
    ),
  ).toBe(true);
  expect(found.label).toEqual([1, 0, 1, 0]);
});

it('counts the share of right labels', () => {
  expect([metricName(head), metricRises(head)]).toEqual(['accuracy', true]);
  expect(sampleMetric(head, Float32Array.from([9, 9, 1, -1]), [0, 0, 1, 1], 1)).toBe(0.5);
});

it('is trained on numbers from 0 to 1', () => {
  expect(targetsOf(head, 'N')).toEqual({ dtype: 'float32', shape: ['N', 2] });
  expect(targetKind(head)).toEqual({ of: 'numbers', from: 0, to: 1 });
});
