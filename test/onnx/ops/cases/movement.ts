// Gradient cases: ops that move elements.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Value } from '../../../../src/onnx/ir/graph.js';
import type { Ops } from '../../../../src/onnx/ops/ops-builder.js';
import { at, type Case, linear, one, values, values32 } from '../gradient-case.js';

type Build = (g: Ops, x: readonly Value[]) => Value | Value[];
const row = (name: string, dims: readonly number[], build: Build): Case => ({ name, inputs: [values(dims)], build });
/** The same with sizes known and not. */
const both = (name: string, dims: readonly number[], build: Build): Case[] => [
  row(name, dims, build),
  { ...row(`${name}, sizes unknown`, dims, build), options: { shapes: [dims.map(() => null)] } },
];

const reshapes = [
  ...both('reshape', [2, 6], (g, x) => g.reshape(at(x), g.ints([0, 2, -1]))),
  ...both('flatten', [2, 3, 2], (g, x) => g.flatten(at(x), { axis: 2 })),
  ...both('squeeze', [2, 1, 3, 1], (g, x) => g.squeeze(at(x), g.ints([1, -1]))),
  row('squeeze of all ones', [2, 1, 3, 1], (g, x) => g.squeeze(at(x))),
  ...both('unsqueeze', [2, 3], (g, x) => g.unsqueeze(at(x), g.ints([0, -1]))),
  ...both('transpose', [2, 3, 2], (g, x) => g.transpose(at(x), { perm: [2, 0, 1] })),
  ...both('transpose, default', [2, 3, 2], (g, x) => g.transpose(at(x))),
  ...both('expand', [2, 1], (g, x) => g.expand(at(x), g.ints([3, 2, 2]))),
  ...both('tile', [2, 3], (g, x) => g.tile(at(x), g.ints([2, 3]))),
  ...both('trilu upper', [3, 3], (g, x) => g.trilu(at(x))),
  ...both('trilu lower, k', [2, 3, 3], (g, x) => g.trilu(at(x), g.scalar(1, 'int64'), { upper: 0 })),
  { name: 'tile, repeats at run time', inputs: [values([2, 3]), int64([2, 3])], build: (g, x) => one(g, 'Tile', x) } as Case,
];
const joins: Case[] = [
  ...[0, 1, -1].map(
    (axis): Case => ({
      name: `concat axis ${axis}`,
      inputs: [values([2, 3, 2]), values([2, 3, 2], { seed: 2 })],
      build: (g, x) => g.concat(...x, { axis }),
    }),
  ),
  {
    name: 'concat, by the second alone',
    inputs: [values([2, 3]), values([2, 2], { seed: 2 }), values([2, 1], { seed: 3 })],
    build: (g, x) => g.concat(...x, { axis: 1 }),
    options: { by: [1] },
  },
  {
    name: 'concat, sizes unknown',
    inputs: [values([2, 3]), values([2, 2], { seed: 2 })],
    build: (g, x) => g.concat(...x, { axis: 1 }),
    options: {
      shapes: [
        ['N', null],
        ['N', 'M'],
      ],
    },
  },
  row('split', [2, 5], (g, x) => g.op('Split', [at(x), g.ints([2, 3])], { axis: 1 }, 2)),
  row('split, one part unread', [2, 5], (g, x) => g.op('Split', [at(x), g.ints([2, 3])], { axis: 1 }, 2).slice(1)),
  {
    name: 'split, last part smaller',
    inputs: [values([5, 2])],
    build: (g, x) => g.op('Split', [at(x)], { axis: 0, num_outputs: 2 }, 2),
    options: { opset: 18 },
  },
  {
    name: 'reverseSequence',
    inputs: [values([3, 2, 2]), int64([1, 3])],
    build: (g, x) => g.reverseSequence(at(x), at(x, 1), { time_axis: 0, batch_axis: 1 }),
  },
];

const slices = (
  [
    ['step 1', [1], [3], [0], undefined],
    ['step 2', [0, 1], [4, 3], [0, 1], [2, 1]],
    ['backwards', [-1], [-(2 ** 31)], [0], [-1]],
    ['backwards in twos', [3], [0], [0], [-2]],
    ['from the end', [-2], [2 ** 31 - 1], [1], undefined],
    ['nothing', [2], [2], [0], undefined],
  ] as const
).flatMap(([name, starts, ends, axes, steps]): Case[] => {
  const build: Build = (g, x) =>
    g.slice(at(x), g.ints(starts), g.ints(ends), g.ints(axes), steps === undefined ? null : g.ints(steps));
  return both(`slice ${name}`, [4, 3], build);
});
const dynamic: Case[] = [
  {
    name: 'slice, bounds at run time',
    inputs: [values([4, 3]), int64([1]), int64([4]), int64([0]), int64([2])],
    build: (g, x) => one(g, 'Slice', x),
  },
];

