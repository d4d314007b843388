// Arithmetic with broadcasting: gradients, ties and kinks, types and their errors.
import { describe, expect, it, test } from 'vitest';
import { gradient } from '../../src/autodiff/gradient.js';
import { int64, Tensor } from '../../src/core/tensor.js';
import { printGraph } from '../../src/ir/print.js';
import { formatType } from '../../src/ir/types.js';
import { type Ops, ops } from '../../src/ops/ops.js';
import { runModel } from '../support/run.js';
import { at, type Case, runCases, type Spread, secondOrder, values } from './gradient-case.js';

type Dims = readonly number[];
const pairs: readonly (readonly [Dims, Dims])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [[2, 3], []],
  [[], []],
  [[1], [2, 1]],
  [[1, 1], [3]],
  [
    [4, 1, 2],
    [3, 1],
  ],
  [
    [2, 1, 3],
    [1, 2, 1],
  ],
];

const positive: Spread = { from: 0.4, to: 2.4, kinks: [] };
interface Binary {
  readonly op: 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'min' | 'max' | 'mod' | 'sum' | 'pRelu';
  readonly a?: Spread;
  readonly b?: Spread;
  /** The second input broadcasts to the first, not the other way. */
  readonly oneWay?: boolean;
}
const binaries: readonly Binary[] = [
  { op: 'add' },
  { op: 'sub' },
  { op: 'mul' },
  { op: 'div' },
  { op: 'pow', a: positive },
  { op: 'min', b: { seed: 7, from: -1.87, to: 2.13 } },
  { op: 'max', b: { seed: 7, from: -1.87, to: 2.13 } },
  { op: 'mod', a: { from: -1.9, to: 1.9 }, b: { from: 2.1, to: 3, kinks: [] } },
  { op: 'sum' },
  { op: 'pRelu', oneWay: true },
];
const attributesOf = (op: Binary['op']) => (op === 'mod' ? { fmod: 1 } : {});

const broadcasting: Case[] = binaries.flatMap(({ op, a, b, oneWay }) =>
  pairs
    .filter(
      ([left, right]) => oneWay !== true || (right.length <= left.length && !(left.join() === '2,1' && right.join() === '1,3')),
    )
    .filter(([left, right]) => oneWay !== true || right.every((d, i) => d === 1 || d === left[left.length - right.length + i]))
    .map(
      ([left, right]): Case => ({
        name: `${op} ${JSON.stringify(left)} ${JSON.stringify(right)}`,
        inputs: [values(left, a), values(right, { seed: 2, ...b })],
        build: (g, x) => g[op](at(x), at(x, 1), attributesOf(op)),
      }),
    ),
);

const symbolic: Case[] = binaries.flatMap(({ op, a, b }) =>
  (
    [
      ['N,3 by 3', [2, 3], [3], [['N', 3], [3]]],
      [
        'N,M by N,M',
        [2, 3],
        [2, 3],
        [
          ['N', 'M'],
          ['N', 'M'],
        ],
      ],
      [
        'N,M by N,1',
        [2, 3],
        [2, 1],
        [
          ['N', 'M'],
          ['N', 1],
        ],
      ],
      [
        '?,3 by ?,?, which is 1,3 at run time',
        [2, 3],
        [1, 3],
        [
          [null, 3],
          [null, null],
        ],
      ],
      ['N,M by K, which is 1 at run time', [2, 3], [1], [['N', 'M'], ['K']]],
      ['unknown rank', [2, 3], [1, 3], [undefined, undefined]],
    ] as const
  ).map(
    ([name, left, right, shapes]): Case => ({
      name: `${op} ${name}`,
      inputs: [values(left, a), values(right, { seed: 2, ...b })],
      build: (g, x) => g[op](at(x), at(x, 1), attributesOf(op)),
      options: { shapes },
    }),
  ),
);

const scalar = (g: Ops, like: Parameters<Ops['scalar']>[1], v: number) => g.scalar(v, like);
const float32: Spread = { dtype: 'float32' };

