// Gradient cases: resizing, sampling and regions.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, linear, one, values, values32 } from '../gradient-case.js';

type Attributes = Readonly<Record<string, number | string | readonly number[]>>;
const scaled = (name: string, dims: readonly number[], scales: readonly number[], attributes: Attributes, opset = 17): Case[] => {
  const row: Case = {
    name: `resize ${name} by ${JSON.stringify(scales)}`,
    inputs: [values32(dims)],
    build: (g, x) => g.resize(at(x), null, g.constant(Tensor.from('float32', scales)), attributes),
    options: { ...linear, opset },
  };
  return [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...linear, opset, shapes: [dims.map(() => null)] } }];
};
const coordinates = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];
const [up, down] = [
  [1, 1, 2, 1.6],
  [1, 1, 0.6, 0.5],
];

const nearest = coordinates.flatMap((coordinate_transformation_mode) =>
  roundings.flatMap((nearest_mode) =>
    [up, down].flatMap((s) =>
      scaled(`nearest ${coordinate_transformation_mode} ${nearest_mode}`, [1, 1, 3, 5], s, {
        mode: 'nearest',
        coordinate_transformation_mode,
        nearest_mode,
      }).slice(0, 1),
    ),
  ),
);
const smooth = ['linear', 'cubic'].flatMap((mode) =>
  coordinates.flatMap((coordinate_transformation_mode) =>
    [up, down].flatMap((s) =>
      scaled(`${mode} ${coordinate_transformation_mode}`, [1, 2, 3, 4], s, { mode, coordinate_transformation_mode }),
    ),
  ),
);
const more: Case[] = [
  ...scaled('nearest, whole blocks', [1, 2, 2, 3], [1, 1, 2, 3], {
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  }),
  ...scaled('nearest, whole blocks', [1, 1, 2, 2], [1, 1, 2, 2], {}),
  ...scaled('linear', [3, 4], [1.5, 0.5], { mode: 'linear' }),
  ...scaled('linear 3d', [1, 1, 2, 3, 2], [1, 1, 2, 1.5, 2], { mode: 'linear' }),
  ...scaled('cubic, exclude_outside', [1, 1, 4, 4], [1, 1, 1.5, 0.7], { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: -0.5 }),
  ...scaled('linear, antialias', [1, 1, 4, 5], [1, 1, 0.5, 0.6], { mode: 'linear', antialias: 1 }, 18),
  ...scaled('cubic, antialias', [1, 1, 4, 5], [1, 1, 0.5, 0.6], { mode: 'cubic', antialias: 1 }, 18),
  ...scaled(
    'linear half_pixel_symmetric',
    [1, 1, 3, 4],
    [1, 1, 1.5, 0.6],
    { mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' },
    19,
  ),
  ...[
    [17, {}, [1, 1, 5, 3]],
    [18, { axes: [2, 3] }, [5, 3]],
    [18, { axes: [3] }, [6]],
  ].map(
    ([opset, attributes, sizes]): Case => ({
      name: `resize to ${JSON.stringify(sizes)}`,
      inputs: [values32([1, 1, 3, 4])],
      build: (g, x) => g.resize(at(x), null, null, g.ints(sizes as number[]), { mode: 'linear', ...(attributes as Attributes) }),
      options: { ...linear, opset: opset as number },
    }),
  ),
  ...[
    ['not_larger', [5, 7], {}],
    ['not_smaller', [5, 7], {}],
    ['not_larger', [2, 2], { mode: 'nearest' }],
    ['not_smaller', [2, 2], { mode: 'linear', coordinate_transformation_mode: 'asymmetric' }],
    ['not_larger', [2, 7], { mode: 'linear', coordinate_transformation_mode: 'align_corners' }],
    ['not_smaller', [2, 4], { mode: 'cubic', coordinate_transformation_mode: 'pytorch_half_pixel' }],
  ].map(
    ([keep_aspect_ratio_policy, sizes, attributes]): Case => ({
      name: `resize ${keep_aspect_ratio_policy} ${JSON.stringify([sizes, attributes])}`,
      inputs: [values32([1, 1, 3, 5])],
      build: (g, x) =>
        g.resize(at(x), null, null, g.ints(sizes as number[]), {
          keep_aspect_ratio_policy: String(keep_aspect_ratio_policy),
          axes: [2, 3],
          ...(attributes as Attributes),
        }),
      options: { ...linear, opset: 18 },
    }),
  ),
  {
    name: 'resize not_larger, to sizes at run time',
    inputs: [values32([1, 1, 3, 5]), int64([5, 8])],
    build: (g, x) =>
      g.resize(at(x), null, null, at(x, 1), { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }),
    options: { ...linear, opset: 18 },
  },
  {
    name: 'resize to sizes at run time',
    inputs: [values32([1, 1, 3, 4]), int64([1, 1, 5, 3])],
    build: (g, x) => g.resize(at(x), null, null, at(x, 1), { mode: 'linear' }),
    options: linear,
  },
  {
    name: 'resize tf_crop_and_resize',
    inputs: [values32([1, 1, 4, 4])],
    build: (g, x) =>
      g.resize(at(x), g.constant(Tensor.from('float32', [0, 0, 0.4, 0.6, 1, 1, 0.6, 1.3])), null, g.ints([1, 1, 3, 3]), {
        mode: 'linear',
        coordinate_transformation_mode: 'tf_crop_and_resize',
        extrapolation_value: 10,
      }),
    options: linear,
  },
];

const regions = Tensor.from('float32', [0.31, 0.53, 3.43, 3.87, 1.07, 1.03, 4.21, 2.77], [2, 4]);
const roi = [
  { output_height: 2, output_width: 2, sampling_ratio: 2 },
  { output_height: 2, output_width: 1 },
  {
    output_height: 1,
    output_width: 2,
    sampling_ratio: 1,
    spatial_scale: 0.5,
    coordinate_transformation_mode: 'output_half_pixel',
  },
  { output_height: 2, output_width: 2, sampling_ratio: 2, mode: 'max' },
  { output_height: 1, output_width: 2, mode: 'max', coordinate_transformation_mode: 'output_half_pixel' },
].map(
  (attributes): Case => ({
    name: `roiAlign ${JSON.stringify(attributes)}`,
    inputs: [values32([2, 1, 4, 5]), regions, int64([1, 0])],
    build: (g, x) => one(g, 'RoiAlign', x, attributes),
    // the samples move with the region: a kink where one meets a pixel
    options: { step: 1e-3, tolerance: 4e-3 },
  }),
);
const boxes = Tensor.from('float32', [0, 0.3, 0.7, 3.4, 3.2, 1, 1, 1, 2.6, 2.2, 0, 3.2, 0.1, 9, 1.4], [3, 5]);
const maxRoi = [{ pooled_shape: [2, 2] }, { pooled_shape: [1, 3], spatial_scale: 0.6 }].map(
  (attributes): Case => ({
    name: `maxRoiPool ${JSON.stringify(attributes)}`,
    inputs: [values32([2, 2, 4, 5]), boxes],
    build: (g, x) => one(g, 'MaxRoiPool', x, attributes),
    options: { by: [0] },
  }),
);
const deformable = [
  { dims: [1, 2, 4, 4], filters: 2, kernel: [2, 2], out: [3, 3], attributes: {}, mask: false },
  {
    dims: [1, 2, 4, 3],
    filters: 2,
    kernel: [3, 2],
    out: [2, 2],
    attributes: { pads: [1, 0, 0, 1], strides: [2, 2], group: 2 },
    mask: true,
  },
  { dims: [1, 2, 4, 4], filters: 1, kernel: [2, 2], out: [2, 2], attributes: { dilations: [2, 2], offset_group: 2 }, mask: true },
].map(({ dims, filters, kernel, out, attributes, mask }): Case => {
  const { group = 1, offset_group = 1 } = attributes as { group?: number; offset_group?: number };
  const taps = (kernel[0] ?? 1) * (kernel[1] ?? 1);
  return {
    name: `deformConv ${JSON.stringify([dims, kernel, attributes])}`,
    inputs: [
      values32(dims),
      values32([filters, (dims[1] ?? 1) / group, ...kernel], { seed: 2 }),
      values32([1, offset_group * taps * 2, ...out], { from: -0.9, to: 0.9, kinks: [-1, 0, 1], seed: 3 }),
      values32([filters], { seed: 4 }),
      ...(mask ? [values32([1, offset_group * taps, ...out], { from: 0.2, to: 1.2, kinks: [], seed: 5 })] : []),
    ],
    build: (g, x) => one(g, 'DeformConv', x, attributes),
    options: { opset: 19, step: 5e-3 },
  };
});
const affine = [0, 1].flatMap((align_corners) =>
  [
    [2, 1, 2, 3],
    [1, 1, 2, 2, 2],
  ].map((size): Case => {
    const n = size.length - 2;
    return {
      name: `affineGrid ${JSON.stringify(size)}, align_corners ${align_corners}`,
      inputs: [values32([size[0] ?? 1, n, n + 1])],
      build: (g, x) => g.affineGrid(at(x), g.ints(size), { align_corners }),
      options: { ...linear, opset: 20 },
    };
  }),
);

/** What opset 20 calls the modes of opset 16. */
const renamed: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };
const gridModes = [
  ['bilinear', 16, [1, 2, 3, 4]],
  ['nearest', 16, [1, 1, 3, 3]],
  ['bicubic', 16, [1, 1, 4, 4]],
  ['linear', 20, [1, 1, 2, 3, 3]],
] as const;
const grids = gridModes.flatMap(([mode, opset, dims]) =>
  ['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
    [0, 1].map((align_corners): Case => {
      const n = dims.length - 2;
      const points = values32([1, ...new Array<number>(n).fill(2), n], { from: -1.37, to: 1.41, kinks: [], seed: 4 });
      return {
        name: `gridSample ${mode} ${padding_mode}, align_corners ${align_corners}`,
        inputs: [values32(dims), points],
        build: (g, x) =>
          one(g, 'GridSample', x, { mode: g.opset < 20 ? mode : (renamed[mode] ?? mode), padding_mode, align_corners }),
        options: { opset, step: 1e-3, tolerance: 4e-3, by: mode === 'nearest' ? [0] : [0, 1] },
      };
    }),
  ),
);

