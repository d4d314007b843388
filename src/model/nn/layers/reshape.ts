// reshape: the values of a sample in another shape.
import * as z from 'zod';
import { ShapeError } from '../../../onnx/core/errors.js';
import type { Value } from '../../../onnx/ir/graph.js';
import { layer } from '../layer.js';
import { areKnown, leastCount, type Size, stillOpen } from '../open-size.js';
import { reshaped, sampleDims } from '../sample.js';
import { size, strict } from '../schema.js';

function dims(shape: readonly number[], x: Value): Size[] {
  const sizes: readonly Size[] = sampleDims(x);
  if (!areKnown(sizes)) return openDims(shape, sizes);
  const have = sizes.reduce((a, b) => a * b, 1);
  const known = shape.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
  const fits = shape.includes(-1) ? have % known === 0 : have === known;
  if (!fits)
    throw new ShapeError(`[${shape}] does not hold the ${have} values of a sample`, {
      expected: String(have),
      got: `[${shape}]`,
    });
  return shape.map((d) => (d === -1 ? have / known : d));
}

/** What is left for -1 is the size that is open, where the other sizes hold as many values. */
function openDims(shape: readonly number[], sizes: readonly Size[]): Size[] {
  const open = sizes.filter((d) => typeof d === 'string');
  const [beside, own] = [leastCount(sizes), shape.filter((d) => d !== -1).reduce((a, b) => a * b, 1)];
  const [left, ...more] = open;
  if (left !== undefined && more.length === 0 && shape.includes(-1) && own === beside)
    return shape.map((d) => (d === -1 ? left : d));
  throw stillOpen(open.join('" and "'), `so [${shape}] may not hold its values`, `expected -1 for it beside ${beside} values`);
}

/**
 * The values of a sample in another shape.
 * @function
 */
export const reshape = layer('reshape', {
  doc: 'The values of a sample in another shape.',
  options: strict({
    shape: z
      .array(z.union([size, z.literal(-1)], { error: 'a positive integer or -1' }), { error: 'a list of positive integers' })
      .min(1, { error: 'a list of positive integers' })
      .refine((s) => s.filter((d) => d === -1).length <= 1, { error: 'expected at most one -1' })
      .describe('Without the batch; one -1 takes what is left.'),
  }),
  main: 'shape',
  example: '{ reshape: [16, 49] }',
  call: (shape: number[]) => ({ shape }),
  gives: 'unsaid',
  lower: ({ g }, { shape }, x) => reshaped(g, x, dims(shape, x)),
});
