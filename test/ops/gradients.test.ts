// Gradient rules against full numeric Jacobians on ONNX Runtime: the ops that layers lower to.
import { expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { elementCount } from '../../src/core/shape.js';
import { int64, Tensor } from '../../src/core/tensor.js';
import type { Value } from '../../src/ir/graph.js';
import type { Ops } from '../../src/ops/ops.js';
import { checkGradient } from '../support/check-gradient.js';

const seed = 5;
/**
 * float64: values in 0.3..1.8 with signs, away from kinks at 0. float32: multiples of 0.05, all different, so that a difference step of 0.01
 * never changes which is the largest in a window.
 */
function values(dtype: 'float64' | 'float32', dims: readonly number[], positive = false): Tensor {
  const r = new Random(seed, ...dims);
  if (dtype === 'float32') {
    const order = r.permutation(elementCount(dims));
    return Tensor.from(
      dtype,
      Array.from(order, (k) => 0.05 * (k + 1) * (k % 2 === 0 ? 1 : -1)),
      dims,
    );
  }
  const list = Array.from(
    { length: elementCount(dims) },
    () => (0.3 + 1.5 * r.uniform()) * (positive || r.uniform() < 0.5 ? 1 : -1),
  );
  return Tensor.from(dtype, list, dims);
}

type Case = readonly [
  name: string,
  shapes: readonly (readonly number[])[],
  build: (g: Ops, x: readonly Value[]) => Value,
  positive?: boolean,
];
const at = (x: readonly Value[], i = 0): Value => x[i] as Value;
const pairs = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [
    [4, 1, 2],
    [3, 1],
  ],
];

const float64Cases: Case[] = [
  ...(['add', 'sub', 'mul', 'div'] as const).flatMap((op) =>
    pairs.map((shapes): Case => [`${op} ${JSON.stringify(shapes)}`, shapes, (g, x) => g[op](at(x), at(x, 1))]),
  ),
  ...(['neg', 'exp', 'sqrt', 'log', 'tanh', 'sigmoid', 'relu', 'abs', 'reciprocal'] as const).map(
    (op): Case => [op, [[2, 3]], (g, x) => g[op](at(x)), op === 'sqrt' || op === 'log'],
  ),
  [
    'matMul',
    [
      [2, 3],
      [3, 4],
    ],
    (g, x) => g.matMul(at(x), at(x, 1)),
  ],
  [
    'matMul batched, broadcast',
    [
      [2, 2, 3],
      [3, 2],
    ],
    (g, x) => g.matMul(at(x), at(x, 1)),
  ],
  ['gemm', [[2, 3], [3, 4], [4]], (g, x) => g.gemm(...x)],
  [
    'gemm transA transB alpha beta',
    [
      [3, 2],
      [4, 3],
      [2, 1],
    ],
    (g, x) => g.gemm(...x, { transA: 1, transB: 1, alpha: 0.5, beta: 2 }),
  ],
  ['softmax', [[2, 3]], (g, x) => g.softmax(at(x), { axis: 1 })],
  ['logSoftmax', [[2, 3]], (g, x) => g.logSoftmax(at(x), { axis: 1 })],
  ['reduceMean', [[2, 3, 2]], (g, x) => g.reduceMean(at(x), { axes: [0, 2], keepdims: 0 })],
  ['reduceSum', [[2, 3]], (g, x) => g.reduceSum(at(x), g.ints([1]), { keepdims: 0 })],
  ['transpose', [[2, 3, 2]], (g, x) => g.transpose(at(x), { perm: [2, 0, 1] })],
  ['reshape', [[2, 6]], (g, x) => g.reshape(at(x), g.ints([0, 2, -1]))],
  ['flatten', [[2, 3, 2]], (g, x) => g.flatten(at(x), { axis: 1 })],
  [
    'concat',
    [
      [2, 3],
      [2, 2],
    ],
    (g, x) => g.concat(...x, { axis: 1 }),
  ],
  ['where', [[2, 3], [3]], (g, x) => g.where(g.greater(at(x), at(x, 1)), at(x), at(x, 1))],
  ['gather', [[4, 2]], (g, x) => g.gather(at(x), g.constant(int64([0, 2, 2])), { axis: 0 })],
  ['layerNormalization', [[2, 4], [4], [4]], (g, x) => g.layerNormalization(...x, { axis: 1 })],
];