const transforms = [17, 20].flatMap((opset) =>
  [
    { dims: [2, 5, 1], length: undefined, attributes: {} },
    { dims: [2, 5, 2], length: undefined, attributes: {} },
    { dims: [2, 4, 2], length: undefined, attributes: { inverse: 1 } },
    { dims: [1, 4, 1], length: 6, attributes: {} },
    { dims: [1, 6, 2], length: 4, attributes: {} },
    { dims: [2, 4, 1], length: undefined, attributes: { onesided: 1 } },
    { dims: [2, 5, 1], length: undefined, attributes: { onesided: 1 } },
    ...(opset < 20
      ? []
      : [
          { dims: [1, 3, 2], length: undefined, attributes: { onesided: 1, inverse: 1 } },
          { dims: [1, 3, 2], length: 5, attributes: { onesided: 1, inverse: 1 } },
        ]),
  ].map(
    ({ dims, length, attributes }): Case => ({
      name: `dFT ${JSON.stringify([dims, length, attributes])}`,
      inputs: [values(dims)],
      build: (g, x) => g.dft(at(x), length === undefined ? null : g.scalar(length, 'int64'), attributes),
      options: { opset },
    }),
  ),
);
/** Axis and length are inputs that are known at run time only. */
const transformsAtRunTime = [
  { dims: [2, 5, 1], axis: 1, attributes: {} },
  { dims: [2, 4, 2], axis: -3, attributes: { inverse: 1 } },
  { dims: [2, 5, 1], axis: 1, attributes: { onesided: 1 } },
  { dims: [1, 3, 2], axis: -2, attributes: { onesided: 1, inverse: 1 } },
  { dims: [1, 4, 1], axis: 1, length: 6, attributes: { onesided: 1 } },
  { dims: [1, 6, 2], axis: 1, length: 4, attributes: {} },
].map(
  ({ dims, axis, length, attributes }): Case => ({
    name: `dFT at run time ${JSON.stringify([dims, axis, length, attributes])}`,
    inputs: [values(dims), Tensor.from('int64', axis), ...(length === undefined ? [] : [Tensor.from('int64', length)])],
    build: (g, x) => g.dft(at(x), x[2] ?? null, at(x, 1), attributes),
    options: { opset: 20, shapes: [dims.map((d, i) => (i === dims.length - 1 ? d : null))] },
  }),
);
const shortTime = [0, 1].flatMap((onesided): Case[] => [
  {
    name: `sTFT onesided ${onesided}, length and step at run time`,
    inputs: [values([2, 7, 1]), Tensor.from('int64', 3), Tensor.from('int64', 4)],
    build: (g, x) => g.stft(at(x), at(x, 1), null, at(x, 2), { onesided }),
  },
  {
    name: `sTFT onesided ${onesided}, window of unknown length`,
    inputs: [values([1, 8, 1]), values([4], { seed: 2 })],
    build: (g, x) => g.stft(at(x), g.scalar(2, 'int64'), at(x, 1), { onesided }),
    options: { shapes: [[1, null, 1], [null]] },
  },
  {
    name: `sTFT onesided ${onesided}, window`,
    inputs: [values([1, 8, 1]), values([4], { seed: 2 })],
    build: (g, x) => g.stft(at(x), g.scalar(2, 'int64'), at(x, 1), { onesided }),
  },
  {
    name: `sTFT onesided ${onesided}, length`,
    inputs: [values([2, 7, 1])],
    build: (g, x) => g.stft(at(x), g.scalar(3, 'int64'), null, g.scalar(4, 'int64'), { onesided }),
  },
]);

export const imageCases: readonly Case[] = [
  ...nearest,
  ...smooth,
  ...more,
  ...roi,
  ...maxRoi,
  ...deformable,
  ...affine,
  ...grids,
  ...transforms,
  ...transformsAtRunTime,
  ...shortTime,
];
