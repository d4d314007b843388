// Gradient cases: normalisations.
import { at, type Case, one, secondOrder, values, values32 } from '../gradient-case.js';

const channel = (n: number, seed: number) => values32([n], { from: 0.4, to: 1.6, kinks: [], seed });
const loose = { tolerance: 4e-3 };
const images = [
  [2, 3, 2, 2],
  [2, 3, 4],
  [3, 2],
] as const;

const batch = images.flatMap((x): Case[] => {
  const c = x[1];
  const inputs = [values32(x), channel(c, 2), channel(c, 3), channel(c, 4), channel(c, 5)];
  const infer: Case = {
    name: `batchNormalization ${JSON.stringify(x)}, inference`,
    inputs,
    build: (g, v) => one(g, 'BatchNormalization', v, { epsilon: 1e-3 }),
    options: loose,
  };
  const train: Case = {
    name: `batchNormalization ${JSON.stringify(x)}, training`,
    inputs,
    build: (g, v) => g.op('BatchNormalization', v, { training_mode: 1, momentum: 0.7, epsilon: 0.1 }, 3),
    options: loose,
  };
  return [infer, train, { ...infer, name: `${infer.name}, N unknown`, options: { ...loose, shapes: [['N', ...x.slice(1)]] } }];
});

const instance = images.slice(0, 2).map(
  (x): Case => ({
    name: `instanceNormalization ${JSON.stringify(x)}`,
    inputs: [values32(x), channel(3, 2), channel(3, 3)],
    build: (g, v) => one(g, 'InstanceNormalization', v, { epsilon: 0.1 }),
    options: loose,
  }),
);

const group = [18, 21].flatMap((opset) =>
  [4, 1, 2].map((num_groups): Case => {
    const n = opset < 21 ? num_groups : 4;
    return {
      name: `groupNormalization, ${num_groups} groups`,
      inputs: [values32([2, 4, 3]), channel(n, 2), channel(n, 3)],
      build: (g, v) => one(g, 'GroupNormalization', v, { num_groups, epsilon: 0.1 }),
      options: { ...loose, opset },
    };
  }),
);

const layer = [-1, 1, 0, -2].flatMap((axis): Case[] => {
  const dims = [2, 3, 2];
  const over = dims.slice(axis);
  const inputs = [values(dims), values(over, { seed: 2 }), values(over, { seed: 3 })];
  const row: Case = {
    name: `layerNormalization axis ${axis}`,
    inputs,
    build: (g, v) => one(g, 'LayerNormalization', v, { axis, epsilon: 0.1 }),
  };
  return [
    row,
    { ...row, name: `${row.name}, no bias`, inputs: inputs.slice(0, 2) },
    { ...row, name: `${row.name}, N unknown`, options: { shapes: [['N', 3, 2], over, over] } },
    {
      name: `layerNormalization axis ${axis}, statistics read too`,
      inputs: [values32(dims), values32(over, { seed: 2 }), values32(over, { seed: 3 })],
      build: (g, v) => g.op('LayerNormalization', v, { axis, epsilon: 0.1 }, 3),
      options: loose,
    },
  ];
});

const rms = [-1, 1, 0, -2].flatMap((axis): Case[] => {
  const dims = [2, 3, 2];
  const row: Case = {
    name: `rMSNormalization axis ${axis}`,
    inputs: [values(dims), values(dims.slice(axis), { seed: 2 })],
    build: (g, v) => one(g, 'RMSNormalization', v, { axis, epsilon: 0.1 }),
    options: { opset: 23 },
  };
  return [row, { ...row, name: `${row.name}, N unknown`, options: { opset: 23, shapes: [['N', 3, 2], dims.slice(axis)] } }];
});

const others: Case[] = [
  ...[1, 2].flatMap((p) =>
    [-1, 0, 1].map(
      (axis): Case => ({
        name: `lpNormalization p ${p}, axis ${axis}`,
        inputs: [values([2, 3, 2])],
        build: (g, v) => g.lpNormalization(at(v), { p, axis }),
      }),
    ),
  ),
  ...[1, 3, 5].map(
    (size): Case => ({
      name: `lRN size ${size}`,
      inputs: [values32([1, 4, 2, 2])],
      build: (g, v) => g.lrn(at(v), { size, alpha: 0.5, beta: 0.6, bias: 1.5 }),
    }),
  ),
  ...[undefined, [0, 2], [1]].map(
    (axes): Case => ({
      name: `meanVarianceNormalization axes ${JSON.stringify(axes)}`,
      inputs: [values32([2, 2, 2, 2])],
      build: (g, v) => g.meanVarianceNormalization(at(v), { axes }),
      options: loose,
    }),
  ),
];
const smooth = [
  {
    name: 'layerNormalization',
    inputs: [values([2, 3]), values([3], { seed: 2 })],
    build: (g, v) => g.layerNormalization(at(v), at(v, 1), { epsilon: 0.1 }),
  } satisfies Case,
  ...rms.slice(0, 1),
].map(secondOrder);

export const normCases: readonly Case[] = [...batch, ...instance, ...group, ...layer, ...rms, ...others, ...smooth];
