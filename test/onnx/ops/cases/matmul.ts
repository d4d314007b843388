// Gradient cases: matrix products, determinant, Einsum.
import { int64 } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, linear, one, secondOrder, values, values32 } from '../gradient-case.js';

type Dims = readonly number[];
const pairs: readonly (readonly [Dims, Dims])[] = [
  [
    [2, 3],
    [3, 4],
  ],
  [[3], [3]],
  [[3], [3, 2]],
  [[2, 3], [3]],
  [
    [2, 2, 3],
    [3, 2],
  ],
  [
    [2, 3],
    [2, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [3, 3, 2],
  ],
  [[3], [2, 3, 2]],
  [[2, 2, 3], [3]],
];
const products = pairs.flatMap(([a, b]): Case[] => {
  const row: Case = {
    name: `matMul ${JSON.stringify([a, b])}`,
    inputs: [values(a), values(b, { seed: 2 })],
    build: (g, x) => one(g, 'MatMul', x),
  };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { shapes: [a.map(() => null), b.map(() => null)] } }];
});

/** The rank of A comes out at run time: its shape is an input of unknown length. */
const ofUnknownRank = [
  [2, 3],
  [2, 2, 3],
].map((dims): Case => {
  const a = values(dims);
  return {
    name: `matMul of unknown rank, ${JSON.stringify(dims)}`,
    inputs: [a, values([3, 2], { seed: 2 }), int64(dims)],
    build: (g, x) => g.matMul(g.neg(g.reshape(at(x), at(x, 2))), at(x, 1)),
    options: { shapes: [dims.map(() => null), [3, 2], [null]] },
  };
});

const gemm = [
  [[2, 3], [3, 4], [4], {}],
  [[2, 3], [3, 4], [], {}],
  [[3, 2], [4, 3], [2, 1], { transA: 1, transB: 1, alpha: 0.5, beta: 2 }],
  [[3, 2], [3, 4], [2, 4], { transA: 1, alpha: 1.5 }],
  [[2, 3], [4, 3], [1, 4], { transB: 1, beta: 0.5 }],
] as const;
const gemms = gemm.map(
  ([a, b, c, attributes]): Case => ({
    name: `gemm ${JSON.stringify([a, b, c, attributes])}`,
    inputs: [values(a), values(b, { seed: 2 }), values(c, { seed: 3 })],
    build: (g, x) => one(g, 'Gemm', x, attributes),
  }),
);

const determinants = [
  [2, 2],
  [3, 3],
  [2, 3, 3],
  [1, 1],
  [2, 2, 2, 2],
].map(
  (dims): Case => ({
    name: `det ${JSON.stringify(dims)}`,
    inputs: [values32(dims)],
    build: (g, x) => g.det(at(x)),
    options: { tolerance: 2e-3 },
  }),
);

const equations: readonly (readonly [string, ...Dims[]])[] = [
  ['ij,jk->ik', [2, 3], [3, 2]],
  ['ij,jk', [2, 3], [3, 2]],
  ['ij->ji', [2, 3]],
  ['ij->i', [2, 3]],
  ['ij->', [2, 3]],
  ['ii->i', [3, 3]],
  ['ii', [3, 3]],
  ['i,j->ij', [2], [3]],
  ['bij,bjk->bik', [2, 2, 3], [2, 3, 2]],
  ['...ij,...jk->...ik', [2, 2, 3], [1, 3, 2]],
  ['...ii->...i', [2, 3, 3]],
  ['i...->...', [2, 3]],
  ['bhqd,bhkd->bhqk', [1, 2, 2, 3], [1, 2, 3, 3]],
  ['i,ij,j->', [2], [2, 3], [3]],
  ['ij,kj->ik', [2, 3], [2, 3]],
  ['ijk,ik->i', [2, 2, 3], [2, 3]],
];
const einsums = equations.flatMap(([equation, ...shapes]): Case[] => {
  const row: Case = {
    name: `einsum ${equation} ${JSON.stringify(shapes)}`,
    inputs: shapes.map((s, i) => values(s, { seed: i + 1 })),
    build: (g, x) => g.einsum(...x, { equation }),
  };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { shapes: shapes.map((s) => s.map(() => null)) } }];
});

const smoothOnce: readonly Case[] = [
  { name: 'matMul', inputs: [values([2, 3]), values([3, 2], { seed: 2 })], build: (g, x) => one(g, 'MatMul', x) },
  {
    name: 'gemm',
    inputs: [values([2, 3]), values([3, 2], { seed: 2 }), values([2], { seed: 3 })],
    build: (g, x) => one(g, 'Gemm', x),
  },
  {
    name: 'einsum',
    inputs: [values([2, 3]), values([3, 2], { seed: 2 })],
    build: (g, x) => g.einsum(...x, { equation: 'ij,jk->k' }),
  },
];
const smooth = smoothOnce.map((c) => secondOrder({ ...c, options: { ...linear, step: 1e-3 } }));

export const matmulCases: readonly Case[] = [...products, ...ofUnknownRank, ...gemms, ...determinants, ...einsums, ...smooth];
