// Every activation against its formula, and as a lateral takes it.
import { expect, it } from 'vitest';
import { type ActivationName, activationName, lowerActivation } from '../../../../src/model/nn/activation-name.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import { runModel } from '../../../support/run.js';
import { lower, printed, run } from '../support.js';

const values = [-4, -2.5, -1, -0.1, 0, 0.1, 1, 2.5, 4];
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
/** Abramowitz and Stegun 7.1.5, the series of erf; it converges for all x, quickly for these. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const formulas: Record<ActivationName, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x < 0 ? 0.01 * x : x),
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
  selu: (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  silu: (x) => x * sigmoid(x),
  sigmoid,
  tanh: Math.tanh,
  softplus: (x) => Math.log1p(Math.exp(x)),
  hardswish: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  softmax: (x) => Math.exp(x) / sum(values.map(Math.exp)),
};

it('knows a formula for each', () => {
  expect(Object.keys(formulas).sort()).toEqual(activationName.options);
});

it.each(Object.entries(formulas))('%s, as a layer and within a lateral', async (name, formula) => {
  const kind = activationName.parse(name);
  const x = Tensor.from('float32', values, [1, values.length]);
  const g = ops();
  g.output(lowerActivation(g, kind, g.input('x', 'float32', ['N', values.length])), 'y');
  for (const { y } of [await run([kind], x), await runModel(g.model(), { x })])
    y?.numbers().forEach((v, i) => {
      expect(v, `${name} at ${values[i]}`).toBeCloseTo(formula(values[i] ?? Number.NaN), 5);
    });
});

it('takes its option', async () => {
  const x = Tensor.from('float32', [-1, 2], [1, 2]);
  const of = async (layer: Parameters<typeof run>[0][number]) => (await run([layer], x)).y?.numbers() ?? [];
  expect(await of({ leaky_relu: 0.5 })).toEqual([-0.5, 2]);
  expect((await of({ elu: { alpha: 2 } }))[0]).toBeCloseTo(2 * Math.expm1(-1), 5);
  expect(printed([{ softmax: 1 }], [2, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2,3]) -> (y)
      y: float32[N,2,3] = Softmax<axis=1>(x)"
  `);
});

it('is made of ops of opset 17', () => {
  expect(printed(['gelu', 'silu'], [2])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2]) -> (y)
      t/0/gelu/Mul/out: float32[N,2] = Mul(x, float32(0.5))
      t/0/gelu/Mul_1/out: float32[N,2] = Mul(x, float32(0.70710677))
      t/0/gelu/Erf/out: float32[N,2] = Erf(t/0/gelu/Mul_1/out)
      t/0/gelu/Add/out: float32[N,2] = Add(t/0/gelu/Erf/out, float32(1))
      t/0/gelu/Mul_2/out: float32[N,2] = Mul(t/0/gelu/Mul/out, t/0/gelu/Add/out)
      t/0/silu/Sigmoid/out: float32[N,2] = Sigmoid(t/0/gelu/Mul_2/out)
      y: float32[N,2] = Mul(t/0/gelu/Mul_2/out, t/0/silu/Sigmoid/out)"
  `);
});

it('softmax refuses the axis of the batch, from either end', () => {
  for (const axis of [0, -2])
    expect(() => lower([{ softmax: axis }], [2])).toThrow(
      `blocks[0][0]: softmax does not fit its input [2]: axis ${axis} is the batch, expected an axis of the sample: from 1, or from the end`,
    );
});

it('has no joint: laterals join the input of the block', () => {
  expect(lower(['relu'], [3], { lateral: true }).joints).toEqual([{ along: 'features', width: 3, init: { kind: 'he_normal' } }]);
  expect(printed(['relu', 'tanh'], [3], { lateral: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3], lateral: float32[N,3]) -> (y)
      Add/out: float32[N,3] = Add(x, lateral)
      t/0/relu/Relu/out: float32[N,3] = Relu(Add/out)
      y: float32[N,3] = Tanh(t/0/relu/Relu/out)"
  `);
});
