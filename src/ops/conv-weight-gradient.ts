// The weight gradient of a convolution: the one file that chooses its form. `sh scripts/bench/run conv-gradient` measures all three, and
// its table in BENCHMARKS.md is the reason for the choice here. Forms: windows of the channels-last input times the gradient, one large
// product; slices of the padded input joined, a product per sample, a sum over the batch; a convolution of the transposed input by the
// transposed gradient, which needs no size.
import { must } from '../core/errors.js';
import { isStatic, sameShape } from '../core/shape.js';
import type { Value } from '../ir/graph.js';
import { windows } from './channels-last.js';
import type { Ops } from './ops.js';
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
  // An explicit transpose, by runs of places: as Gemm's transA it takes up to twice the time.
  const spatial = window.kernel.map((_, i) => i + 2);
  const rows = g.reshape(g.transpose(dy, { perm: [1, 0, ...spatial] }), g.ints([filters, -1]));
  const product = g.matMul(rows, windows(g, x, channels, spatialOf(dy.shape).map(Number), window));
  const last = window.kernel.length + 1;
  return g.transpose(g.reshape(product, g.ints([filters, ...window.kernel, channels])), {
    perm: [0, last, ...spatial.map((i) => i - 1)],
  });
}

// Along the first of several spatial axes windows are gathered, a run of the others at a time, along the others sliced: a kernel of 7 by 7
// takes 7 slices instead of 49. Rows of the columns are in the order [others, channel, first].
function bySlices(g: Ops, { x, dy, weights, window: w, group }: WeightGradient): Value {
  const places = spatialOf(dy.shape).map(Number);
  const [filters, perGroup] = [Number(weights.shape?.[0]), Number(weights.shape?.[1])];
  const { kernel } = w;
  const ahead = kernel.length > 1 ? 1 : 0;
  const first = ahead === 1 ? must(kernel[0], 'kernel') : 1;
  const padded = padSpatial(g, x, w);
  const image = ahead === 1 && first > 1 ? g.gather(padded, g.ints(linesOf(w, must(places[0], 'places'))), { axis: 2 }) : padded;
  const from = first > 1 ? ahead : 0;
  const spatial = kernel.map((_, i) => i + 2).slice(from);
  const others = kernel.slice(ahead);
  const slices = offsets(others).map((offset) => {
    const whole = from < ahead ? [0, ...offset] : offset;
    const starts = whole.map((o, i) => o * (w.dilations[i + from] ?? 1));
    const ends = starts.map((s, i) => s + (must(places[i + from], 'places') - 1) * (w.strides[i + from] ?? 1) + 1);
    return g.slice(image, g.ints(starts), g.ints(ends), g.ints(spatial), g.ints(w.strides.slice(from)));
  });
  const taps = slices.length;
  const area = places.reduce((a, b) => a * b, 1);
  const joined = taps === 1 ? must(slices[0], 'slice') : must(g.op('Concat', slices, { axis: 1 })[0], 'Concat');
  const perSlice = perGroup * first;
  let columns: Value;
  if (group === 1) columns = g.reshape(joined, g.ints([0, taps * perSlice, area]));
  else {
    const split = g.reshape(joined, g.ints([0, taps, group, perSlice, area]));
    columns = g.reshape(g.transpose(split, { perm: [0, 2, 1, 3, 4] }), g.ints([0, group, taps * perSlice, area]));
  }
  const rows = g.reshape(dy, g.ints(group === 1 ? [0, filters, area] : [0, group, filters / group, area]));
  const perm = group === 1 ? [0, 2, 1] : [0, 1, 3, 2];
  const perSample = g.matMul(rows, g.transpose(columns, { perm }));
  const sum = g.reduceSum(perSample, g.ints([0]), { keepdims: 0 });
  const ordered = g.reshape(sum, g.ints([filters, ...others, perGroup, ...kernel.slice(0, ahead)]));
  const behind = others.map((_, i) => i + 1);
  return g.transpose(ordered, { perm: [0, behind.length + 1, ...(ahead === 1 ? [behind.length + 2] : []), ...behind] });
}

/** The lines along the first spatial axis that windows see: for each element of the kernel those of all places. */
function linesOf(w: Window, places: number): number[] {
  const [stride = 1, dilation = 1] = [w.strides[0], w.dilations[0]];
  return Array.from({ length: w.kernel[0] ?? 1 }, (_, k) =>
    Array.from({ length: places }, (_, p) => k * dilation + p * stride),
  ).flat();
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
    const split = g.reshape(padded, g.concat(batch, g.ints([group, -1]), sizes, { axis: 0 }));
    const turned = g.transpose(split, { perm: [2, 1, 0, ...w.kernel.map((_, i) => i + 3)] });
    image = g.reshape(turned, g.concat(g.ints([0, -1]), sizes, { axis: 0 }));
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
  const cut = g.slice(product, g.ints(axes.map(() => 0)), g.ints(w.kernel), g.ints(axes));
  return g.transpose(cut, { perm: swap });
}

/** Every place in a kernel, the last axis fastest. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i])), [[]]);
}
