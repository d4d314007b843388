import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, numbers, printed, run } from '../support.js';

const parameters = {
  't/0/batch_norm/scale': Tensor.from('float32', [2, 3]),
  't/0/batch_norm/bias': Tensor.from('float32', [0.5, -1]),
  't/0/batch_norm/mean': Tensor.from('float32', [0.1, -0.1]),
  't/0/batch_norm/var': Tensor.from('float32', [2, 0.5]),
};

it('is a BatchNormalization in inference, with statistics that no gradient moves', () => {
  expect(printed(['batch_norm'], [2, 3, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2,3,3], t/0/batch_norm/scale: float32[2], t/0/batch_norm/bias: float32[2], t/0/batch_norm/mean: float32[2], t/0/batch_norm/var: float32[2]) -> (y)
      y: float32[N,2,3,3] = BatchNormalization<epsilon=0.00001>(x, t/0/batch_norm/scale, t/0/batch_norm/bias, t/0/batch_norm/mean, t/0/batch_norm/var)"
  `);
  const { specs } = lower(['batch_norm'], [2]);
  expect(specs.map(({ name, init, role }) => [name.split('/').at(-1), init, role])).toEqual([
    ['scale', { fill: 1 }, 'trainable'],
    ['bias', { fill: 0 }, 'trainable'],
    ['mean', { fill: 0 }, 'statistic'],
    ['var', { fill: 1 }, 'statistic'],
  ]);
});

it('takes the minibatch in training, and moves the statistics by the unbiased variance', async () => {
  const x = numbers([3, 2, 2, 2], 5);
  const found = await run([{ batch_norm: { epsilon: 0.01, momentum: 0.75 } }], x, parameters, { training: true });
  for (const c of [0, 1]) {
    const at = x.numbers().filter((_, i) => Math.floor(i / 4) % 2 === c);
    const y = found.y?.numbers().filter((_, i) => Math.floor(i / 4) % 2 === c) ?? [];
    const mean = at.reduce((a, b) => a + b) / at.length;
    const squares = at.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    const [scale = 0, bias = 0] = [[2, 3][c], [0.5, -1][c]];
    at.forEach((v, i) => {
      expect(y[i]).toBeCloseTo((scale * (v - mean)) / Math.sqrt(squares / at.length + 0.01) + bias, 4);
    });
    const next = (what: string) => found[`t/0/batch_norm/${what}/next`]?.numbers()[c];
    expect(next('mean')).toBeCloseTo(0.75 * ([0.1, -0.1][c] ?? 0) + 0.25 * mean, 5);
    expect(next('var')).toBeCloseTo(0.75 * ([2, 0.5][c] ?? 0) + (0.25 * squares) / (at.length - 1), 5);
  }
});

it('leaves the statistics where a minibatch has one value', async () => {
  const found = await run(['batch_norm'], numbers([1, 2], 5), parameters, { training: true });
  const next = (what: string) => found[`t/0/batch_norm/${what}/next`]?.numbers();
  expect(next('mean')).toEqual(parameters['t/0/batch_norm/mean'].numbers());
  expect(next('var')).toEqual(parameters['t/0/batch_norm/var'].numbers());
});

it.each([false, true])('normalises the features of a sequence as the channels of a signal: training %s', async (training) => {
  const x = numbers([3, 4, 2], 5);
  const moved = { ...(training && { training }), layout: 'channels-last' as const };
  const own = await run(['batch_norm'], x, parameters, moved);
  const turned = await run(['to_channels', 'batch_norm', 'to_sequence'], x, parameters, moved);
  expect(Object.keys(own)).toHaveLength(training ? 3 : 1);
  for (const [name, t] of Object.entries(turned))
    for (const [i, v] of t.numbers().entries()) expect(own[name]?.numbers()[i], name).toBeCloseTo(v, 5);
});

it('refuses a single number', () => {
  expect(() => lower(['batch_norm'], [])).toThrow(
    'blocks[0][0]: batch_norm does not fit its input []: features or an image are needed',
  );
});
