import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, printed, run } from '../support.js';

it('is nothing outside of training, and at rate 0', () => {
  const ops = (rate: number, training: boolean) =>
    lower([{ dropout: rate }], [2], { training }).g.graph.nodes.map((n) => n.opType);
  expect(ops(0.5, false)).toEqual(['Identity']);
  expect(ops(0, true)).toEqual(['Identity']);
  expect(printed([{ dropout: 0.5 }], [2], { training: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dropout/random: float32[N,2]) -> (y)
      t/0/dropout/GreaterOrEqual/out: bool[N,2] = GreaterOrEqual(t/0/dropout/random, float32(0.5))
      t/0/dropout/Cast/out: float32[N,2] = Cast<to=float32>(t/0/dropout/GreaterOrEqual/out)
      t/0/dropout/Mul/out: float32[N,2] = Mul(t/0/dropout/Cast/out, float32(2))
      y: float32[N,2] = Mul(x, t/0/dropout/Mul/out)"
  `);
});

it('drops what the draw says and scales what it keeps', async () => {
  const x = Tensor.from('float32', [1, 2, 3, 4], [1, 4]);
  const draw = Tensor.from('float32', [0.1, 0.2, 0.3, 0.2499], [1, 4]);
  const { y } = await run([{ dropout: 0.25 }], x, { 't/0/dropout/random': draw }, { training: true });
  expect(y?.numbers()).toEqual([0, 0, 4, 0]);
});
