// conv_transpose1d: a transposed convolution over signals [channels, length], which makes them larger by its stride.
import {
  convolutionJoint,
  dividingGroups,
  fittingPadding,
  fittingSame,
  groupsDivide,
  lowerConvolution,
  paddingFits,
  sameFits,
} from '../convolution.js';
import { type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { flag, size, strict } from '../schema.js';
import { extra1d, type Padding1dInput, padding1d, type SingleInput, single } from '../window.js';

/** Options of `convTranspose1d`. */
export interface ConvTranspose1dOptions {
  /** Size of the window. */
  kernel: SingleInput;
  /** Steps of the window over the output; 1 when absent. */
  stride?: SingleInput;
  /** Distance of the window's places; 1 when absent. */
  dilation?: SingleInput;
  /** Channels and filters fall into so many groups that do not mix; 1 when absent. */
  groups?: number;
  /** "same" (size * stride places), "valid" (when absent), one number or [begin, end]: what is cut off around the output. */
  padding?: Padding1dInput;
  /** Places more at the end, fewer than the stride or the dilation; 0 when absent. */
  output_padding?: number | [number];
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * A transposed convolution over signals [channels, length].
 * @function
 */
export const convTranspose1d = layer('conv_transpose1d', {
  doc: 'A transposed convolution over signals [channels, length].',
  options: strict({
    filters: size.describe('Channels of the output.'),
    kernel: single.describe('Size of the window.'),
    stride: single.prefault(1).describe('Steps of the window over the output; 1 when absent.'),
    dilation: single.prefault(1).describe("Distance of the window's places; 1 when absent."),
    groups: size.default(1).describe('Channels and filters fall into so many groups that do not mix; 1 when absent.'),
    padding: padding1d
      .default('valid')
      .describe(
        '"same" (size * stride places), "valid" (when absent), one number or [begin, end]: what is cut off around the output.',
      ),
    output_padding: extra1d.prefault(0).describe('Places more at the end, fewer than the stride or the dilation; 0 when absent.'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  })
    .refine(groupsDivide, dividingGroups)
    .refine(paddingFits, fittingPadding)
    .refine(sameFits, fittingSame),
  example: '{ conv_transpose1d: { filters: 8, kernel: 2, stride: 2 } }',
  call: (filters: number, options: ConvTranspose1dOptions) => ({ filters, ...options }),
  lower: (c, o, x) => lowerConvolution(c, { ...o, transposed: { outputPadding: o.output_padding } }, x, 1),
  joint: (o, x, layout) => convolutionJoint({ ...o, transposed: { outputPadding: o.output_padding } }, x, 1, layout),
  gives: 'channels-first',
});