const single: Case[] = (
  [
    ['identity', {}],
    ['neg', {}],
    ['abs', {}],
    ['sqrt', positive],
    ['exp', {}],
    ['log', positive],
    ['reciprocal', {}],
  ] as const
).flatMap(([op, spread]) =>
  [[2, 3], [], [4, 1, 2]].map(
    (dims): Case => ({ name: `${op} ${JSON.stringify(dims)}`, inputs: [values(dims, spread)], build: (g, x) => g[op](at(x)) }),
  ),
);

const other: Case[] = [
  { name: 'erf', inputs: [values([3, 4], float32)], build: (g, x) => g.erf(at(x)), options: { tolerance: 1e-3 } },
  ...[0, 1, 2, 3, 0.5, -1, -2].map(
    (p): Case => ({
      name: `pow, exponent ${p} a constant`,
      inputs: [values([2, 3], positive)],
      build: (g, x) => g.pow(at(x), scalar(g, at(x), p)),
    }),
  ),
  ...[2, 3, -1].map(
    (p): Case => ({
      name: `pow of negative and positive, exponent ${p} in int64`,
      inputs: [values([2, 3])],
      build: (g, x) => g.pow(at(x), g.scalar(p, 'int64')),
    }),
  ),
  {
    name: 'pow, a vector of constant exponents',
    inputs: [values([2, 3], positive)],
    build: (g, x) => g.pow(at(x), g.constant(Tensor.from('float64', [1, 2, 3.5]))),
  },
  {
    name: 'pow, base a constant',
    inputs: [values([2, 3])],
    build: (g, x) => g.pow(scalar(g, at(x), 2.5), at(x)),
  },
  {
    name: 'pow, integer exponents at run time',
    inputs: [values([2, 3]), int64([0, 2, 3])],
    build: (g, x) => g.pow(at(x), at(x, 1)),
  },
  {
    name: 'mul of one value by itself',
    inputs: [values([2, 3])],
    build: (g, x) => g.mul(at(x), at(x)),
  },
  {
    name: 'div of one value by itself plus one',
    inputs: [values([2, 3], positive)],
    build: (g, x) => g.div(at(x), g.add(at(x), scalar(g, at(x), 1))),
  },
  ...(['min', 'max', 'sum'] as const).flatMap((op): Case[] => [
    { name: `${op} of one`, inputs: [values([2, 3])], build: (g, x) => g[op](at(x)) },
    {
      name: `${op} of three, broadcast`,
      inputs: [values([2, 3]), values([3], { from: -1.91, seed: 3 }), values([2, 1], { from: -0.83, to: 0.71, seed: 4 })],
      build: (g, x) => g[op](...x),
    },
    {
      name: `${op} of three, by the last alone`,
      inputs: [values([2, 3]), values([3], { from: -1.91, seed: 3 }), values([2, 1], { from: -0.83, to: 0.71, seed: 4 })],
      build: (g, x) => g[op](...x),
      options: { by: [2] },
    },
    {
      name: `${op} of three, by the middle alone`,
      inputs: [values([2, 3]), values([3], { from: -1.91, seed: 3 }), values([2, 1], { from: -0.83, to: 0.71, seed: 4 })],
      build: (g, x) => g[op](...x),
      options: { by: [1] },
    },
  ]),
  ...[1, 2, 3].map(
    (n): Case => ({
      name: `mean of ${n}, broadcast`,
      inputs: [values([2, 3], float32), values([3], { ...float32, seed: 3 }), values([2, 1], { ...float32, seed: 4 })].slice(
        0,
        n,
      ),
      build: (g, x) => g.mean(...x),
      options: { tolerance: 1e-3 },
    }),
  ),
  ...(['both', 'min', 'max', 'neither'] as const).map(
    (which): Case => ({
      name: `clip, bounds: ${which}`,
      inputs: [values([3, 4], { kinks: [-0.7, 0.9] })],
      build: (g, x) =>
        g.clip(
          at(x),
          which === 'both' || which === 'min' ? scalar(g, at(x), -0.7) : null,
          which === 'both' || which === 'max' ? scalar(g, at(x), 0.9) : null,
        ),
    }),
  ),
  {
    name: 'clip, by its bounds too',
    inputs: [values([3, 4], { kinks: [-0.7, 0.9] }), Tensor.from('float64', -0.7), Tensor.from('float64', 0.9)],
    build: (g, x) => g.clip(...x),
  },
  ...(
    [
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      [[3], [2, 3], [2, 3]],
      [[2, 1], [3], [1, 1]],
      [[2, 3], [], []],
      [[], [2, 3], [3]],
      [
        [2, 3],
        [1, 3],
        [2, 1],
      ],
    ] as const
  ).map(
    ([condition, a, b]): Case => ({
      name: `where ${JSON.stringify([condition, a, b])}`,
      inputs: [
        Tensor.from(
          'bool',
          Array.from({ length: condition.reduce<number>((n, d) => n * d, 1) }, (_, i) => ((i * 7) % 3 === 0 ? 1 : 0)),
          condition,
        ),
        values(a),
        values(b, { seed: 2 }),
      ],
      build: (g, x) => g.where(...x),
    }),
  ),
];

