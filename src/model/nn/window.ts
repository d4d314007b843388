// Windows that move over positions: what a description may say of them, and the attributes that ONNX takes for it.
import * as z from 'zod';
import { grown, type Size, shrunk } from './open-size.js';
import { integer, size } from './schema.js';

/** [height, width]. */
export type Pair = [number, number];
/** Padding: [top, left, bottom, right]. */
export type Pads = [number, number, number, number];

/** One number for both axes, or [height, width]. */
export type PairInput = number | [number, number];
/** "same" (the output has ceil(size / stride) places), "valid" (none), one number, [height, width] or [top, left, bottom, right]. */
export type PaddingInput = 'same' | 'valid' | number | [number, number] | [number, number, number, number];

export const pair = z.union([size.transform((n): Pair => [n, n]), z.tuple([size, size])], {
  error: 'a positive integer or a pair [height, width] of them',
});
const pad = integer(0, 'a non-negative integer');
export const padding = z.union(
  [
    z.enum(['same', 'valid']),
    pad.transform((p): Pads => [p, p, p, p]),
    z.tuple([pad, pad]).transform(([h, w]): Pads => [h, w, h, w]),
    z.tuple([pad, pad, pad, pad]),
  ],
  { error: '"same", "valid", an integer, [height, width] or [top, left, bottom, right]' },
);

/** One number, alone or in a list. */
export type SingleInput = number | [number];
/** "same", "valid" (none), one number, or [begin, end]. */
export type Padding1dInput = 'same' | 'valid' | number | [number, number];
/** One number for all three axes, or [depth, height, width]. */
export type TripleInput = number | [number, number, number];
/** "same", "valid" (none), one number, [depth, height, width], or all six: [front, top, left, back, bottom, right]. */
export type Padding3dInput =
  | 'same'
  | 'valid'
  | number
  | [number, number, number]
  | [number, number, number, number, number, number];

export const single = z.union([size.transform((n): [number] => [n]), z.tuple([size])], { error: 'a positive integer' });
export const padding1d = z.union(
  [z.enum(['same', 'valid']), pad.transform((p): [number, number] => [p, p]), z.tuple([pad, pad])],
  { error: '"same", "valid", an integer or [begin, end]' },
);
export const triple = z.union([size.transform((n): [number, number, number] => [n, n, n]), z.tuple([size, size, size])], {
  error: 'a positive integer or three of them, [depth, height, width]',
});
/** Padding: [front, top, left, back, bottom, right]. */
export type Pads3d = [number, number, number, number, number, number];
export const padding3d = z.union(
  [
    z.enum(['same', 'valid']),
    pad.transform((p): Pads3d => [p, p, p, p, p, p]),
    z.tuple([pad, pad, pad]).transform(([d, h, w]): Pads3d => [d, h, w, d, h, w]),
    z.tuple([pad, pad, pad, pad, pad, pad]),
  ],
  { error: '"same", "valid", an integer, [depth, height, width] or [front, top, left, back, bottom, right]' },
);
/** Positions that a transposed convolution adds at the end. */
export const extra1d = z.union([pad.transform((p): [number] => [p]), z.tuple([pad])], { error: 'a non-negative integer' });
export const extra2d = z.union([pad.transform((p): Pair => [p, p]), z.tuple([pad, pad])], {
  error: 'a non-negative integer or a pair [height, width] of them',
});

/** A window over any number of spatial axes. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Numbers: how much stands before each axis, then how much behind each. */
  readonly padding: 'same' | 'valid' | readonly number[];
  /** The window of a transposed convolution: each position of the input gives a window of the output, which has so many more positions at its end. */
  readonly transposed?: { readonly outputPadding: readonly number[] } | undefined;
}

/** One position at a time, the output as large as the input. */
export function pointwise(axes: number): Window {
  const ones = Array.from({ length: axes }, () => 1);
  return { kernel: ones, stride: ones, dilation: ones, padding: 'valid' };
}

/** Attributes of Conv for a window over this many positions along each axis. */
export function convAttributes(window: Window, size: readonly Size[], groups: number) {
  return {
    kernel_shape: window.kernel,
    strides: window.stride,
    dilations: window.dilation,
    ...padAttributes(explicitPads(window, size)),
    group: groups,
  };
}

/** Pads as ONNX takes them: those of "same" over sizes that are open it computes itself. */
export const padAttributes = (pads: readonly number[] | undefined) =>
  pads === undefined ? { auto_pad: 'SAME_UPPER' as const } : { pads };

/** How many positions a window gives along each axis. */
export function placesOf(window: Window, size: readonly Size[]): Size[] {
  const { stride, padding, transposed } = window;
  const pads = explicitPads(window, size);
  return size.map((n, i) => {
    const step = stride[i] ?? 1;
    const pad = (pads?.[i] ?? 0) + (pads?.[i + size.length] ?? 0);
    if (transposed !== undefined) return grown(n, step, extent(window, i) + (transposed.outputPadding[i] ?? 0) - step - pad);
    return padding === 'same' ? shrunk(n, 0, step) : shrunk(n, pad - extent(window, i) + 1, step);
  });
}

/** How many positions a window spans along an axis. */
export const extent = ({ kernel, dilation }: Pick<Window, 'kernel' | 'dilation'>, axis: number): number =>
  ((kernel[axis] ?? 1) - 1) * (dilation[axis] ?? 1) + 1;

/**
 * ONNX pads all axes before, then all behind: [top, left, bottom, right]. "same" is SAME_UPPER: the output has ceil(size / stride) places, a transposed
 * one's size * stride; an odd pad goes to the end. Undefined where it depends on a size that is open.
 */
export function explicitPads(window: Window, size: readonly Size[]): readonly number[] | undefined {
  const { padding, kernel, stride, transposed } = window;
  if (padding === 'valid') return [...kernel, ...kernel].map(() => 0);
  if (padding !== 'same') return padding;
  const total = size.map((n, i) => {
    const step = stride[i] ?? 1;
    if (transposed !== undefined) return Math.max(extent(window, i) + (transposed.outputPadding[i] ?? 0) - step, 0);
    // As many places as there are: the size does not matter.
    if (step === 1) return extent(window, i) - 1;
    return typeof n === 'string' ? undefined : Math.max((Math.ceil(n / step) - 1) * step + extent(window, i) - n, 0);
  });
  if (!total.every((t) => t !== undefined)) return undefined;
  const begin = total.map((t) => Math.floor(t / 2));
  return [...begin, ...total.map((t, i) => t - (begin[i] ?? 0))];
}
