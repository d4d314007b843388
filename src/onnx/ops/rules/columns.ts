// The windows of a convolution as the columns of a matrix for each sample, by slices of the padded image: for images of few channels, which do not
// pay to be gathered a run of channels at a time (channels-last.ts).
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';
import { padSpatial, type Window } from './window.js';

/**
 * In which order the elements of a window stand in a column: [others, channel, first]. `first` is the kernel's size along the first of several
 * spatial axes, `others` those along the others: along the first, windows are gathered, a run of the others at a time, along the others sliced, so
 * that a kernel of 7 by 7 takes 7 slices instead of 49.
 */
export function columnOrder({ kernel }: Window): { readonly others: readonly number[]; readonly first: number | undefined } {
  return kernel.length > 1 ? { others: kernel.slice(1), first: must(kernel[0], 'kernel') } : { others: kernel, first: undefined };
}

/** The windows of x [N, C, sizes...]: [N, kernel C, places], a column's elements in the order of `columnOrder`. */
export function columns(g: Ops, x: Value, channels: number, places: readonly number[], w: Window): Value {
  const { others, first = 1 } = columnOrder(w);
  const ahead = w.kernel.length > 1 ? 1 : 0;
  const padded = padSpatial(g, x, w);
  const image = first > 1 ? g.gather(padded, linesOf(w, must(places[0], 'places')), { axis: 2 }) : padded;
  const from = first > 1 ? ahead : 0;
  const spatial = w.kernel.map((_, i) => i + 2).slice(from);
  const slices = offsets(others).map((offset) => {
    const whole = from < ahead ? [0, ...offset] : offset;
    const starts = whole.map((o, i) => o * (w.dilations[i + from] ?? 1));
    const ends = starts.map((s, i) => s + (must(places[i + from], 'places') - 1) * (w.strides[i + from] ?? 1) + 1);
    return g.slice(image, g.ints(starts), g.ints(ends), g.ints(spatial), w.strides.slice(from));
  });
  const joined = slices.length === 1 ? must(slices[0], 'slice') : must(g.op('Concat', slices, { axis: 1 })[0], 'Concat');
  return g.reshape(joined, [0, slices.length * channels * first, places.reduce((a, b) => a * b, 1)]);
}

/** The lines along the first spatial axis that windows see: for each element of the kernel those of all places. */
function linesOf(w: Window, places: number): number[] {
  const [stride = 1, dilation = 1] = [w.strides[0], w.dilations[0]];
  return Array.from({ length: w.kernel[0] ?? 1 }, (_, k) =>
    Array.from({ length: places }, (_, p) => k * dilation + p * stride),
  ).flat();
}

/** Every place in a kernel, the last axis fastest. */
function offsets(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((o) => Array.from({ length: k }, (_, i) => [...o, i])), [[]]);
}
