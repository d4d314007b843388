// What a head's outputs are called: texts, each of its own, as labels stand in the data and as answers give them back.
import * as z from 'zod';

const text = 'a text of 1 to 100 characters';
const name = z.string({ error: text }).min(1, { error: text }).max(100, { error: text });

/** A text for each output. `each` says for what, in errors. */
export function nameList(each: string) {
  const right = `a list of different texts, one for each ${each}`;
  return z.array(name, { error: right }).refine((names) => new Set(names).size === names.length, { error: right });
}
