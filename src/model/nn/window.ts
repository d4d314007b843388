// Windows that move over images: what a description may say of them, and the attributes that ONNX takes for it.
import * as z from 'zod';
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

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: 'same' | 'valid' | Pads;
}

/** One value at a time, the output as large as the input. */
export const pointwise: Window = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: 'valid' };

/** Attributes of Conv for a window over images of this height and width. */
export function convAttributes(window: Window, size: readonly [number, number], groups: number) {
  return {
    kernel_shape: window.kernel,
    strides: window.stride,
    dilations: window.dilation,
    pads: explicitPads(window, size),
    group: groups,
  };
}

/** ONNX pads [top, left, bottom, right]. "same" is SAME_UPPER: the output has ceil(size / stride) places, an odd pad goes to the end. */
export function explicitPads({ padding, kernel, stride, dilation }: Window, size: readonly [number, number]): number[] {
  if (padding === 'valid') return [0, 0, 0, 0];
  if (padding !== 'same') return padding;
  const total = ([0, 1] as const).map((i) =>
    Math.max((Math.ceil(size[i] / stride[i]) - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - size[i], 0),
  );
  const begin = total.map((t) => Math.floor(t / 2));
  return [...begin, ...total.map((t, i) => t - (begin[i] ?? 0))];
}
