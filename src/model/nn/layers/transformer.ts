// transformer_encoder and transformer_decoder: attention and two matrices at each step, each with a way around and a norm (Vaswani et al. 2017,
// arXiv 1706.03762; norms ahead: Xiong et al. 2020, arXiv 2002.04745). What is a part of one has its own file: attention.ts, affine.ts, normalised.ts.
import * as z from 'zod';
import type { Value } from '../../../onnx/ir/graph.js';
import { type ActivationName, activationName, lowerActivation } from '../activation-name.js';
import { type Affine, affine } from '../affine.js';
import { type Attention, attend, presentSteps } from '../attention.js';
import { dropped } from '../dropped.js';
import { glorotInit, type Init, type InitInput } from '../init.js';
import { type LayerContext, layer } from '../layer.js';
import { normalised } from '../normalised.js';
import { sequenceJoint } from '../recurrent.js';
import { type Layout, sequenceOf } from '../sample.js';
import { flag, oneOf, real, size, strict } from '../schema.js';

interface TransformerOptions {
  /** Features between the two matrices of each step; four times those of the sequence when absent. */
  hidden?: number;
  /** What stands between the two matrices: gelu when absent. */
  activation?: ActivationName;
  /** The chance of a value that a part adds to be dropped in training; 0 when absent. */
  dropout?: number;
  /** "pre" (when absent): what each part reads is normalised, or "post": what comes of adding what it gives. */
  norm?: 'pre' | 'post';
  /** Heads of keys and values, which divide "heads"; as many when absent. */
  kv_heads?: number;
  /** An input that says which steps are there: a number for each, 0 where it fills up, or how many there are. */
  mask?: string;
  /** The base of rotary positions among its own steps, such as 10000; none when absent. */
  rotary?: number;
  /** How the weights begin: glorot_uniform when absent, biases at 0. */
  init?: InitInput;
}

/** Options of `transformerEncoder`. */
export interface TransformerEncoderOptions extends TransformerOptions {
  /** A step sees none that come later; false when absent. */
  causal?: boolean;
}

/** Options of `transformerDecoder`. */
export interface TransformerDecoderOptions extends TransformerOptions {
  /** An input [S,E] whose steps are looked at behind its own; none when absent. */
  cross?: string;
  /** An input that says which steps of "cross" are there, as "mask" does; all of them when absent. */
  cross_mask?: string;
}

const input = z.string({ error: 'the name of an input' }).min(1, { error: 'the name of an input' });

const fields = {
  heads: size.describe('How many heads; they divide the features.'),
  hidden: size
    .optional()
    .describe('Features between the two matrices of each step; four times those of the sequence when absent.'),
  activation: activationName.default('gelu').describe('What stands between the two matrices: gelu when absent.'),
  dropout: real('a number of at least 0 and below 1', { min: 0, below: 1 })
    .default(0)
    .describe('The chance of a value that a part adds to be dropped in training; 0 when absent.'),
  norm: oneOf(['pre', 'post'])
    .default('pre')
    .describe('"pre" (when absent): what each part reads is normalised, or "post": what comes of adding what it gives.'),
  kv_heads: size.optional().describe('Heads of keys and values, which divide "heads"; as many when absent.'),
  mask: input
    .optional()
    .describe('An input that says which steps are there: a number for each, 0 where it fills up, or how many there are.'),
  rotary: real('a number above 1', { above: 1 })
    .optional()
    .describe('The base of rotary positions among its own steps, such as 10000; none when absent.'),
  init: glorotInit,
};

const over = {
  joint: (_: unknown, x: Value, layout: Layout | undefined) => sequenceJoint(x, layout),
  gives: 'channels-last',
} as const;

const divides = (o: { heads: number; kv_heads?: number | undefined }) => o.kv_heads === undefined || o.heads % o.kv_heads === 0;
const undivided = { error: 'expected a divisor of "heads"', path: ['kv_heads'] };

interface Parts extends Attention {
  readonly hidden?: number | undefined;
  readonly activation: ActivationName;
  readonly dropout: number;
  readonly norm: 'pre' | 'post';
  readonly init: Init;
}

