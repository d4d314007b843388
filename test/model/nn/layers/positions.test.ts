import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, numbers, run } from '../support.js';

it('adds a learned row to each step', async () => {
  const [x, table] = [numbers([2, 3, 4], 1), numbers([3, 4], 2)];
  const { y } = await run(['positional_embedding'], x, { 't/0/positional_embedding/table': table });
  const expected = x.numbers().map((v, i) => v + (table.numbers()[i % 12] ?? 0));
  expect(y?.numbers()).toEqual(expected.map((v) => expect.closeTo(v, 5)));
  expect(lower(['positional_embedding'], [3, 4]).specs).toMatchObject([
    { shape: [3, 4], init: { by: { kind: 'normal', std: 0.02 } } },
  ]);
});

it('adds sines and cosines of the place', async () => {
  const { y } = await run(['sinusoidal'], Tensor.zeros('float32', [1, 2, 4]));
  const second = [Math.sin(1), Math.cos(1), Math.sin(0.01), Math.cos(0.01)];
  expect(y?.numbers()).toEqual([0, 1, 0, 1, ...second].map((v) => expect.closeTo(v, 5)));
});