const pads = (
  [
    ['constant', [0, 1, 2, 0], 17],
    ['constant', [0, -1, 1, 2], 17],
    ['reflect', [1, 1, 0, 2], 17],
    ['edge', [1, 2, 2, 0], 17],
    ['edge', [1, 2, 2, 0], 13],
    ['wrap', [1, 2, 2, 1], 19],
  ] as const
).flatMap(([mode, list, opset]): Case[] => {
  const make: Build = (g, x) => g.pad(at(x), g.ints(list), { mode });
  return both(`pad ${mode} ${JSON.stringify(list)}`, [3, 3], make).map((c) => ({ ...c, options: { ...c.options, opset } }));
});
const otherPads: Case[] = [
  {
    name: 'pad, by the constant too',
    inputs: [values([2, 3]), Tensor.from('float64', 0.7)],
    build: (g, x) => g.pad(at(x), g.ints([1, 0, 0, 2]), at(x, 1)),
  },
  { name: 'pad, pads at run time', inputs: [values([2, 3]), int64([1, 0, 0, 2])], build: (g, x) => one(g, 'Pad', x) },
  {
    name: 'pad with axes',
    inputs: [values([2, 3])],
    build: (g, x) => g.pad(at(x), g.ints([1, 2]), null, g.ints([-1])),
    options: { opset: 18 },
  },
  ...[
    [4, 2],
    [2, 5],
    [3, 3],
    [6, 1],
  ].flatMap((shape) =>
    both(`centerCropPad ${JSON.stringify(shape)}`, [3, 4], (g, x) => g.centerCropPad(at(x), g.ints(shape))).map((c) => ({
      ...c,
      options: { ...c.options, opset: 18 },
    })),
  ),
  {
    name: 'centerCropPad with axes',
    inputs: [values([2, 3, 4])],
    build: (g, x) => g.centerCropPad(at(x), g.ints([4, 3]), { axes: [-1, 0] }),
    options: { opset: 18 },
  },
];

const blocks: Case[] = [
  ...['DCR', 'CRD'].map(
    (mode): Case => row(`depthToSpace ${mode}`, [1, 8, 2, 1], (g, x) => g.depthToSpace(at(x), { blocksize: 2, mode })),
  ),
  {
    ...row('depthToSpace CRD, sizes unknown', [1, 8, 2, 1], (g, x) => g.depthToSpace(at(x), { blocksize: 2, mode: 'CRD' })),
    options: { ...linear, shapes: [[null, null, null, null]] },
  },
  row('spaceToDepth', [1, 1, 4, 2], (g, x) => g.spaceToDepth(at(x), { blocksize: 2 })),
  ...[
    [[3, 4], [2, 2], [1, 8, 6], {}],
    [[4, 4], [2, 2], [1, 4, 4], { strides: [2, 2] }],
    [[4, 4], [2, 2], [2, 4, 4], { dilations: [2, 2] }],
    [[3, 3], [2, 2], [1, 4, 16], { pads: [1, 1, 1, 1] }],
  ].map(
    ([image, block, dims, attributes]): Case => ({
      name: `col2Im ${JSON.stringify([image, block, attributes])}`,
      inputs: [values32(dims as number[])],
      build: (g, x) =>
        g.col2Im(at(x), g.ints(image as number[]), g.ints(block as number[]), attributes as Record<string, number[]>),
      options: { ...linear, opset: 18 },
    }),
  ),
];

/** Sizes of image and block that are known at run time only. */
const unfolded: Case[] = [
  { image: [3, 4], block: [2, 2], dims: [1, 8, 6], attributes: {} },
  { image: [4, 4], block: [2, 1], dims: [1, 4, 6], attributes: { strides: [1, 2], dilations: [2, 1], pads: [0, 0, 1, 0] } },
].map(({ image, block, dims, attributes }) => ({
  name: `col2Im at run time ${JSON.stringify([image, block, attributes])}`,
  inputs: [values32(dims), int64(image), int64(block)],
  build: (g, x) => one(g, 'Col2Im', x, attributes),
  options: { ...linear, opset: 18 },
}));
const empty: Case = {
  name: 'reshape of nothing, with a size of 0',
  inputs: [values([0, 3, 2])],
  build: (g, x) => g.reshape(at(x), g.ints([3, 2, 0]), { allowzero: 1 }),
};

export const movementCases: readonly Case[] = [
  ...reshapes,
  ...joins,
  ...slices,
  ...dynamic,
  ...pads,
  ...otherPads,
  ...blocks,
  ...unfolded,
  empty,
];
