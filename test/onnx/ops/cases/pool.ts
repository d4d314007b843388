// Gradient cases: pooling.
import { at, type Case, linear, one, secondOrder, values, values32 } from '../gradient-case.js';

type Attributes = Readonly<Record<string, number | string | readonly number[]>>;
const windows: readonly (readonly [string, readonly number[], Attributes])[] = [
  ['2d', [1, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['1d', [2, 1, 6], { kernel_shape: [3] }],
  ['3d', [1, 1, 3, 3, 4], { kernel_shape: [2, 2, 2], strides: [1, 1, 2] }],
  ['overlapping, padded', [1, 1, 5, 5], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['uneven pads', [1, 1, 4, 5], { kernel_shape: [3, 2], pads: [1, 0, 0, 1] }],
  ['ceil_mode', [1, 1, 6, 5], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }],
  ['ceil_mode, padded', [1, 1, 6], { kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: 1 }],
  ['SAME_UPPER', [1, 1, 5, 4], { kernel_shape: [2, 3], strides: [2, 1], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', [1, 1, 5], { kernel_shape: [2], auto_pad: 'SAME_LOWER' }],
  ['VALID', [1, 1, 5], { kernel_shape: [2], auto_pad: 'VALID' }],
  ['dilation', [1, 1, 7], { kernel_shape: [3], dilations: [2] }],
];
const unknown = (x: readonly number[]) => [x.map(() => null)];

const averages = windows.flatMap(([name, x, attributes]): Case[] =>
  [0, 1].flatMap((count_include_pad): Case[] => {
    const opset = attributes.dilations === undefined ? {} : { opset: 19 };
    const row: Case = {
      name: `averagePool ${name}, count_include_pad ${count_include_pad}`,
      inputs: [values32(x)],
      build: (g, v) => one(g, 'AveragePool', v, { ...attributes, count_include_pad }),
      options: { ...linear, ...opset },
    };
    return [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...linear, ...opset, shapes: unknown(x) } }];
  }),
);

const maxima = windows.flatMap(([name, x, attributes]): Case[] => {
  const row: Case = { name: `maxPool ${name}`, inputs: [values(x)], build: (g, v) => one(g, 'MaxPool', v, attributes) };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { shapes: unknown(x) } }];
});
const indices: Case[] = [
  {
    name: 'maxPool with Indices, 3d, dilated',
    inputs: [values([1, 1, 4, 4, 4])],
    build: (g, v) => g.op('MaxPool', [at(v)], { kernel_shape: [2, 2, 2], dilations: [2, 2, 2] }, 2)[0] ?? at(v),
  },
  {
    name: 'maxPool with Indices in column order',
    inputs: [values([1, 1, 4, 4])],
    build: (g, v) => g.op('MaxPool', [at(v)], { kernel_shape: [2, 2], storage_order: 1 }, 2)[0] ?? at(v),
  },
  {
    name: 'maxUnpool of maxPool',
    inputs: [values32([1, 2, 4, 4])],
    build: (g, v) => {
      const [y, at_] = g.outputs(2).maxPool(at(v), { kernel_shape: [2, 2], strides: [2, 2] });
      return g.maxUnpool(y, at_, { kernel_shape: [2, 2], strides: [2, 2] });
    },
  },
];

const norms = [1, 2, 3].flatMap((p) =>
  windows
    .filter(
      ([name]) => name === '2d' || name.startsWith('overlapping') || (p === 2 && (name === 'ceil_mode' || name === 'dilation')),
    )
    .map(
      ([name, x, attributes]): Case => ({
        name: `lpPool ${name}, p ${p}`,
        inputs: [values32(x, { from: 0.3, to: 2 })],
        build: (g, v) => one(g, 'LpPool', v, { ...attributes, p }),
        options: name === 'ceil_mode' || name === 'dilation' ? { opset: 18 } : {},
      }),
    ),
);

const global = [
  [2, 2, 3, 3],
  [1, 2, 4],
  [1, 1, 2, 2, 2],
].flatMap((x): Case[] =>
  [
    {
      name: `globalAveragePool ${JSON.stringify(x)}`,
      inputs: [values32(x)],
      build: (g, v) => g.globalAveragePool(at(v)),
      options: linear,
    } as Case,
    { name: `globalMaxPool ${JSON.stringify(x)}`, inputs: [values32(x)], build: (g, v) => g.globalMaxPool(at(v)) } as Case,
    ...[1, 2, 3].map(
      (p): Case => ({
        name: `globalLpPool ${JSON.stringify(x)}, p ${p}`,
        inputs: [values32(x)],
        build: (g, v) => g.globalLpPool(at(v), { p }),
      }),
    ),
  ].flatMap((row) => [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...row.options, shapes: unknown(x) } }]),
);

const smooth: Case[] = [
  {
    name: 'maxPool',
    inputs: [values([1, 1, 4])],
    build: (g, v) => g.maxPool(at(v), { kernel_shape: [2], strides: [2] }),
  } as Case,
  {
    name: 'averagePool',
    inputs: [values32([1, 1, 4])],
    build: (g, v) => g.averagePool(at(v), { kernel_shape: [2] }),
    options: { tolerance: 1e-3, step: 0.05 },
  } as Case,
].map(secondOrder);

export const poolCases: readonly Case[] = [...averages, ...maxima, ...indices, ...norms, ...global, ...smooth];
