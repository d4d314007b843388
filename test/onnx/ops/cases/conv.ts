// Gradient cases: convolutions of every rank, stride, dilation, group, pad and shape. Linear in x, W and B, so that float32 serves.
import { at, type Case, linear, one, secondOrder, values32 } from '../gradient-case.js';

type Dims = readonly number[];
type Row = readonly [name: string, x: Dims, w: Dims, attributes: Readonly<Record<string, number | string | readonly number[]>>];

const rows: readonly Row[] = [
  ['1d', [2, 2, 6], [3, 2, 3], {}],
  ['2d', [1, 2, 5, 5], [3, 2, 3, 3], {}],
  ['3d', [1, 1, 3, 4, 3], [2, 1, 2, 2, 2], {}],
  ['pads', [1, 2, 4, 4], [2, 2, 3, 3], { pads: [1, 1, 1, 1] }],
  ['uneven pads', [1, 1, 4, 5], [1, 1, 3, 2], { pads: [0, 1, 2, 1] }],
  ['stride 2, one place left over', [1, 1, 6, 6], [2, 1, 3, 3], { strides: [2, 2] }],
  ['stride 3 of kernel 2', [1, 1, 8], [1, 1, 2], { strides: [3] }],
  ['dilation', [1, 1, 6, 6], [1, 1, 3, 3], { dilations: [2, 2] }],
  ['dilation and stride', [1, 1, 9], [2, 1, 3], { dilations: [2], strides: [2], pads: [1, 2] }],
  ['groups', [1, 4, 4, 4], [4, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
  ['depthwise, uneven', [1, 3, 5, 4], [3, 1, 3, 2], { group: 3, strides: [2, 1], pads: [0, 1, 1, 0] }],
  ['depthwise, two filters each', [1, 2, 5], [4, 1, 3], { group: 2 }],
  ['SAME_UPPER', [1, 1, 5, 6], [1, 1, 2, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
  ['SAME_LOWER', [1, 1, 5, 6], [1, 1, 2, 4], { auto_pad: 'SAME_LOWER' }],
  ['VALID', [1, 1, 5], [1, 1, 2], { auto_pad: 'VALID' }],
  ['1x1', [1, 3, 3, 3], [2, 3, 1, 1], {}],
];
const withBias = (x: Dims, w: Dims, bias: number) => [values32(x), values32(w, { seed: 2 }), values32([bias], { seed: 3 })];
const symbolic = (x: Dims, w: Dims, bias: number) => [x.map((_, i) => (i === 1 ? (x[1] ?? 1) : null)), w, [bias]];

const conv = rows.flatMap(([name, x, w, attributes]): Case[] => {
  const row: Case = {
    name: `conv ${name}`,
    inputs: withBias(x, w, w[0] ?? 1),
    build: (g, v) => one(g, 'Conv', v, attributes),
    options: linear,
  };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...linear, shapes: symbolic(x, w, w[0] ?? 1) } }];
});

const transposed: readonly Row[] = [
  ['1d', [2, 2, 4], [2, 3, 3], {}],
  ['2d', [1, 2, 3, 3], [2, 2, 3, 3], {}],
  ['3d', [1, 1, 2, 2, 3], [1, 2, 2, 2, 2], {}],
  ['stride, pads', [1, 1, 3, 4], [1, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['output_padding', [1, 1, 3, 3], [1, 1, 3, 3], { strides: [2, 3], pads: [1, 1, 1, 1], output_padding: [1, 2] }],
  ['dilation', [1, 1, 4], [1, 2, 3], { dilations: [2] }],
  ['groups', [1, 4, 3], [4, 2, 3], { group: 2, strides: [2] }],
  ['depthwise', [1, 3, 3], [3, 1, 2], { group: 3 }],
  ['output_shape', [1, 1, 3, 3], [1, 1, 3, 3], { strides: [2, 2], output_shape: [6, 5] }],
  ['SAME_UPPER', [1, 1, 3, 3], [1, 1, 3, 4], { strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', [1, 1, 3, 3], [1, 1, 3, 4], { strides: [2, 2], auto_pad: 'SAME_LOWER' }],
  ['VALID', [1, 1, 3], [1, 1, 3], { auto_pad: 'VALID' }],
];
const convTranspose = transposed.flatMap(([name, x, w, attributes]): Case[] => {
  const filters = (w[1] ?? 1) * Number(attributes.group ?? 1);
  const row: Case = {
    name: `convTranspose ${name}`,
    inputs: withBias(x, w, filters),
    build: (g, v) => one(g, 'ConvTranspose', v, attributes),
    options: linear,
  };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...linear, shapes: symbolic(x, w, filters) } }];
});

const smooth: Case[] = (['conv', 'convTranspose'] as const).map((op) =>
  secondOrder({
    name: op,
    inputs: [values32([1, 1, 4]), values32([1, 1, 2], { seed: 2 })],
    build: (g, x) => g[op](at(x), at(x, 1), { strides: [2] }),
    options: { tolerance: 1e-2, step: 0.05 },
  }),
);

export const convCases: readonly Case[] = [...conv, ...convTranspose, ...smooth];