const conv = (attributes: Record<string, number | readonly number[]>) => (g: Ops, x: readonly Value[]) =>
  g.conv(...x, attributes);
const float32Cases: Case[] = [
  ['conv', [[2, 2, 5, 5], [3, 2, 3, 3], [3]], conv({})],
  [
    'conv pads',
    [
      [1, 2, 4, 4],
      [2, 2, 3, 3],
    ],
    conv({ pads: [1, 1, 1, 1] }),
  ],
  [
    'conv stride 2, one place left over',
    [
      [1, 1, 6, 6],
      [2, 1, 3, 3],
    ],
    conv({ strides: [2, 2] }),
  ],
  [
    'conv dilation',
    [
      [1, 1, 6, 6],
      [1, 1, 3, 3],
    ],
    conv({ dilations: [2, 2] }),
  ],
  [
    'conv groups',
    [
      [1, 4, 4, 4],
      [4, 2, 3, 3],
    ],
    conv({ group: 2, pads: [1, 1, 1, 1] }),
  ],
  [
    'conv depthwise, uneven',
    [
      [1, 3, 5, 4],
      [3, 1, 3, 2],
    ],
    conv({ group: 3, strides: [2, 1], pads: [0, 1, 1, 0] }),
  ],
  ['maxPool', [[1, 2, 4, 4]], (g, x) => g.maxPool(at(x), { kernel_shape: [2, 2], strides: [2, 2] })],
  [
    'maxPool overlapping',
    [[1, 1, 5, 5]],
    (g, x) => g.maxPool(at(x), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  ],
  ['averagePool', [[1, 2, 4, 4]], (g, x) => g.averagePool(at(x), { kernel_shape: [2, 2], strides: [2, 2] })],
  [
    'averagePool padded',
    [[1, 1, 5, 5]],
    (g, x) => g.averagePool(at(x), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  ],
  ['globalAveragePool', [[2, 2, 3, 3]], (g, x) => g.globalAveragePool(at(x))],
  ['globalMaxPool', [[2, 2, 3, 3]], (g, x) => g.globalMaxPool(at(x))],
  ['elu', [[2, 3]], (g, x) => g.elu(at(x))],
  ['selu', [[2, 3]], (g, x) => g.selu(at(x))],
  ['leakyRelu', [[2, 3]], (g, x) => g.leakyRelu(at(x))],
  ['hardSwish', [[2, 3]], (g, x) => g.hardSwish(at(x))],
  ['softplus', [[2, 3]], (g, x) => g.softplus(at(x))],
  ['erf', [[2, 3]], (g, x) => g.erf(at(x))],
];

const rows = (cases: readonly Case[]) => cases.map(([name, shapes, build, positive]) => ({ name, shapes, build, positive }));

it.each(rows(float64Cases))('$name (float64)', async ({ shapes, build, positive }) => {
  const inputs = shapes.map((s) => values('float64', s, positive));
  expect(await checkGradient((g, x) => build(g, x), inputs)).toBeGreaterThan(0);
});

it.each(rows(float32Cases))('$name (float32)', async ({ shapes, build }) => {
  const inputs = shapes.map((s) => values('float32', s));
  expect(await checkGradient((g, x) => build(g, x), inputs)).toBeGreaterThan(0);
});

it('a batch known only at run time is un-broadcast there', async () => {
  const inputs = [values('float64', [2, 3]), values('float64', [1, 3])];
  expect(
    await checkGradient((g, x) => g.mul(at(x), at(x, 1)), inputs, {
      shapes: [
        ['N', 3],
        ['M', 3],
      ],
    }),
  ).toBeGreaterThan(0);
});
