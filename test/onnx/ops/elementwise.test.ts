// Arithmetic with broadcasting: ties and kinks, types and their errors. Numeric Jacobians: cases/elementwise.ts.
import { describe, expect, it, test } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { formatType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { runModel } from '../../support/run.js';
import { at, one } from './gradient-case.js';

/** dx for dy = 1 at chosen points, float32. */
async function slopes(
  build: (g: Ops, x: readonly ReturnType<Ops['input']>[]) => ReturnType<Ops['input']>,
  inputs: readonly Tensor[],
) {
  const g = ops();
  const x = inputs.map((t, i) => g.input(`x${i}`, t.dtype, t.dims));
  const y = build(g, x);
  const seed = g.input('seed', y.dtype, y.shape);
  gradient(g, { of: y, by: x, seed }).forEach((v, i) => {
    g.output(v, `d${i}`);
  });
  const ones = Tensor.from(
    'float32',
    Array.from({ length: y.dims.reduce((n, d) => n * d, 1) }, () => 1),
    y.dims,
  );
  const out = await runModel(g.model(), { seed: ones, ...Object.fromEntries(inputs.map((t, i) => [`x${i}`, t])) });
  return inputs.map((_, i) => Array.from(out[`d${i}`]?.numbers() ?? []).map((v) => v + 0));
}
const f32 = (...v: number[]) => Tensor.from('float32', v);

describe('at kinks, ties and poles', () => {
  test('abs: 0 at 0', async () => {
    expect(await slopes((g, x) => one(g, 'Abs', x), [f32(-1, 0, 1)])).toEqual([[-1, 0, 1]]);
  });
  test('max: a tie goes to the first input that has it, and the parts add up to dy', async () => {
    expect(await slopes((g, x) => g.max(...x), [f32(1, 2, 3), f32(1, 3, 2), f32(0, 3, 3)])).toEqual([
      [1, 0, 1],
      [0, 1, 0],
      [0, 0, 0],
    ]);
  });
  test('min: the same', async () => {
    expect(await slopes((g, x) => g.min(...x), [f32(1, 2, 3), f32(1, 3, 2)])).toEqual([
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });
  test('clip: the bounds belong to the inside', async () => {
    const build = (g: Ops, x: readonly ReturnType<Ops['input']>[]) =>
      g.clip(at(x), g.scalar(-1, 'float32'), g.scalar(1, 'float32'));
    expect(await slopes(build, [f32(-2, -1, 0, 1, 2)])).toEqual([[0, 1, 1, 1, 0]]);
  });
  test('pow: no NaN where base or exponent is 0', async () => {
    expect(await slopes((g, x) => one(g, 'Pow', x), [f32(0, 0, 2), f32(0, 2, 0)])).toEqual([
      [0, 0, 0],
      [0, 0, Math.fround(Math.LN2)],
    ]);
  });
  test('floor, ceil, round, sign: zero, without a node on the path', async () => {
    for (const op of ['floor', 'ceil', 'round', 'sign'] as const) {
      expect(await slopes((g, x) => g.add(g[op](at(x)), at(x)), [f32(-1.4, 0.3)])).toEqual([[1, 1]]);
      expect(await slopes((g, x) => g[op](at(x)), [f32(-1.4, 0.3)])).toEqual([[0, 0]]);
    }
  });
});

describe('emitted nodes', () => {
  const nodesOf = (build: (g: Ops) => void) => {
    const g = ops();
    build(g);
    return printGraph(g.graph, { canonical: true })
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  };
  test('div shares dy / b', () => {
    const lines = nodesOf((g) => {
      const [a, b] = [g.input('a', 'float32', ['N']), g.input('b', 'float32', ['N'])];
      gradient(g, { of: g.div(a, b), by: [a, b], seed: g.input('dy', 'float32', ['N']) });
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "%1: float32[N] = Div(a, b)",
        "%2: float32[N] = Div(dy, b)",
        "%3: float32[N] = Mul(%2, %1)",
        "%4: float32[N] = Neg(%3)",
      ]
    `);
  });
  test('max against a constant: one comparison, one Where', () => {
    const lines = nodesOf((g) => {
      const a = g.input('a', 'float32', ['N']);
      gradient(g, { of: g.max(a, g.scalar(0.5, a)), by: [a], seed: g.input('dy', 'float32', ['N']) });
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "%1: float32[N] = Max(a, float32(0.5))",
        "%2: bool[N] = Equal(a, %1)",
        "%3: float32[N] = Where(%2, dy, float32(0))",
      ]
    `);
  });
  test('square', () => {
    const lines = nodesOf((g) => {
      const a = g.input('a', 'float32', ['N']);
      gradient(g, { of: g.pow(a, g.scalar(2, a)), by: [a], seed: g.input('dy', 'float32', ['N']) });
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        "%1: float32[N] = Pow(a, float32(2))",
        "%2: float32[N] = Mul(a, float32(2))",
        "%3: float32[N] = Mul(dy, %2)",
      ]
    `);
  });
});

describe('types', () => {
  it.each([
    ['[N,3] + [3]', ['N', 3], [3], 'float32[N,3]'],
    ['[N,1] + [M]', ['N', 1], ['M'], 'float32[N,M]'],
    ['[N] + [M]', ['N'], ['M'], 'float32[?]'],
    ['[N] + [4]', ['N'], [4], 'float32[4]'],
    ['[] + [?,2]', [], [null, 2], 'float32[?,2]'],
    ['[0] + [1]', [0], [1], 'float32[0]'],
    ['unknown rank', undefined, [3], 'float32[...]'],
  ] as const)('%s', (_name, a, b, want) => {
    const g = ops();
    expect(formatType(g.add(g.input('a', 'float32', a), g.input('b', 'float32', b)).type)).toBe(want);
  });
  test('where takes the dtype of its branches and the shape of all three', () => {
    const g = ops();
    const y = g.where(g.input('c', 'bool', ['N', 1]), g.input('a', 'int64', []), g.input('b', 'int64', [4]));
    expect(formatType(y.type)).toBe('int64[N,4]');
  });
  test('pow keeps the dtype of the base', () => {
    const g = ops();
    expect(formatType(g.pow(g.input('a', 'float64', [2]), g.scalar(2, 'int64')).type)).toBe('float64[2]');
  });

  it.each([
    [
      'shapes',
      (g: Ops) => g.add(g.input('a', 'float32', [2, 3]), g.input('b', 'float32', [4])),
      'Add "Add": shapes [2,3] and [4] do not broadcast',
    ],
    [
      'dtypes',
      (g: Ops) => g.mul(g.input('a', 'float32', [2]), g.input('b', 'float64', [2])),
      'Mul "Mul": dtypes differ, input 0 is float32, input 1 is float64',
    ],
    [
      'a third dtype',
      (g: Ops) => g.max(g.input('a', 'float32'), g.input('b', 'float32'), g.input('c', 'int32')),
      'Max "Max": dtypes differ, input 0 is float32, input 2 is int32',
    ],
    [
      'bool',
      (g: Ops) => g.sub(g.input('a', 'bool', [2]), g.input('b', 'bool', [2])),
      'Sub "Sub": input 0 must be numeric, it is bool[2]',
    ],
    [
      'sqrt of int',
      (g: Ops) => g.sqrt(g.input('a', 'int64', [2])),
      'Sqrt "Sqrt": input 0 must be floating-point, it is int64[2]',
    ],
    [
      'float fmod',
      (g: Ops) => g.mod(g.input('a', 'float32', [2]), g.input('b', 'float32', [2])),
      'Mod "Mod": fmod must be 1 for float32',
    ],
    [
      'clip bound',
      (g: Ops) => g.clip(g.input('a', 'float32', [2]), g.input('b', 'float32', [2])),
      'Clip "Clip": input 1 must be a scalar or [1], it is float32[2]',
    ],
    [
      'clip dtype',
      (g: Ops) => g.clip(g.input('a', 'float32', [2]), g.input('b', 'float64', [])),
      'Clip "Clip": dtypes differ, input 0 is float32, input 1 is float64',
    ],
    [
      'where',
      (g: Ops) => g.where(g.input('a', 'float32', [2]), g.input('b', 'float32', [2]), g.input('c', 'float32', [2])),
      'Where "Where": input 0 must be bool, it is float32[2]',
    ],
    [
      'where shapes',
      (g: Ops) => g.where(g.input('a', 'bool', [3]), g.input('b', 'float32', [2]), g.input('c', 'float32', [1])),
      'Where "Where": shapes [2] and [3] do not broadcast',
    ],
    [
      'prelu slope',
      (g: Ops) => g.pRelu(g.input('a', 'float32', [2]), g.input('b', 'float32', [3])),
      'PRelu "PRelu": shapes [2] and [3] do not broadcast',
    ],
    ['too few', (g: Ops) => one(g, 'Add', [g.input('a', 'float32', [2])]), 'Add "Add": takes 2 inputs (A B), got 1'],
    ['none', (g: Ops) => g.sum(), 'Sum "Sum": takes 1 or more inputs (data_0*), got 0'],
  ])('%s: refused', (_name, build, message) => {
    expect(() => build(ops())).toThrow(message);
  });
});
