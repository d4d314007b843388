// attention: each step of a sequence [T,F] looks at its steps, or at those of another input.
import * as z from 'zod';
import { attend, presentSteps } from '../attention.js';
import { glorotInit, type InitInput } from '../init.js';
import { layer } from '../layer.js';
import { sequenceJoint } from '../recurrent.js';
import { flag, real, size, strict } from '../schema.js';

/** Options of `attention`. */
export interface AttentionOptions {
  /** Heads of keys and values, which divide "heads"; as many when absent. */
  kv_heads?: number;
  /** A step sees none that come later; false when absent. */
  causal?: boolean;
  /** An input that says which steps are there: a number for each, 0 where it fills up, or how many there are. */
  mask?: string;
  /** An input [S,E] whose steps are looked at; those of the sequence itself when absent. */
  cross?: string;
  /** The base of rotary positions, such as 10000; none when absent. */
  rotary?: number;
  /** How the weights begin: glorot_uniform when absent, biases at 0. */
  init?: InitInput;
}

const input = z.string({ error: 'the name of an input' }).min(1, { error: 'the name of an input' });

/**
 * Attention of several heads: each step of a sequence [T,F] becomes a mean of what it looks at.
 * @function
 */
export const attention = layer('attention', {
  doc: 'Attention of several heads: each step of a sequence [T,F] becomes a mean of what it looks at.',
  options: strict({
    heads: size.describe('How many heads; they divide the features.'),
    kv_heads: size.optional().describe('Heads of keys and values, which divide "heads"; as many when absent.'),
    causal: flag.default(false).describe('A step sees none that come later; false when absent.'),
    mask: input
      .optional()
      .describe('An input that says which steps are there: a number for each, 0 where it fills up, or how many there are.'),
    cross: input.optional().describe('An input [S,E] whose steps are looked at; those of the sequence itself when absent.'),
    rotary: real('a number above 1', { above: 1 })
      .optional()
      .describe('The base of rotary positions, such as 10000; none when absent.'),
    init: glorotInit,
  })
    .refine((o) => o.kv_heads === undefined || o.heads % o.kv_heads === 0, {
      error: 'expected a divisor of "heads"',
      path: ['kv_heads'],
    })
    .refine((o) => o.cross === undefined || !o.causal, { error: 'expected no "causal" beside "cross"', path: ['causal'] }),
  main: 'heads',
  example: '{ attention: 4 }',
  call: (heads: number, options: AttentionOptions = {}) => ({ heads, ...options }),
  lower: (c, o, x) => {
    const joined = c.join(x);
    if (o.cross !== undefined) return attend(c, o, joined, presentSteps(c, o.mask, c.input(o.cross)));
    const own = presentSteps(c, o.mask, joined);
    return attend(c, o, own, own);
  },
  joint: (_, x, layout) => sequenceJoint(x, layout),
  gives: 'channels-last',
});
