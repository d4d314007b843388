// conv2d: a convolution over images [channels, height, width].
import { convolutionJoint, dividingGroups, groupsDivide, lowerConvolution } from '../convolution.js';
import { type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { flag, size, strict } from '../schema.js';
import { type PaddingInput, type PairInput, padding, pair } from '../window.js';

/** Options of `conv2d`. */
export interface Conv2dOptions {
  /** Size of the window: one number, or [height, width]. */
  kernel: PairInput;
  /** Steps of the window: one number, or [height, width]; 1 when absent. */
  stride?: PairInput;
  /** Distance of the window's places: one number, or [height, width]; 1 when absent. */
  dilation?: PairInput;
  /** Channels and filters fall into so many groups that do not mix; 1 when absent. */
  groups?: number;
  /** "same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right]. */
  padding?: PaddingInput;
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * A convolution over images [channels, height, width].
 * @function
 */
export const conv2d = layer('conv2d', {
  doc: 'A convolution over images [channels, height, width].',
  options: strict({
    filters: size.describe('Channels of the output.'),
    kernel: pair.describe('Size of the window: one number, or [height, width].'),
    stride: pair.prefault(1).describe('Steps of the window: one number, or [height, width]; 1 when absent.'),
    dilation: pair.prefault(1).describe("Distance of the window's places: one number, or [height, width]; 1 when absent."),
    groups: size.default(1).describe('Channels and filters fall into so many groups that do not mix; 1 when absent.'),
    padding: padding
      .default('valid')
      .describe('"same", "valid" (when absent), one number, [height, width] or [top, left, bottom, right].'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  }).refine(groupsDivide, dividingGroups),
  example: '{ conv2d: { filters: 16, kernel: 3 } }',
  call: (filters: number, options: Conv2dOptions) => ({ filters, ...options }),
  lower: (c, o, x) => lowerConvolution(c, o, x, 2),
  joint: (o, x, layout) => convolutionJoint(o, x, 2, layout),
  gives: 'channels-first',
  channels: 'made',
});
