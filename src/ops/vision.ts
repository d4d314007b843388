// Regions and boxes of images. Specification: onnx/docs/Operators.md. Layout [N, C, H, W]; a region is [x1, y1, x2, y2].
import { dtypes } from '../core/dtype.js';
import type { Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { scatterRows } from './by-index.js';
import type { GradientContext, OpDef } from './op-def.js';
import { reduceBy, reduceSum } from './reduce.js';
import { sizesOf } from './shape-like.js';

export type VisionOp = 'RoiAlign' | 'MaxRoiPool' | 'NonMaxSuppression' | 'ImageDecoder';

// y[r, c, p, q] = sum over h, w of A[r, p, h] B[r, q, w] x[n(r), c, h, w]: the mean of bilinear samples is a product of means along both axes
function roiAlignGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  if (c.string('mode', 'avg') !== 'avg') return c.fail('no gradient is known for mode "max"');
  if (c.needs(1)) return c.fail('no gradient is known by the regions');
  const x = c.x(0);
  const rows = alongAxis(c, 1, 2, c.int('output_height', 1));
  const columns = alongAxis(c, 0, 3, c.int('output_width', 1));
  const dy = g.matMul(g.transpose(g.unsqueeze(rows, g.ints([1])), { perm: [0, 1, 3, 2] }), c.dy());
  const each = g.matMul(dy, g.unsqueeze(columns, g.ints([1])));
  return [scatterRows(g, { x, axis: 0, indices: c.x(2), q: 1, dy: each, repeats: 'repeated' }), null, null];
}

/** [R, bins, size]: the weight of each pixel of an axis in each bin of a region. `coordinate` is 0 for x, 1 for y. */
function alongAxis(c: GradientContext, coordinate: 0 | 1, axis: number, bins: number): Value {
  const { g } = c;
  const x = c.x(0);
  const k = (v: number) => g.scalar(v, x);
  const float = (v: Value) => g.cast(v, { to: dtypes[x.dtype].code });
  const count = (n: Value) => float(g.range(g.scalar(0, 'int64'), n, g.scalar(1, 'int64')));
  // before opset 16 the pixel shift did not exist
  const shifted = c.string('coordinate_transformation_mode', c.opset < 16 ? 'output_half_pixel' : 'half_pixel') === 'half_pixel';
  const edge = (i: number) => {
    const scaled = g.mul(g.gather(c.x(1), g.ints([i]), { axis: 1 }), k(c.float('spatial_scale', 1)));
    return g.unsqueeze(shifted ? g.sub(scaled, k(0.5)) : scaled, g.ints([2]));
  };
  const start = edge(coordinate);
  const span = g.sub(edge(coordinate + 2), start);
  const bin = g.div(shifted ? span : g.max(span, k(1)), k(bins));
  const ratio = c.int('sampling_ratio', 0);
  // samples per bin: a number for all regions, or as many as the bin has pixels, [R, 1, 1]
  const samples = ratio > 0 ? k(ratio) : g.ceil(bin);
  const most =
    ratio > 0 ? g.scalar(ratio, 'int64') : g.cast(reduceBy(g, 'ReduceMax', samples, 'all', 0), { to: dtypes.int64.code });
  const sample = count(most);
  const origin = g.add(start, g.mul(bin, g.unsqueeze(count(g.scalar(bins, 'int64')), g.ints([1]))));
  const at = g.add(origin, g.mul(g.div(bin, samples), g.add(sample, k(0.5))));
  const size = g.squeeze(sizesOf(g, x, axis, axis + 1), g.ints([0]));
  const inside = g.and(g.not(g.less(at, k(-1))), g.not(g.greater(at, float(size))));
  const taken = g.and(inside, g.less(sample, samples));
  const weight = g.div(float(taken), g.max(samples, k(1)));
  // the hat function around the sample, moved to the nearest pixel at the border
  const place = g.unsqueeze(g.min(g.max(at, k(0)), g.sub(float(size), k(1))), g.ints([3]));
  const hat = g.max(g.sub(k(1), g.abs(g.sub(place, count(size)))), k(0));
  return reduceSum(g, g.mul(hat, g.unsqueeze(weight, g.ints([3]))), [2], 0);
}

export const vision: Readonly<Record<VisionOp, OpDef>> = {
  RoiAlign: {
    versions: [10, 16, 22],
    inputs: 'X rois batch_indices',
    outputs: 'Y',
    attributes: {
      coordinate_transformation_mode: 'string',
      mode: 'string',
      output_height: 'int',
      output_width: 'int',
      sampling_ratio: 'int',
      spatial_scale: 'float',
    },
    infer: (c) => {
      const size = [c.int('output_height', 1), c.int('output_width', 1)];
      return [tensorType(c.dtype(0), [c.shape(1)?.[0] ?? null, c.shape(0)?.[1] ?? null, ...size])];
    },
    gradient: roiAlignGradient,
  },
  MaxRoiPool: {
    versions: [1, 22],
    inputs: 'X rois',
    outputs: 'Y',
    attributes: { pooled_shape: 'ints', spatial_scale: 'float' },
    infer: (c) => [tensorType(c.dtype(0), [c.shape(1)?.[0] ?? null, c.shape(0)?.[1] ?? null, ...(c.ints('pooled_shape') ?? [])])],
    gradient: 'unsupported',
  },
  NonMaxSuppression: {
    versions: [10, 11],
    inputs: 'boxes scores max_output_boxes_per_class? iou_threshold? score_threshold?',
    outputs: 'selected_indices',
    attributes: { center_point_box: 'int' },
    infer: () => [tensorType('int64', [null, 3])],
    gradient: 'zero',
  },
  ImageDecoder: {
    versions: [20],
    inputs: 'encoded_stream',
    outputs: 'image',
    attributes: { pixel_format: 'string' },
    infer: (c) => [tensorType('uint8', [null, null, c.string('pixel_format', 'RGB') === 'Grayscale' ? 1 : 3])],
    gradient: 'zero',
  },
};