const smoothOnce: readonly Case[] = [
  ...(['mul', 'div', 'pow'] as const).map(
    (op): Case => ({
      name: op,
      inputs: [values([2, 3], positive), values([3], { ...positive, seed: 2 })],
      build: (g, x) => g[op](at(x), at(x, 1)),
    }),
  ),
  ...(['exp', 'log', 'sqrt', 'reciprocal', 'abs', 'neg'] as const).map(
    (op): Case => ({ name: op, inputs: [values([2, 2], positive)], build: (g, x) => g[op](at(x)) }),
  ),
  { name: 'max', inputs: [values([2, 3]), values([3], { seed: 7, from: -1.87 })], build: (g, x) => g.max(...x) },
  {
    name: 'clip',
    inputs: [values([2, 3], { kinks: [-0.7, 0.9] })],
    build: (g, x) => g.clip(at(x), scalar(g, at(x), -0.7), scalar(g, at(x), 0.9)),
  },
];
const smooth = smoothOnce.map(secondOrder);

describe('gradients, broadcast', () => runCases(broadcasting));
describe('gradients, symbolic shapes', () => runCases(symbolic));
describe('gradients of one input', () => runCases(single));
describe('gradients, other forms', () => runCases(other));
describe('gradients of gradients', () => runCases(smooth));

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
    expect(await slopes((g, x) => g.abs(...x), [f32(-1, 0, 1)])).toEqual([[-1, 0, 1]]);
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
    expect(await slopes((g, x) => g.pow(...x), [f32(0, 0, 2), f32(0, 2, 0)])).toEqual([
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
    return printGraph(g.graph)
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
        "Div/out: float32[N] = Div(a, b)",
        "grad/Div/Div/out: float32[N] = Div(dy, b)",
        "grad/Div/Mul/out: float32[N] = Mul(grad/Div/Div/out, Div/out)",
        "grad/Div/Neg/out: float32[N] = Neg(grad/Div/Mul/out)",
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
        "Max/out: float32[N] = Max(a, float32(0.5))",
        "grad/Max/Equal/out: bool[N] = Equal(a, Max/out)",
        "grad/Max/Where/out: float32[N] = Where(grad/Max/Equal/out, dy, float32(0))",
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
        "Pow/out: float32[N] = Pow(a, float32(2))",
        "grad/Pow/Mul/out: float32[N] = Mul(a, float32(2))",
        "grad/Pow/Mul_1/out: float32[N] = Mul(dy, grad/Pow/Mul/out)",
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
      'Clip "Clip": input 1 must be a scalar, it is float32[2]',
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
    ['too few', (g: Ops) => g.add(g.input('a', 'float32', [2])), 'Add "Add": takes 2 inputs (A B), got 1'],
    ['none', (g: Ops) => g.sum(), 'Sum "Sum": takes 1 to Infinity inputs (data_0*), got 0'],
  ])('%s: refused', (_name, build, message) => {
    expect(() => build(ops())).toThrow(message);
  });
});
