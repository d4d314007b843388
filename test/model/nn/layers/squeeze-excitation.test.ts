import { expect, it } from 'vitest';
import { must } from '../../../../src/onnx/core/errors.js';
import { checkLayers, lower, numbers, parametersOf, printed, run } from '../support.js';

it('is a gate for each channel, from the means of all', () => {
  expect(printed([{ squeeze_excitation: 2 }], [4, 3, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4,3,3], t/0/squeeze_excitation/squeeze/weight: float32[4,2], t/0/squeeze_excitation/squeeze/bias: float32[2], t/0/squeeze_excitation/excite/weight: float32[2,4], t/0/squeeze_excitation/excite/bias: float32[4]) -> (y)
      t/0/squeeze_excitation/GlobalAveragePool/out: float32[N,4,1,1] = GlobalAveragePool(x)
      t/0/squeeze_excitation/Flatten/out: float32[N,4] = Flatten<axis=1>(t/0/squeeze_excitation/GlobalAveragePool/out)
      t/0/squeeze_excitation/Gemm/out: float32[N,2] = Gemm(t/0/squeeze_excitation/Flatten/out, t/0/squeeze_excitation/squeeze/weight, t/0/squeeze_excitation/squeeze/bias)
      t/0/squeeze_excitation/Relu/out: float32[N,2] = Relu(t/0/squeeze_excitation/Gemm/out)
      t/0/squeeze_excitation/Gemm_1/out: float32[N,4] = Gemm(t/0/squeeze_excitation/Relu/out, t/0/squeeze_excitation/excite/weight, t/0/squeeze_excitation/excite/bias)
      t/0/squeeze_excitation/Sigmoid/out: float32[N,4] = Sigmoid(t/0/squeeze_excitation/Gemm_1/out)
      t/0/squeeze_excitation/Reshape/out: float32[N,4,1,1] = Reshape(t/0/squeeze_excitation/Sigmoid/out, int64{0,4,1,1})
      y: float32[N,4,3,3] = Mul(x, t/0/squeeze_excitation/Reshape/out)"
  `);
});

it('squeezes to one channel at least', () => {
  expect(lower(['squeeze_excitation'], [4, 3, 3]).specs.map(({ name, shape }) => [name, shape])).toEqual([
    ['t/0/squeeze_excitation/squeeze/weight', [4, 1]],
    ['t/0/squeeze_excitation/squeeze/bias', [1]],
    ['t/0/squeeze_excitation/excite/weight', [1, 4]],
    ['t/0/squeeze_excitation/excite/bias', [4]],
  ]);
});

it.each([
  [2, 3, 5],
  [1, 3, 2, 3],
  [1, 3, 2, 2, 2],
])('computes its formula and has its gradients over [%s, %s, %s, ...]', async (...dims) => {
  const shape = dims.filter((d) => d !== undefined);
  const layer = { squeeze_excitation: 1 };
  const x = numbers(shape, 1);
  const parameters = parametersOf([layer], shape.slice(1));
  const p = (end: string) => must(parameters[`t/0/squeeze_excitation/${end}`], end).numbers();
  const places = shape.slice(2).reduce((a, b) => a * b, 1);
  const values = x.numbers();
  const y = must((await run([layer], x, parameters)).y, 'y').numbers();
  for (let n = 0; n < (shape[0] ?? 1); n++) {
    const mean = [0, 1, 2].map(
      (c) => values.slice((n * 3 + c) * places, (n * 3 + c + 1) * places).reduce((a, b) => a + b, 0) / places,
    );
    const through = (v: readonly number[], what: string) =>
      p(`${what}/bias`).map((b, j) => v.reduce((sum, m, i) => sum + m * (p(`${what}/weight`)[i * 3 + j] ?? 0), b));
    const gate = through(
      through(mean, 'squeeze').map((v) => Math.max(v, 0)),
      'excite',
    ).map((v) => 1 / (1 + Math.exp(-v)));
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < places; i++) {
        const at = (n * 3 + c) * places + i;
        expect(y[at]).toBeCloseTo((values[at] ?? 0) * (gate[c] ?? 0), 5);
      }
  }
  await checkLayers([layer], x);
});

it('refuses what has no positions', () => {
  expect(() => lower(['squeeze_excitation'], [4])).toThrow(
    'blocks[0][0]: squeeze_excitation does not fit its input [4]: positions [channels, ...] are needed, such as those of an image',
  );
});
