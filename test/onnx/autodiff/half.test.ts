// Gradients of float16 graphs: constants of a rule stand in the dtype of what they meet. Against the same graph in float32.
import { expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { reduceMean } from '../../../src/onnx/ops/families/reduce.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { runModel } from '../../support/run.js';
import { at, one, values } from '../ops/gradient-case.js';

type Dims = readonly number[];
const rows: readonly (readonly [string, number, readonly Dims[], (g: Ops, x: readonly Value[]) => Value])[] = [
  ['sigmoid and tanh', 17, [[2, 3]], (g, x) => g.sigmoid(g.tanh(at(x)))],
  ['pow', 17, [[2, 3]], (g, x) => g.pow(g.mul(at(x), at(x)), g.scalar(1.5, at(x)))],
  ['clip', 17, [[2, 3]], (g, x) => g.clip(at(x), g.scalar(-0.7, at(x)), g.scalar(1.1, at(x)))],
  ['mean of logarithms', 17, [[2, 3]], (g, x) => reduceMean(g, g.log(g.add(g.abs(at(x)), g.scalar(0.5, at(x)))), [1])],
  ['softmax', 17, [[2, 3]], (g, x) => g.softmax(at(x), { axis: -1 })],
  ['gelu', 20, [[2, 3]], (g, x) => g.gelu(at(x))],
  ['layerNormalization', 17, [[2, 4], [4]], (g, x) => g.layerNormalization(at(x), at(x, 1))],
  [
    'gemm',
    17,
    [
      [2, 3],
      [3, 2],
    ],
    (g, x) => g.gemm(at(x), at(x, 1), null, { alpha: 0.3 }),
  ],
  [
    'attention',
    23,
    [
      [1, 2, 2, 4],
      [1, 2, 3, 4],
      [1, 2, 3, 2],
    ],
    (g, x) => one(g, 'Attention', x),
  ],
  ['rMSNormalization', 23, [[2, 4], [4]], (g, x) => one(g, 'RMSNormalization', x)],
];

it.each(rows)('%s', async (_name, opset, dims, build) => {
  const inputs = dims.map((d, i) => values(d, { seed: i + 1 }));
  const results = await Promise.all(
    (['float16', 'float32'] as const).map(async (dtype) => {
      const g = ops({ opset });
      const x = inputs.map((t, i) => g.input(`x${i}`, dtype, t.dims));
      const y = build(g, x);
      const seed = g.input('seed', dtype, y.shape);
      gradient(g, { of: y, by: x, seed }).forEach((d, i) => {
        g.output(d, `d${i}`);
      });
      const feeds = Object.fromEntries(inputs.map((t, i) => [`x${i}`, Tensor.from(dtype, t.numbers(), t.dims)]));
      const weights = values(y.dims, { seed: 9 });
      const out = await runModel(g.model(), { ...feeds, seed: Tensor.from(dtype, weights.numbers(), y.dims) });
      return inputs.flatMap((_, i) => out[`d${i}`]?.numbers() ?? []);
    }),
  );
  const [half, single] = results;
  expect(half).toHaveLength(inputs.reduce((n, t) => n + t.size, 0));
  half?.forEach((v, i) => {
    expect(Math.abs(v - (single?.[i] ?? Number.NaN))).toBeLessThan(2e-2 * Math.max(1, Math.abs(v)));
  });
});

it.each(['float16', 'bfloat16'] as const)('%s: numbers become bits and come back', (dtype) => {
  const list = [0, -0, 1, -2, 0.5, 1.5, 0.15625, 1024, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** -14];
  expect(Tensor.from(dtype, list).numbers()).toEqual(list);
  expect(Tensor.from(dtype, Number.NaN).numbers()).toEqual([Number.NaN]);
  // ties go to even
  const step = dtype === 'float16' ? 2 ** -10 : 2 ** -7;
  expect(Tensor.from(dtype, [1 + step / 2, 1 + 1.5 * step, 1 + 0.6 * step]).numbers()).toEqual([1, 1 + 2 * step, 1 + step]);
});
