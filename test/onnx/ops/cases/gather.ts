// Gradient cases: reading and writing by index.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, one, secondOrder, values } from '../gradient-case.js';

const gathers = [0, 1, 2, -1].flatMap((axis) =>
  [
    int64([0, 1, 1, -1]),
    int64(
      [
        [0, 1],
        [1, 0],
      ].flat(),
    ).reshape([2, 2]),
    int64(1),
    Tensor.from('int32', [1, 0]),
  ].flatMap((indices): Case[] => {
    const row: Case = {
      name: `gather axis ${axis}, ${indices.dtype} indices [${indices.dims}]`,
      inputs: [values([2, 2, 3]), indices],
      build: (g, x) => g.gather(at(x), at(x, 1), { axis }),
    };
    return [
      row,
      { ...row, name: `${row.name}, sizes unknown`, options: { shapes: [[null, null, null], indices.dims.map(() => null)] } },
    ];
  }),
);
/** The rank of the data or of the indices comes out at run time. */
const gathersOfUnknownRank = [0, 1, 2, -1, -2].flatMap((axis) =>
  [[4], [2, 2], []].flatMap((dims): Case[] => {
    const data = values([2, 2, 3]);
    const indices = int64(
      [0, 1, 1, -1].slice(
        0,
        dims.reduce((a, b) => a * b, 1),
      ),
    ).reshape(dims);
    const name = `axis ${axis}, indices [${dims}]`;
    return [
      {
        name: `gather of unknown rank, ${name}`,
        inputs: [data, indices, int64([2, 2, 3])],
        build: (g, x) => g.gather(g.neg(g.reshape(at(x), at(x, 2))), at(x, 1), { axis }),
        options: { shapes: [[null, null, null], dims, [null]] },
      },
      {
        name: `gather by indices of unknown rank, ${name}`,
        inputs: [data, indices, int64(dims)],
        build: (g, x) => g.gather(at(x), g.abs(g.reshape(at(x, 1), at(x, 2))), { axis }),
        options: { shapes: [[2, 2, 3], dims.map(() => null), [null]] },
      },
    ];
  }),
);
const elements = [0, 1, -1].map(
  (axis): Case => ({
    name: `gatherElements axis ${axis}`,
    inputs: [values([2, 3]), int64([0, 1, 1, 0, 0, -1]).reshape([2, 3])],
    build: (g, x) => g.gatherElements(at(x), at(x, 1), { axis }),
  }),
);
const nd: Case[] = [
  {
    name: 'gatherND',
    inputs: [values([2, 3]), int64([0, 1, 1, 2, 0, 1]).reshape([3, 2])],
    build: (g, x) => one(g, 'GatherND', x),
  },
  {
    name: 'gatherND of rows',
    inputs: [values([2, 3]), int64([1, 1, 0]).reshape([3, 1])],
    build: (g, x) => one(g, 'GatherND', x),
  },
  {
    name: 'gatherND batch_dims 1',
    inputs: [values([2, 3, 2]), int64([1, 2]).reshape([2, 1])],
    build: (g, x) => g.gatherND(at(x), at(x, 1), { batch_dims: 1 }),
  },
];

/** 0 among the updates: the product of the others must not be found by division. */
const someZero = Tensor.from('float64', [0.5, 0, 1.3, -0.7, 0, 2.1], [2, 3]);
const reductions = ['none', 'add', 'mul', 'min', 'max'] as const;
const scatters = reductions.flatMap((reduction): Case[] => {
  const distinct = reduction === 'none';
  const opset = reduction === 'none' || reduction === 'add' || reduction === 'mul' ? {} : { opset: 18 };
  const attributes = reduction === 'none' ? {} : { reduction };
  const updates = [values([2, 3], { seed: 5, from: -1.9, to: 2.07 }), ...(reduction === 'mul' ? [someZero] : [])];
  return updates.flatMap((u, k): Case[] => [
    ...[0, 1].map(
      (axis): Case => ({
        name: `scatterElements ${reduction}, axis ${axis}, updates ${k}`,
        inputs: [
          values([2, 3]),
          int64(distinct ? (axis === 0 ? [0, 1, 1, 1, 0, 0] : [0, 1, 2, 2, 0, 1]) : [0, 1, 1, 0, 0, 1]).reshape([2, 3]),
          u,
        ],
        build: (g, x) => one(g, 'ScatterElements', x, { axis, ...attributes }),
        options: opset,
      }),
    ),
    {
      name: `scatterND ${reduction}, updates ${k}`,
      inputs: [values([3, 3]), int64(distinct ? [2, 0] : [2, 2]).reshape([2, 1]), u],
      build: (g, x) => one(g, 'ScatterND', x, attributes),
      options: opset,
    },
  ]);
});

const topK = [0, 1].flatMap((largest) =>
  [0, 1, -1].map(
    (axis): Case => ({
      name: `topK axis ${axis}, largest ${largest}`,
      inputs: [values([3, 4])],
      build: (g, x) => g.op('TopK', [at(x), g.ints([2])], { axis, largest }, 2),
    }),
  ),
);
const holds = (list: readonly number[]) => Tensor.from('bool', list);
const conditions: Case[] = [
  {
    name: 'compress axis 0',
    inputs: [values([3, 2]), holds([1, 0, 1])],
    build: (g, x) => g.compress(at(x), at(x, 1), { axis: 0 }),
  },
  {
    name: 'compress axis 1, shorter',
    inputs: [values([2, 3]), holds([0, 1])],
    build: (g, x) => g.compress(at(x), at(x, 1), { axis: 1 }),
  },
  { name: 'compress, flat', inputs: [values([2, 3]), holds([0, 1, 1, 0, 1])], build: (g, x) => one(g, 'Compress', x) },
  { name: 'unique', inputs: [values([5])], build: (g, x) => g.unique(at(x)) },
  { name: 'unique, flat, unsorted', inputs: [values([2, 3])], build: (g, x) => g.unique(at(x), { sorted: 0 }) },
  { name: 'unique axis 0', inputs: [values([3, 2])], build: (g, x) => g.unique(at(x), { axis: 0 }) },
];
const smooth = [
  { name: 'gather', inputs: [values([3, 2]), int64([0, 2, 2])], build: (g, x) => one(g, 'Gather', x) } as Case,
  {
    name: 'scatterElements mul',
    inputs: [values([3]), int64([0, 2, 2]), values([3], { seed: 3 })],
    build: (g, x) => one(g, 'ScatterElements', x, { reduction: 'mul' }),
  } as Case,
].map(secondOrder);

export const gatherCases: readonly Case[] = [
  ...gathers,
  ...gathersOfUnknownRank,
  ...elements,
  ...nd,
  ...scatters,
  ...topK,
  ...conditions,
  ...smooth,
];
