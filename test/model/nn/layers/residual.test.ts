import { expect, it } from 'vitest';
import { lower, printed } from '../support.js';

it('adds what its layers give to its input; names within begin anew', () => {
  expect(printed([{ dense: 2 }, { residual: [{ dense: 2 }, 'relu'] }], [2])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dense/weight: float32[2,2], t/0/dense/bias: float32[2], t/0/residual/dense/weight: float32[2,2], t/0/residual/dense/bias: float32[2]) -> (y)
      t/0/dense/Gemm/out: float32[N,2] = Gemm(x, t/0/dense/weight, t/0/dense/bias)
      t/0/residual/t/0/residual/dense/Gemm/out: float32[N,2] = Gemm(t/0/dense/Gemm/out, t/0/residual/dense/weight, t/0/residual/dense/bias)
      t/0/residual/t/0/residual/relu/Relu/out: float32[N,2] = Relu(t/0/residual/t/0/residual/dense/Gemm/out)
      y: float32[N,2] = Add(t/0/dense/Gemm/out, t/0/residual/t/0/residual/relu/Relu/out)"
  `);
});

it('lets a lateral join within, at the first layer that has a joint', () => {
  const layers = ['relu' as const, { residual: ['tanh' as const, { residual: [{ dense: 2 }] }] }, { dense: 3 }];
  expect(lower(layers, [2], { lateral: true }).joints).toMatchObject([{ along: 'features', width: 2 }]);
  expect(printed(layers, [2], { lateral: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/residual/residual/dense/weight: float32[2,2], t/0/residual/residual/dense/bias: float32[2], lateral: float32[N,2], t/0/dense/weight: float32[2,3], t/0/dense/bias: float32[3]) -> (y)
      t/0/relu/Relu/out: float32[N,2] = Relu(x)
      t/0/residual/t/0/residual/tanh/Tanh/out: float32[N,2] = Tanh(t/0/relu/Relu/out)
      t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Gemm/out: float32[N,2] = Gemm(t/0/residual/t/0/residual/tanh/Tanh/out, t/0/residual/residual/dense/weight, t/0/residual/residual/dense/bias)
      t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Add/out: float32[N,2] = Add(t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Gemm/out, lateral)
      t/0/residual/t/0/residual/residual/Add/out: float32[N,2] = Add(t/0/residual/t/0/residual/tanh/Tanh/out, t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Add/out)
      t/0/residual/Add/out: float32[N,2] = Add(t/0/relu/Relu/out, t/0/residual/t/0/residual/residual/Add/out)
      y: float32[N,3] = Gemm(t/0/residual/Add/out, t/0/dense/weight, t/0/dense/bias)"
  `);
});

it('takes a lateral at the input of the block where no layer within has a joint', () => {
  const { joints, g } = lower([{ residual: ['relu'] }], [2], { lateral: true });
  expect(joints).toMatchObject([{ along: 'features', width: 2 }]);
  expect(g.graph.nodes.map((n) => n.opType)).toEqual(['Add', 'Relu', 'Add']);
});

it('refuses layers that change the shape, and names what is wrong within', () => {
  expect(() => lower([{ residual: [{ dense: 3 }] }], [2])).toThrow(
    'blocks[0][0]: residual does not fit its input [2]: the layers inside must keep the shape [2], they give [3]',
  );
  expect(() => lower([{ residual: [{ residual: ['relu', { maxpool2d: 2 }] }] }], [2])).toThrow(
    'blocks[0][0].residual[0].residual[1]: maxpool2d does not fit its input [2]: an image [channels, height, width] is needed',
  );
});
