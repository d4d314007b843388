// What a head's outputs are called: texts, each of its own, as labels stand in the data and as answers give them back.
import * as z from 'zod';
import { integer } from '../nn/schema.js';

const text = 'a text of 1 to 100 characters';
const name = z.string({ error: text }).min(1, { error: text }).max(100, { error: text });

/** A text for each output. `each` says for what, in errors. */
export function nameList(each: string) {
  const right = `a list of different texts, one for each ${each}`;
  return z.array(name, { error: right }).refine((names) => new Set(names).size === names.length, { error: right });
}

/** How many outputs there are: an integer of at least `least`. Who gives names in its place hears where they go. @param option its name */
export function countBeside(option: string, least: number) {
  const right = least === 1 ? 'a positive integer' : `an integer of at least ${least}`;
  return integer(least, ({ input }) =>
    Array.isArray(input) && input.length >= least && input.every((one) => typeof one === 'string')
      ? `${right}, and the names beside it: { ${option}: ${input.length}, names: [...] }`
      : right,
  );
}
