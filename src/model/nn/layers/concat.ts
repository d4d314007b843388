// concat: other inputs of the network joined to x.
import * as z from 'zod';
import { ShapeError } from '../../../onnx/core/errors.js';
import { formatShape } from '../../../onnx/core/shape.js';
import type { Value } from '../../../onnx/ir/graph.js';
import { type LayerContext, layer } from '../layer.js';
import type { Size } from '../open-size.js';
import { layoutOf, sampleDims, sequenceOf } from '../sample.js';
import { strict } from '../schema.js';

const names = 'the name of an input, or a list of them';
const one = z.string({ error: names }).min(1, { error: names });

/** Options of `concat`. */
export interface ConcatOptions {
  /** "step": x is a sequence [T,F] whose steps are joined, also where no layer before has said so, as of an input. */
  each?: 'step';
}

/**
 * Other inputs of the network joined to x: features to features, the channels of images, signals and sequences at each position.
 * @function
 */
export const concat = layer('concat', {
  doc: 'Other inputs of the network joined to x: features to features, the channels of images, signals and sequences at each position.',
  options: strict({
    inputs: z
      .union([one.transform((name) => [name]), z.array(one, { error: names }).min(1, { error: names })], { error: names })
      .describe('The input that is joined, or a list of them in their order; the column must read them.'),
    each: z
      .literal('step', { error: '"step"' })
      .optional()
      .describe('"step": x is a sequence [T,F] whose steps are joined, also where no layer before has said so, as of an input.'),
  }),
  main: 'inputs',
  example: '{ concat: meta }',
  call: (inputs: string | string[], options: ConcatOptions = {}) => ({ inputs, ...options }),
  lower: (c, { inputs, each }, x) => {
    if (each === 'step') sequenceOf(x, c.layout);
    const dims = sampleDims(x);
    const axis = each === 'step' || layoutOf(c.layout) === 'channels-last' ? dims.length : 1;
    const others = inputs.map((name) => fitting(c, name, dims, axis));
    return c.g.concat(x, ...others, { axis });
  },
  givesBy: ({ each }) => (each === 'step' ? 'channels-last' : 'as taken'),
});

/** The input of that name, which must agree with x in all but the axis that they are joined along. A single number is a feature. */
function fitting({ g, input, layout }: LayerContext, name: string, dims: readonly Size[], axis: number): Value {
  const found = input(name);
  const own = sampleDims(found);
  const y = own.length === 0 ? g.unsqueeze(found, [1]) : found;
  const [have, want] = [own.length === 0 ? [1] : own, dims];
  if (have.length === want.length && have.every((d, i) => i === axis - 1 || d === want[i])) return y;
  const expected = formatShape(want.map((d, i) => (i === axis - 1 ? 'any' : d)));
  const steps = layout === undefined && dims.length === 2 && axis === 1 && have.length === 2 && have[0] === want[0];
  const way = steps ? '; each: step joins the features of sequences' : '';
  throw new ShapeError(`the input "${name}" is ${formatShape(own)}, expected ${expected}${way}`, {
    expected,
    got: formatShape(own),
  });
}
