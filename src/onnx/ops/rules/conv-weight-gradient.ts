// The weight gradient of a convolution: the one file that chooses its form. `sh scripts/bench/run conv-gradient` measures all three, and
// its table in BENCHMARKS.md is the reason for the choice here. Forms: windows of the channels-last input times the gradient, one large
// product; slices of the padded input joined, a product per sample, a sum over the batch; a convolution of the transposed input by the
// transposed gradient, which needs no size.
import { within } from '../../core/bounds.js';
import { elementCount, isStatic, sameShape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';
import { channelsLast, windows } from './channels-last.js';
import { columnOrder, columns } from './columns.js';
import { sizesOf, typed } from './shape-like.js';
import { padSpatial, spatialOf, spatialSizes, type Window } from './window.js';

export interface WeightGradient {
  /** What the window slides over, [N, G C, size...], without its pads. */
  readonly x: Value;
  /** One element per place of the window, [N, M, places...]. */
  readonly dy: Value;
  /** [M, C, kernel...]; the gradient has its type. */
  readonly weights: Value;
  readonly window: Window;
  readonly group: number;
}

export type WeightGradientForm = 'windows' | 'slices' | 'convolution';

function chooseForm({ x, dy, weights, window, group }: WeightGradient): WeightGradientForm {
  const known = isStatic(spatialOf(x.shape)) && isStatic(spatialOf(dy.shape)) && isStatic(weights.shape?.slice(0, 2));
  if (!known || window.pads === undefined) return 'convolution';
  const elements = elementCount([...window.kernel, ...spatialOf(dy.shape).map(Number)]);
  if (!within('windows', elements) || !within('nodes', elementCount(window.kernel))) return 'convolution';
  // Windows are copied a run of channels at a time, which does not pay for few; nor do slices for the many elements of a large kernel.
  if (group === 1 && Number(weights.shape?.[1]) >= 4) return 'windows';
  return group === 1 && window.kernel.reduce((a, b) => a * b, 1) >= 49 ? 'convolution' : 'slices';
}

/** dW[m, c, k] = sum over n, p of dy[n, m, p] x[n, c, stride p + dilation k - pad] */
export function convWeightGradient(g: Ops, p: WeightGradient, form: WeightGradientForm = chooseForm(p)): Value {
  return typed({ windows: byWindows, slices: bySlices, convolution: byConvolution }[form](g, p), p.weights);
}

// dW = dy windows: [M, N places] by [N places, kernel C]
function byWindows(g: Ops, { x, dy, weights, window }: WeightGradient): Value {
  const [filters, channels] = [Number(weights.shape?.[0]), Number(weights.shape?.[1])];
  const sizes = spatialOf(x.shape).map(Number);
  // An explicit transpose, by runs of places: as Gemm's transA it takes up to twice the time.
  const spatial = window.kernel.map((_, i) => i + 2);
  const rows = g.reshape(g.transpose(dy, { perm: [1, 0, ...spatial] }), [filters, -1]);
  const image = { rows: channelsLast(g, x, channels), sizes, places: spatialOf(dy.shape).map(Number), window };
  const product = g.matMul(rows, windows(g, image));
  const last = window.kernel.length + 1;
  return g.transpose(g.reshape(product, [filters, ...window.kernel, channels]), {
    perm: [0, last, ...spatial.map((i) => i - 1)],
  });
}

// dW = sum over the batch of dy columns^T
function bySlices(g: Ops, { x, dy, weights, window: w, group }: WeightGradient): Value {
  const places = spatialOf(dy.shape).map(Number);
  const [filters, perGroup] = [Number(weights.shape?.[0]), Number(weights.shape?.[1])];
  const area = places.reduce((a, b) => a * b, 1);
  const all = columns(g, x, perGroup * group, places, w);
  const rows = g.reshape(dy, group === 1 ? [0, filters, area] : [0, group, filters / group, area]);
  let turned: Value;
  if (group === 1) turned = g.transpose(all, { perm: [0, 2, 1] });
  else {
    const { others, first } = columnOrder(w);
    const [taps, last] = [others.reduce((n, k) => n * k, 1), first ?? 1];
    const split = g.reshape(all, [0, taps, group, perGroup * last, area]);
    const apart = g.reshape(g.transpose(split, { perm: [0, 2, 1, 3, 4] }), [0, group, taps * perGroup * last, area]);
    turned = g.transpose(apart, { perm: [0, 1, 3, 2] });
  }
  const sum = g.reduceSum(g.matMul(rows, turned), [0], { keepdims: 0 });
  const { others, first } = columnOrder(w);
  const ordered = g.reshape(sum, [filters, ...others, perGroup, ...(first === undefined ? [] : [first])]);
  const behind = others.map((_, i) => i + 1);
  return g.transpose(ordered, { perm: [0, behind.length + 1, ...(first === undefined ? [] : [behind.length + 2]), ...behind] });
}

// The batch becomes the channels: [C, G N, size...] convolved by [M, N, places...] with strides and dilations exchanged gives [C, M, kernel...]
function byConvolution(g: Ops, { x, dy, window: w, group }: WeightGradient): Value {
  const swap = [1, 0, ...w.kernel.map((_, i) => i + 2)];
  const padded = w.pads === undefined ? padSpatial(g, x, w) : x;
  let image: Value;
  if (group === 1) image = g.transpose(padded, { perm: swap });
  else {
    const sizes = spatialSizes(g, padded);
    const batch = sizesOf(g, padded, 0, 1);
    const split = g.reshape(padded, g.concat(batch, [group, -1], sizes, { axis: 0 }));
    const turned = g.transpose(split, { perm: [2, 1, 0, ...w.kernel.map((_, i) => i + 3)] });
    image = g.reshape(turned, g.concat([0, -1], sizes, { axis: 0 }));
  }
  const product = g.conv(image, g.transpose(dy, { perm: swap }), {
    strides: w.dilations,
    dilations: w.strides,
    pads: w.pads,
    group,
  });
  const axes = w.kernel.map((_, i) => i + 2);
  // places that no window reaches give room for more than the kernel
  if (sameShape(spatialOf(product.shape), w.kernel)) return g.transpose(product, { perm: swap });
  const cut = g.slice(
    product,
    axes.map(() => 0),
    w.kernel,
    axes,
  );
  return g.transpose(cut, { perm: swap });
}
