// conv_transpose2d: a transposed convolution over images [channels, height, width], which makes them larger by its stride.
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
import { extra2d, type PaddingInput, type PairInput, padding, pair } from '../window.js';

/** Options of `convTranspose2d`. */
export interface ConvTranspose2dOptions {
  /** Size of the window: one number, or [height, width]. */
  kernel: PairInput;
  /** Steps of the window over the output: one number, or [height, width]; 1 when absent. */
  stride?: PairInput;
  /** Distance of the window's places: one number, or [height, width]; 1 when absent. */
  dilation?: PairInput;
  /** Channels and filters fall into so many groups that do not mix; 1 when absent. */
  groups?: number;
  /** "same" (size * stride places), "valid" (when absent), one number, [height, width] or [top, left, bottom, right]: what is cut off around the output. */
  padding?: PaddingInput;
  /** Places more at the end: one number, or [height, width], fewer than the stride or the dilation; 0 when absent. */
  output_padding?: number | [number, number];
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * A transposed convolution over images [channels, height, width].
 * @function
 */
export const convTranspose2d = layer('conv_transpose2d', {
  doc: 'A transposed convolution over images [channels, height, width].',
  options: strict({
    filters: size.describe('Channels of the output.'),
    kernel: pair.describe('Size of the window: one number, or [height, width].'),
    stride: pair.prefault(1).describe('Steps of the window over the output: one number, or [height, width]; 1 when absent.'),
    dilation: pair.prefault(1).describe("Distance of the window's places: one number, or [height, width]; 1 when absent."),
    groups: size.default(1).describe('Channels and filters fall into so many groups that do not mix; 1 when absent.'),
    padding: padding
      .default('valid')
      .describe(
        '"same" (size * stride places), "valid" (when absent), one number, [height, width] or [top, left, bottom, right]: what is cut off around the output.',
      ),
    output_padding: extra2d
      .prefault(0)
      .describe('Places more at the end: one number, or [height, width], fewer than the stride or the dilation; 0 when absent.'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  })
    .refine(groupsDivide, dividingGroups)
    .refine(paddingFits, fittingPadding)
    .refine(sameFits, fittingSame),
  example: '{ conv_transpose2d: { filters: 8, kernel: 2, stride: 2 } }',
  call: (filters: number, options: ConvTranspose2dOptions) => ({ filters, ...options }),
  lower: (c, o, x) => lowerConvolution(c, { ...o, transposed: { outputPadding: o.output_padding } }, x, 2),
  joint: (o, x, layout) => convolutionJoint({ ...o, transposed: { outputPadding: o.output_padding } }, x, 2, layout),
  gives: 'channels-first',
});
