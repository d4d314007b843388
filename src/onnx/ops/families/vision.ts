// Regions and boxes of images. Specification: onnx/docs/Operators.md. Layout [N, C, H, W]; a region is [x1, y1, x2, y2].
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { GradientContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { sizesOf } from '../rules/shape-like.js';
import { castLike } from './elementwise.js';
import { reduceBy, reduceSum } from './reduce.js';

type VisionOp = 'RoiAlign' | 'MaxRoiPool' | 'NonMaxSuppression' | 'ImageDecoder';

// y[r, c, p, q] = sum over h, w of A[r, p, h] B[r, q, w] x[n(r), c, h, w]: the mean of bilinear samples is a product of means along both axes
function expandRoiAlign(c: GradientContext): Value[] {
  const { g } = c;
  const rows = samplesOf(c, 1, 2, c.int('output_height'));
  const columns = samplesOf(c, 0, 3, c.int('output_width'));
  const images = g.gather(c.x(0), c.x(2), { axis: 0 });
  if (c.string('mode') === 'max') return [largestCorner(c, images, rows, columns)];
  const across = g.matMul(g.unsqueeze(meanWeights(c, rows), [1]), images);
  return [g.matMul(across, g.unsqueeze(g.transpose(meanWeights(c, columns), { perm: [0, 2, 1] }), [1]))];
}

/** [R, bins, size]: true where a pixel of an axis lies in a bin of a region, whose ends are rounded to pixels. Inputs as those of MaxRoiPool. */
function inBins(c: GradientContext, coordinate: 0 | 1, axis: number, bins: number): Value {
  const { g } = c;
  const x = c.x(0);
  const count = (n: Value) => castLike(g, g.range(0, n, 1), x);
  const edge = (i: number) => {
    const scaled = g.mul(g.gather(c.x(1), [i], { axis: 1 }), c.float('spatial_scale'));
    return g.unsqueeze(g.floor(g.add(scaled, 0.5)), [2]);
  };
  const first = edge(1 + coordinate);
  const pixels = g.max(g.add(g.sub(edge(3 + coordinate), first), 1), 1);
  const bin = g.div(pixels, bins);
  const number = g.unsqueeze(count(g.scalar(bins, 'int64')), [1]);
  const from = g.add(g.floor(g.mul(number, bin)), first);
  const to = g.add(g.ceil(g.mul(g.add(number, 1), bin)), first);
  const pixel = count(g.squeeze(sizesOf(g, x, axis, axis + 1), [0]));
  return g.and(g.lessOrEqual(from, pixel), g.less(pixel, to));
}

// The maximum over the pixels of a bin, along one axis and then the other; 0 where a bin is empty. It does not move with the rounded regions.
function expandMaxRoiPool(c: GradientContext): Value[] {
  const { g } = c;
  const [height = 1, width = 1] = c.ints('pooled_shape') ?? [];
  const number = g.cast(g.squeeze(g.slice(c.x(1), [0], [1], [1]), [1]), {
    to: 'int64',
  });
  const images = g.gather(c.x(0), number, { axis: 0 });
  const least = g.scalar(Number.NEGATIVE_INFINITY, images);
  const most = (among: Value, v: Value, axis: number) => reduceBy(g, 'ReduceMax', g.where(among, v, least), [axis], 0);
  const columns = g.unsqueeze(inBins(c, 0, 3, width), [1, 2]);
  const rows = g.unsqueeze(inBins(c, 1, 2, height), [1, 4]);
  const across = most(columns, g.unsqueeze(images, [3]), 4);
  const y = most(rows, g.unsqueeze(across, [2]), 3);
  return [g.where(g.greater(y, least), y, 0)];
}

/** Where a region is sampled along one axis. `coordinate` is 0 for x, 1 for y. */
interface Samples {
  /** [R, bins, samples]: places in pixels, moved to the nearest pixel at the border. */
  readonly place: Value;
  /** Whether a place lies in the image; whether a bin of the region has that many samples. */
  readonly inside: Value;
  readonly counted: Value;
  /** Samples of a bin: a number for all regions, or as many as the bin has pixels, [R, 1, 1]. */
  readonly samples: Value;
  /** Pixels along the axis, int64. */
  readonly size: Value;
}

/** 0, 1, ... up to a number known at run time, in the dtype of `like`. */
function upTo(g: Ops, n: Value, like: Value): Value {
  return castLike(g, g.range(0, n, 1), like);
}

function samplesOf(c: GradientContext, coordinate: 0 | 1, axis: number, bins: number): Samples {
  const { g } = c;
  const x = c.x(0);
  const k = (v: number) => g.scalar(v, x);
  // before opset 16 the pixel shift did not exist
  const shifted = c.string('coordinate_transformation_mode', 'output_half_pixel') === 'half_pixel';
  const edge = (i: number) => {
    const scaled = g.mul(g.gather(c.x(1), [i], { axis: 1 }), k(c.float('spatial_scale')));
    return g.unsqueeze(shifted ? g.sub(scaled, k(0.5)) : scaled, [2]);
  };
  const start = edge(coordinate);
  const span = g.sub(edge(coordinate + 2), start);
  const bin = g.div(shifted ? span : g.max(span, k(1)), k(bins));
  const ratio = c.int('sampling_ratio');
  const samples = ratio > 0 ? k(ratio) : g.ceil(bin);
  const most = ratio > 0 ? g.scalar(ratio, 'int64') : g.cast(reduceBy(g, 'ReduceMax', samples, 'all', 0), { to: 'int64' });
  const sample = upTo(g, most, x);
  const origin = g.add(start, g.mul(bin, g.unsqueeze(upTo(g, g.scalar(bins, 'int64'), x), [1])));
  const at = g.add(origin, g.mul(g.div(bin, samples), g.add(sample, k(0.5))));
  const size = g.squeeze(sizesOf(g, x, axis, axis + 1), [0]);
  const inside = g.and(g.not(g.less(at, k(-1))), g.not(g.greater(at, castLike(g, size, x))));
  const place = g.min(g.max(at, k(0)), g.sub(castLike(g, size, x), k(1)));
  return { place, inside, counted: g.less(sample, samples), samples, size };
}

/** [R, bins, size]: the weight of each pixel of an axis in the mean of each bin: hat functions around the samples. */
function meanWeights(c: GradientContext, { place, inside, counted, samples, size }: Samples): Value {
  const { g } = c;
  const weight = g.div(castLike(g, g.and(inside, counted), place), g.max(samples, 1));
  const hat = g.max(g.sub(1, g.abs(g.sub(g.unsqueeze(place, [3]), upTo(g, size, place)))), 0);
  return reduceSum(g, g.mul(hat, g.unsqueeze(weight, [3])), [2], 0);
}

/** The two pixels around each sample of an axis: [R, bins, 2 samples] which, with what weight, and whether they are there at all. */
function corners(c: GradientContext, s: Samples): { readonly index: Value; readonly weight: Value; readonly there: Value } {
  const { g } = c;
  const low = g.floor(s.place);
  const t = g.sub(s.place, low);
  const both = (a: Value, b: Value) => g.concat(a, b, { axis: 2 });
  const inside = castLike(g, s.inside, s.place);
  const counted = g.expand(s.counted, g.shape(s.place));
  return {
    index: both(low, g.min(g.add(low, 1), g.sub(castLike(g, s.size, s.place), 1))),
    weight: both(g.mul(g.sub(1, t), inside), g.mul(t, inside)),
    there: both(counted, counted),
  };
}

/**
 * The maximum over the four pixels around all samples of a bin, each times its weight: ONNX Runtime's mode "max". A pixel is read by a product
 * with the row that is 1 at it.
 */
function largestCorner(c: GradientContext, images: Value, rows: Samples, columns: Samples): Value {
  const { g } = c;
  const [down, across] = [corners(c, rows), corners(c, columns)];
  const apart = (v: Value) => g.reshape(v, [0, -1]);
  const picked = (v: Value, size: Value) =>
    g.unsqueeze(castLike(g, g.equal(g.unsqueeze(apart(v), [2]), upTo(g, size, images)), images), [1]);
  const read = g.matMul(
    g.matMul(picked(down.index, rows.size), images),
    g.transpose(picked(across.index, columns.size), { perm: [0, 1, 3, 2] }),
  );
  // [R, C, bins, 2 samples, bins, 2 samples]
  const [height, width] = [c.int('output_height'), c.int('output_width')];
  const split = g.reshape(read, g.concat(g.ints([0, 0, height]), sizesOf(g, down.index, 2, 3), [width], [-1], { axis: 0 }));
  const tall = (v: Value) => g.unsqueeze(v, [1, 4, 5]);
  const wide = (v: Value) => g.unsqueeze(v, [1, 2, 3]);
  const values = g.mul(g.mul(split, tall(down.weight)), wide(across.weight));
  const there = g.and(tall(down.there), wide(across.there));
  return reduceBy(g, 'ReduceMax', g.where(there, values, Number.NEGATIVE_INFINITY), [3, 5], 0);
}

export const vision: Readonly<Record<VisionOp, OpRules>> = {
  RoiAlign: {
    infer: (c) => {
      const size = [c.int('output_height'), c.int('output_width')];
      return [c.like(0, [c.shape(1)?.[0] ?? null, c.shape(0)?.[1] ?? null, ...size])];
    },
    gradient: { expand: expandRoiAlign },
  },
  MaxRoiPool: {
    infer: (c) => [c.like(0, [c.shape(1)?.[0] ?? null, c.shape(0)?.[1] ?? null, ...(c.ints('pooled_shape') ?? [])])],
    gradient: { expand: expandMaxRoiPool },
  },
  NonMaxSuppression: {
    infer: () => [tensorType('int64', [null, 3])],
    gradient: 'zero',
  },
  ImageDecoder: {
    infer: (c) => [tensorType('uint8', [null, null, c.string('pixel_format') === 'Grayscale' ? 1 : 3])],
    gradient: 'zero',
  },
};
