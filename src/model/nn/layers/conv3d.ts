// conv3d: a convolution over volumes [channels, depth, height, width].
import { convolutionJoint, dividingGroups, groupsDivide, lowerConvolution } from '../convolution.js';
import { type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { flag, size, strict } from '../schema.js';
import { type Padding3dInput, padding3d, type TripleInput, triple } from '../window.js';

/** Options of `conv3d`. */
export interface Conv3dOptions {
  /** Size of the window: one number, or [depth, height, width]. */
  kernel: TripleInput;
  /** Steps of the window: one number, or [depth, height, width]; 1 when absent. */
  stride?: TripleInput;
  /** Distance of the window's places: one number, or [depth, height, width]; 1 when absent. */
  dilation?: TripleInput;
  /** Channels and filters fall into so many groups that do not mix; 1 when absent. */
  groups?: number;
  /** "same", "valid" (when absent), one number, [depth, height, width] or [front, top, left, back, bottom, right]. */
  padding?: Padding3dInput;
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * A convolution over volumes [channels, depth, height, width].
 * @function
 */
export const conv3d = layer('conv3d', {
  doc: 'A convolution over volumes [channels, depth, height, width].',
  options: strict({
    filters: size.describe('Channels of the output.'),
    kernel: triple.describe('Size of the window: one number, or [depth, height, width].'),
    stride: triple.prefault(1).describe('Steps of the window: one number, or [depth, height, width]; 1 when absent.'),
    dilation: triple
      .prefault(1)
      .describe("Distance of the window's places: one number, or [depth, height, width]; 1 when absent."),
    groups: size.default(1).describe('Channels and filters fall into so many groups that do not mix; 1 when absent.'),
    padding: padding3d
      .default('valid')
      .describe('"same", "valid" (when absent), one number, [depth, height, width] or [front, top, left, back, bottom, right].'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  }).refine(groupsDivide, dividingGroups),
  example: '{ conv3d: { filters: 16, kernel: 3 } }',
  call: (filters: number, options: Conv3dOptions) => ({ filters, ...options }),
  lower: (c, o, x) => lowerConvolution(c, o, x, 3),
  joint: (o, x, layout) => convolutionJoint(o, x, 3, layout),
  gives: 'channels-first',
  channels: 'made',
});
