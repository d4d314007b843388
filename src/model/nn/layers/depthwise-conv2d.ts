// depthwise_conv2d: a convolution over images in which each channel has filters of its own, as the first half of a separable one.
import type { Value } from '../../../onnx/ir/graph.js';
import { type ConvolutionOptions, convolutionJoint, lowerConvolution } from '../convolution.js';
import { type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { type Layout, spatialOf } from '../sample.js';
import { flag, size, strict } from '../schema.js';
import { type PaddingInput, type PairInput, padding, pair } from '../window.js';

/** Options of `depthwiseConv2d`. */
export interface DepthwiseConv2dOptions {
  /** Filters of each channel; 1 when absent. */
  multiplier?: number;
  /** Steps of the window: one number, or [height, width]; 1 when absent. */
  stride?: PairInput;
  /** Distance of the window's places: one number, or [height, width]; 1 when absent. */
  dilation?: PairInput;
  /** "same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right]. */
  padding?: PaddingInput;
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/** The same as a convolution in as many groups as channels. */
function grouped<O extends { multiplier: number }>(
  o: O & Omit<ConvolutionOptions, 'filters' | 'groups'>,
  x: Value,
  layout: Layout | undefined,
) {
  const { channels } = spatialOf(x, 2, layout);
  return { ...o, filters: channels * o.multiplier, groups: channels };
}

/**
 * A convolution over images in which each channel has filters of its own.
 * @function
 */
export const depthwiseConv2d = layer('depthwise_conv2d', {
  doc: 'A convolution over images in which each channel has filters of its own.',
  options: strict({
    kernel: pair.describe('Size of the window: one number, or [height, width].'),
    multiplier: size.default(1).describe('Filters of each channel; 1 when absent.'),
    stride: pair.prefault(1).describe('Steps of the window: one number, or [height, width]; 1 when absent.'),
    dilation: pair.prefault(1).describe("Distance of the window's places: one number, or [height, width]; 1 when absent."),
    padding: padding
      .default('valid')
      .describe('"same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right].'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  }),
  main: 'kernel',
  example: '{ depthwise_conv2d: 3 }',
  call: (kernel: PairInput, options: DepthwiseConv2dOptions = {}) => ({ kernel, ...options }),
  lower: (c, o, x) => lowerConvolution(c, grouped(o, x, c.layout), x, 2),
  joint: (o, x, layout) => convolutionJoint(grouped(o, x, layout), x, 2, layout),
  gives: 'channels-first',
});
