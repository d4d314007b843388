// How several heads of a column are written, `{ group: { classify: 4 }, age: { regress: 1, weight: 0.1 } }`, and written back.
import * as z from 'zod';
import { strict } from '../nn/schema.js';
import {
  eachOf,
  type Head,
  type HeadInput,
  headSchema,
  headWeight,
  headWidth,
  isJudged,
  isSeveral,
  type NamedHead,
  type SeveralHeads,
  toBalance,
} from './heads.js';

/** One of several heads as written: a head, and what its loss counts in the sum of the losses. */
export type WeighedHeadInput = Exclude<HeadInput, string> & {
  /** What its loss counts in the sum of the losses; 1 when absent. */
  weight?: number | undefined;
};
/** Several heads by name, as written. */
export type HeadsInput = Record<string, WeighedHeadInput>;

const text = 'heads by name, as in { group: { classify: 4 }, age: { regress: 1 } }';
const each = 'a head, and its weight if it has another than 1, as in { regress: 1, weight: 0.1 }';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What one of several heads may not be, and where it says so. */
function refused(
  head: NamedHead['head'],
  first: NamedHead['head'],
): { readonly at: string; readonly message: string } | undefined {
  const balanced = toBalance(head);
  if (!isJudged(head)) return { at: '', message: each };
  if (eachOf(head) !== undefined) return { at: 'each', message: 'heads that answer samples where there are several' };
  if (balanced !== undefined) return { at: balanced, message: 'numbers where there are several heads' };
  if (JSON.stringify(head.init) !== JSON.stringify(first.init))
    return { at: 'init', message: 'the same "init" in all heads, which are one dense layer' };
  return undefined;
}

/** @param name the schema of a name */
export function headsSchema(name: z.ZodType<string, string>): z.ZodType<SeveralHeads, HeadsInput> {
  return z
    .custom<HeadsInput>()
    .transform((value: unknown, ctx): SeveralHeads => {
      const fail = (path: readonly string[], message: string): never => {
        ctx.issues.push({ code: 'custom', message, input: value, path: [...path] });
        return z.NEVER;
      };
      if (!isObject(value) || Object.keys(value).length === 0) return fail([], text);
      const heads: NamedHead[] = [];
      for (const [key, written] of Object.entries(value)) {
        const named = name.safeParse(key);
        if (!named.success) {
          ctx.issues.push({
            code: 'custom',
            message: named.error.issues[0]?.message ?? 'a name',
            input: value,
            path: [],
            params: { got: `found ${JSON.stringify(key)}` },
          });
          return z.NEVER;
        }
        if (!isObject(written)) return fail([key], each);
        const { weight = 1, ...own } = written;
        for (const result of [strict({ weight: headWeight }).safeParse({ weight }), headSchema.safeParse(own)]) {
          if (result.success) continue;
          for (const issue of result.error.issues) ctx.issues.push({ ...issue, path: [key, ...issue.path], input: undefined });
          return z.NEVER;
        }
        const head = headSchema.parse(own);
        const wrong = refused(head, heads[0]?.head ?? head);
        if (wrong !== undefined) {
          const kind = Object.hasOwn(own, head.kind) ? [head.kind] : [];
          return fail([key, ...(wrong.at === '' ? [] : [...kind, wrong.at])], wrong.message);
        }
        heads.push({ name: key, weight: Number(weight), head });
      }
      const [first] = heads;
      if (first === undefined) return fail([], text);
      const outputs = heads.reduce((sum, { head }) => sum + headWidth(head), 0);
      return { kind: 'several', heads, outputs, init: first.head.init };
    })
    .meta({ $ref: '#/$defs/heads' });
}

/** What `#/$defs` of a JSON Schema must hold for several heads. */
export const severalDefinitions = {
  heads: z.record(z.string(), z.unknown().meta({ $ref: '#/$defs/weighed_head' })),
};

/** A head, or several, as keys of a column. */
export function writtenHead(head: Head): { head: HeadInput } | { heads: HeadsInput } {
  if (!isSeveral(head)) return { head };
  return { heads: Object.fromEntries(head.heads.map(({ name, weight, head: own }) => [name, { ...own, weight }])) };
}
