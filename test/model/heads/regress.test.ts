import { expect, it } from 'vitest';
import { answersOf, metricName, metricRises, sampleMetric, targetKind, targetsOf } from '../../../src/model/heads/heads.js';
import { headOf, matrix, near, outputs } from './support.js';

const [scores, targets] = [
  matrix([
    [1, 2],
    [3, -4],
  ]),
  matrix([
    [0, 4],
    [3, -1],
  ]),
];

it('takes the mean squared error, or the mean absolute one', async () => {
  const of = (loss: 'mse' | 'l1') => outputs(headOf({ regress: { outputs: 2, loss } }), scores, targets);
  const [mse, l1] = [await of('mse'), await of('l1')];
  expect(near(mse.losses, [2.5, 4.5]) && near(mse.mean, [3.5])).toBe(true);
  expect(near(l1.losses, [1.5, 1.5]) && near(l1.mean, [1.5])).toBe(true);
});

it('counts the mean absolute error, which is better when lower; its scores are its answer', () => {
  const head = headOf({ regress: 2 });
  expect([metricName(head), metricRises(head), answersOf(head)]).toEqual(['error', false, undefined]);
  expect(sampleMetric(head, Float32Array.from([0, 0, 1, -1]), [9, 9, 3, 0], 1)).toBe(1.5);
});

it('is trained on any numbers', () => {
  expect(targetsOf(headOf({ regress: 3 }), 8)).toEqual({ dtype: 'float32', shape: [8, 3] });
  expect(targetKind(headOf({ regress: 3 }))).toEqual({ of: 'numbers' });
});
