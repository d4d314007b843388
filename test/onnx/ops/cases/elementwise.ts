// Gradient cases: arithmetic with broadcasting.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Ops } from '../../../../src/onnx/ops/ops-builder.js';
import { at, type Case, one, type Spread, secondOrder, values } from '../gradient-case.js';

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
  { op: 'pRelu', oneWay: true, a: { dtype: 'float32' }, b: { dtype: 'float32' } },
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
        build: (g, x) => one(g, op, x, attributesOf(op)),
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
      build: (g, x) => one(g, op, x, attributesOf(op)),
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
    build: (g, x) => one(g, 'Clip', x),
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
      build: (g, x) => one(g, 'Where', x),
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

export const elementwiseCases: readonly Case[] = [...broadcasting, ...symbolic, ...single, ...other, ...smooth];