/** What the parts are added to, one after the other. */
function added(c: LayerContext, o: Parts, x: Value, what: string, part: (v: Value, prefix: string) => Value): Value {
  const normal = (v: Value) => normalised(c, v, -1, 1e-5, `${what}/norm/`);
  const beside = dropped(c, `${c.name}/${what}`, o.dropout, part(o.norm === 'pre' ? normal(x) : x, `${what}/`));
  const sum = c.g.add(x, beside);
  return o.norm === 'pre' ? sum : normal(sum);
}

/** Its own steps, then those of `cross`, then each step by itself. */
function transformer(c: LayerContext, o: Parts, x: Value, cross?: { source: Value; mask: string | undefined }): Value {
  const start = presentSteps(c, o.mask, c.join(x));
  const [, features] = sequenceOf(start, 'channels-last');
  let y = added(c, o, start, 'attention', (v, prefix) => attend(c, o, v, v, prefix));
  if (cross !== undefined) {
    const looking = { heads: o.heads, kv_heads: o.kv_heads, causal: false, mask: cross.mask, init: o.init };
    y = added(c, o, y, 'cross', (v, prefix) => attend(c, looking, v, cross.source, prefix));
  }
  const hidden = o.hidden ?? 4 * features;
  return added(c, o, y, 'feed_forward', (v, prefix) => {
    const [widen, narrow] = [
      { fanIn: features, units: hidden, init: o.init },
      { fanIn: hidden, units: features, init: o.init },
    ];
    if (o.activation === 'gelu' && c.scope.training) return trainedGelu(c, v, prefix, widen, narrow);
    const active = lowerActivation(c.g, o.activation, affine(c, v, `${prefix}hidden`, widen));
    return affine(c, active, `${prefix}output`, narrow);
  });
}

/**
 * Two matrices with gelu between them, as training has them: of t = x / sqrt 2 gelu is t (1 + erf t) / sqrt 2, and both roots are factors of weights.
 * That is a third fewer passes over the hidden values, there and back, than of x.
 */
function trainedGelu(c: LayerContext, v: Value, prefix: string, widen: Affine, narrow: Affine): Value {
  const half = Math.SQRT1_2;
  const t = affine(c, v, `${prefix}hidden`, { ...widen, weightBy: half, biasBy: half });
  return affine(c, c.g.mul(t, c.g.add(c.g.erf(t), 1)), `${prefix}output`, { ...narrow, weightBy: half });
}

/**
 * A layer of a transformer over a sequence [T,F]: each step looks at all of them, then goes through two matrices by itself.
 * @function
 */
export const transformerEncoder = layer('transformer_encoder', {
  doc: 'A layer of a transformer over a sequence [T,F]: each step looks at all of them, then goes through two matrices by itself.',
  options: strict({
    ...fields,
    causal: flag.default(false).describe('A step sees none that come later; false when absent.'),
  }).refine(divides, undivided),
  main: 'heads',
  example: '{ transformer_encoder: 4 }',
  call: (heads: number, options: TransformerEncoderOptions = {}) => ({ heads, ...options }),
  lower: (c, o, x) => transformer(c, o, x),
  ...over,
});

/**
 * A layer of a transformer over a sequence [T,F] whose steps see none that come later; with "cross" they then look at another input.
 * @function
 */
export const transformerDecoder = layer('transformer_decoder', {
  doc: 'A layer of a transformer over a sequence [T,F] whose steps see none that come later; with "cross" they then look at another input.',
  options: strict({
    ...fields,
    cross: input.optional().describe('An input [S,E] whose steps are looked at behind its own; none when absent.'),
    cross_mask: input
      .optional()
      .describe('An input that says which steps of "cross" are there, as "mask" does; all of them when absent.'),
  })
    .refine(divides, undivided)
    .refine((o) => o.cross !== undefined || o.cross_mask === undefined, {
      error: 'expected "cross" beside it',
      path: ['cross_mask'],
    }),
  main: 'heads',
  example: '{ transformer_decoder: 4 }',
  call: (heads: number, options: TransformerDecoderOptions = {}) => ({ heads, ...options }),
  lower: (c, o, x) => {
    const source = o.cross === undefined ? undefined : presentSteps(c, o.cross_mask, c.input(o.cross));
    const cross = source && { source, mask: o.cross_mask };
    return transformer(c, { ...o, causal: true }, x, cross);
  },
  ...over,
});
