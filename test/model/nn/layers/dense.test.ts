import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, printed, run } from '../support.js';

it('is a Gemm with a bias, a MatMul without', () => {
  expect(printed([{ dense: 3 }], [2])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dense/weight: float32[2,3], t/0/dense/bias: float32[3]) -> (y)
      y: float32[N,3] = Gemm(x, t/0/dense/weight, t/0/dense/bias)"
  `);
  expect(printed([{ dense: { units: 3, bias: false } }], [2])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dense/weight: float32[2,3]) -> (y)
      y: float32[N,3] = MatMul(x, t/0/dense/weight)"
  `);
});

it('computes x W + b', async () => {
  const { y } = await run([{ dense: 2 }], Tensor.from('float32', [1, 2, 3, 4], [2, 2]), {
    't/0/dense/weight': Tensor.from('float32', [1, 0, -1, 2], [2, 2]),
    't/0/dense/bias': Tensor.from('float32', [10, 20]),
  });
  expect([y?.dims, y?.numbers()]).toEqual([
    [2, 2],
    [9, 24, 9, 28],
  ]);
});

it('begins as its init says, the bias with PyTorch only', () => {
  const inits = (init?: 'torch_uniform') => lower([{ dense: { units: 3, ...(init && { init }) } }], [2]).specs.map((s) => s.init);
  expect(inits()).toEqual([{ by: { kind: 'he_normal' }, fanIn: 2, fanOut: 3 }, { fill: 0 }]);
  const by = { kind: 'torch_uniform' };
  expect(inits('torch_uniform')).toEqual([
    { by, fanIn: 2, fanOut: 3 },
    { by, fanIn: 2, fanOut: 1 },
  ]);
});

it('takes laterals at its output, after the bias', () => {
  const { joints } = lower([{ dense: { units: 3, init: 'zeros' } }], [2], { lateral: true });
  expect(joints).toEqual([{ along: 'features', width: 3, init: { kind: 'zeros' } }]);
  expect(printed(['relu', { dense: 3 }, 'tanh', { dense: 4 }], [2], { lateral: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dense/weight: float32[2,3], t/0/dense/bias: float32[3], lateral: float32[N,3], t/0/dense_1/weight: float32[3,4], t/0/dense_1/bias: float32[4]) -> (y)
      t/0/relu/Relu/out: float32[N,2] = Relu(x)
      t/0/dense/Gemm/out: float32[N,3] = Gemm(t/0/relu/Relu/out, t/0/dense/weight, t/0/dense/bias)
      t/0/dense/Add/out: float32[N,3] = Add(t/0/dense/Gemm/out, lateral)
      t/0/tanh/Tanh/out: float32[N,3] = Tanh(t/0/dense/Add/out)
      y: float32[N,4] = Gemm(t/0/tanh/Tanh/out, t/0/dense_1/weight, t/0/dense_1/bias)"
  `);
});

it('refuses what is not flat', () => {
  expect(() => lower([{ dense: 3 }], [1, 2, 2])).toThrow(
    'blocks[0][0]: dense does not fit its input [1,2,2]: a flat input is needed, put "flatten" before it',
  );
});
