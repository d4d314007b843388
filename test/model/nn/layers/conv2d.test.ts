import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, numbers, printed, run } from '../support.js';

it('is a Conv whose pads are numbers', () => {
  expect(printed([{ conv2d: { filters: 2, kernel: 3 } }], [1, 5, 5])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,1,5,5], t/0/conv2d/weight: float32[2,1,3,3], t/0/conv2d/bias: float32[2]) -> (y)
      y: float32[N,2,3,3] = Conv<kernel_shape=[3,3], strides=[1,1], dilations=[1,1], pads=[0,0,0,0], group=1>(x, t/0/conv2d/weight, t/0/conv2d/bias)"
  `);
  const options = { filters: 4, kernel: [3, 2], stride: 2, dilation: [2, 1], groups: 2, padding: 'same', bias: false } as const;
  const [kernel, dilation]: [[number, number], [number, number]] = [[...options.kernel], [...options.dilation]];
  expect(printed([{ conv2d: { ...options, kernel, dilation } }], [2, 6, 5])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2,6,5], t/0/conv2d/weight: float32[4,1,3,2]) -> (y)
      y: float32[N,4,3,3] = Conv<kernel_shape=[3,2], strides=[2,2], dilations=[2,1], pads=[1,0,2,1], group=2>(x, t/0/conv2d/weight)"
  `);
});

it('computes a correlation', async () => {
  const [x, w] = [numbers([1, 2, 4, 4], 1), numbers([3, 2, 2, 3], 2)];
  const bias = [1, 2, 3];
  const { y } = await run([{ conv2d: { filters: 3, kernel: [2, 3] } }], x, {
    't/0/conv2d/weight': w,
    't/0/conv2d/bias': Tensor.from('float32', bias),
  });
  expect(y?.dims).toEqual([1, 3, 3, 2]);
  const expected: number[] = [];
  for (const [f, b] of bias.entries())
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 2; column++) {
        let sum = b;
        for (let c = 0; c < 2; c++)
          for (let i = 0; i < 2; i++)
            for (let j = 0; j < 3; j++)
              sum += Number(x.data[c * 16 + (row + i) * 4 + column + j]) * Number(w.data[((f * 2 + c) * 2 + i) * 3 + j]);
        expected.push(sum);
      }
  y?.numbers().forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i] ?? Number.NaN, 5);
  });
});

it('counts its fans per group', () => {
  const { specs } = lower([{ conv2d: { filters: 4, kernel: 3, groups: 2 } }], [2, 5, 5]);
  expect(specs.map(({ name, shape, init }) => ({ name, shape, init }))).toEqual([
    { name: 't/0/conv2d/weight', shape: [4, 1, 3, 3], init: { by: { kind: 'he_normal' }, fanIn: 9, fanOut: 18 } },
    { name: 't/0/conv2d/bias', shape: [4], init: { fill: 0 } },
  ]);
});

it('takes laterals at its output, which come by its own window from images of its input', () => {
  const layer = { conv2d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } } as const;
  const { joints } = lower([layer, 'relu'], [1, 5, 5], { lateral: true });
  expect(joints).toMatchObject([
    { along: 'positions', width: 4, init: { kind: 'he_normal' }, window: { kernel: [3, 3], stride: [2, 2] }, size: [5, 5] },
  ]);
  expect(printed([layer, 'relu'], [1, 5, 5], { lateral: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,1,5,5], t/0/conv2d/weight: float32[4,1,3,3], t/0/conv2d/bias: float32[4], lateral: float32[N,4,3,3]) -> (y)
      t/0/conv2d/Conv/out: float32[N,4,3,3] = Conv<kernel_shape=[3,3], strides=[2,2], dilations=[1,1], pads=[1,1,1,1], group=1>(x, t/0/conv2d/weight, t/0/conv2d/bias)
      t/0/conv2d/Add/out: float32[N,4,3,3] = Add(t/0/conv2d/Conv/out, lateral)
      y: float32[N,4,3,3] = Relu(t/0/conv2d/Add/out)"
  `);
});

it('refuses what is no image, and groups that do not divide', () => {
  const layer = { conv2d: { filters: 4, kernel: 3, groups: 2 } };
  expect(() => lower([layer], [9])).toThrow(
    'blocks[0][0]: conv2d does not fit its input [9]: an image [channels, height, width] is needed',
  );
  expect(() => lower([layer], [3, 5, 5])).toThrow(
    'blocks[0][0]: conv2d does not fit its input [3,5,5]: 3 channels do not divide into 2 groups',
  );
});
