// conv1d: a convolution over signals [channels, length].
import { convolutionJoint, dividingGroups, groupsDivide, lowerConvolution } from '../convolution.js';
import { type InitInput, weightInit } from '../init.js';
import { layer } from '../layer.js';
import { flag, size, strict } from '../schema.js';
import { type Padding1dInput, padding1d, type SingleInput, single } from '../window.js';

/** Options of `conv1d`. */
export interface Conv1dOptions {
  /** Size of the window. */
  kernel: SingleInput;
  /** Steps of the window; 1 when absent. */
  stride?: SingleInput;
  /** Distance of the window's places; 1 when absent. */
  dilation?: SingleInput;
  /** Channels and filters fall into so many groups that do not mix; 1 when absent. */
  groups?: number;
  /** "same", "valid" (when absent), one number or [begin, end]. */
  padding?: Padding1dInput;
  /** Adds a bias; true when absent. */
  bias?: boolean;
  /** How the weights begin: he_normal when absent. */
  init?: InitInput;
}

/**
 * A convolution over signals [channels, length].
 * @function
 */
export const conv1d = layer('conv1d', {
  doc: 'A convolution over signals [channels, length].',
  options: strict({
    filters: size.describe('Channels of the output.'),
    kernel: single.describe('Size of the window.'),
    stride: single.prefault(1).describe('Steps of the window; 1 when absent.'),
    dilation: single.prefault(1).describe("Distance of the window's places; 1 when absent."),
    groups: size.default(1).describe('Channels and filters fall into so many groups that do not mix; 1 when absent.'),
    padding: padding1d.default('valid').describe('"same", "valid" (when absent), one number or [begin, end].'),
    bias: flag.default(true).describe('Adds a bias; true when absent.'),
    init: weightInit,
  }).refine(groupsDivide, dividingGroups),
  example: '{ conv1d: { filters: 16, kernel: 5 } }',
  call: (filters: number, options: Conv1dOptions) => ({ filters, ...options }),
  lower: (c, o, x) => lowerConvolution(c, o, x, 1),
  joint: (o, x, layout) => convolutionJoint(o, x, 1, layout),
  gives: 'channels-first',
  channels: 'made',
});
