// Pooling by windows over volumes: maxpool3d, avgpool3d.
import { layer } from '../layer.js';
import { poolAttributes, pooled } from '../pooling.js';
import { strict } from '../schema.js';
import { type Padding3dInput, padding3d, type TripleInput, triple } from '../window.js';

/** Options of `maxpool3d` and `avgpool3d`. */
export interface Pool3dOptions {
  /** Steps of the window: one number, or [depth, height, width]; the kernel when absent. */
  stride?: TripleInput;
  /** "same", "valid" (when absent), one number, [depth, height, width] or [front, top, left, back, bottom, right]. */
  padding?: Padding3dInput;
}

const options = strict({
  kernel: triple.describe('Size of the window: one number, or [depth, height, width].'),
  stride: triple.optional().describe('Steps of the window: one number, or [depth, height, width]; the kernel when absent.'),
  padding: padding3d
    .default('valid')
    .describe('"same", "valid" (when absent), one number, [depth, height, width] or [front, top, left, back, bottom, right].'),
}).transform((o) => ({ ...o, stride: o.stride ?? o.kernel }));

const call = (kernel: TripleInput, options: Pool3dOptions = {}) => ({ kernel, ...options });

/**
 * The largest value of each window of a volume.
 * @function
 */
export const maxpool3d = layer('maxpool3d', {
  doc: 'The largest value of each window of a volume.',
  options,
  main: 'kernel',
  example: '{ maxpool3d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.maxPool(x, poolAttributes(o, x, 3, layout)), o, x, 3, layout),
  // As in maxpool2d.
  overtakes: ['relu'],
});

/**
 * The mean of each window of a volume; what padding adds does not count.
 * @function
 */
export const avgpool3d = layer('avgpool3d', {
  doc: 'The mean of each window of a volume; what padding adds does not count.',
  options,
  main: 'kernel',
  example: '{ avgpool3d: 2 }',
  call,
  gives: 'channels-first',
  channels: 'apart',
  lower: ({ g, layout }, o, x) => pooled(g.averagePool(x, poolAttributes(o, x, 3, layout)), o, x, 3, layout),
});
