// The features of a table: what an input's numbers are called, in their order, and which of them are categories. A category is written as a list of
// texts; wherever numbers are meant it is the index of its text.
import * as z from 'zod';
import { strict } from '../nn/schema.js';

/** A feature of an input. */
export interface Feature {
  /** What its column is called. */
  name: string;
  /** Its texts, where it is a category. */
  categories?: string[] | undefined;
}

/** A feature as written: its name, `{ city: [Basel, Bern] }`, or the form that comes out. */
export type FeatureInput = string | { [name: string]: string[] } | Feature;

const right = 'a feature: its name, or { name: [text, ...] } for a category, each text once and numbers quoted';
const name = z.string({ error: right }).min(1, { error: right }).max(200, { error: right });
const categories = z
  .array(z.string({ error: right }).max(200, { error: right }), { error: right })
  .min(1, { error: right })
  .refine((texts) => new Set(texts).size === texts.length, { error: right });
const short = z.record(name, categories, { error: right }).refine((o) => Object.keys(o).length === 1, { error: right });
const long = strict(
  {
    name: name.describe('What its column is called.'),
    categories: categories.optional().describe('Its texts, where it is a category.'),
  },
  right,
);

const feature = z.union([name, short, long], { error: right }).transform((written): Feature => {
  if (typeof written === 'string') return { name: written };
  if (typeof written.name === 'string') return long.parse(written);
  const [[only, texts] = ['', []]] = Object.entries(short.parse(written));
  return { name: only, categories: texts };
});

/** The features of an input in their order, each name once. */
export const featureList = z
  .array(feature, { error: 'a list of features' })
  .min(1, { error: 'at least one feature' })
  .superRefine((list, ctx) => {
    list.forEach((each, i) => {
      const first = list.findIndex((other) => other.name === each.name);
      if (first === i) return;
      const got = `found ${JSON.stringify(each.name)}, the name of features[${first}]`;
      ctx.addIssue({ code: 'custom', message: 'expected a name of its own', path: [i], params: { got } });
    });
  });

/** Whether any feature is a category. */
export function hasCategories(features: readonly Feature[] | undefined): features is readonly Feature[] {
  return features?.some(({ categories }) => categories !== undefined) ?? false;
}

/** The name of the ONNX input that an input's categories come by, as texts; its numbers come by the input's own name. */
export const categoriesName = (input: string): string => `${input}_categories`;
