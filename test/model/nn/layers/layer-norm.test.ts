import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { printed, run } from '../support.js';

it('is a LayerNormalization over all axes of a sample', () => {
  expect(printed(['layer_norm'], [2, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2,3], t/0/layer_norm/scale: float32[2,3], t/0/layer_norm/bias: float32[2,3]) -> (y)
      y: float32[N,2,3] = LayerNormalization<axis=1, epsilon=0.00001>(x, t/0/layer_norm/scale, t/0/layer_norm/bias)"
  `);
});

it('normalises each sample by itself', async () => {
  const x = Tensor.from('float32', [1, 3, 10, 30], [2, 2]);
  const { y } = await run([{ layer_norm: { epsilon: 1e-12 } }], x, {
    't/0/layer_norm/scale': Tensor.from('float32', [1, 2]),
    't/0/layer_norm/bias': Tensor.from('float32', [0, 1]),
  });
  y?.numbers().forEach((v, i) => {
    expect(v).toBeCloseTo([-1, 3, -1, 3][i] ?? Number.NaN, 4);
  });
});
