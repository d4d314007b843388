// What an input of text takes: token ids by a tokenizer.json, as the tokenizers of Hugging Face keep themselves. Here is only what a graph depends on: how
// many ids there are, which one pads, the file's hash. Texts become ids in data/text.
import * as z from 'zod';
import { sha256Text } from '../../onnx/core/sha256.js';
import { formatPath } from './issues.js';

/** Where padding stands, or what is cut. */
export type Side = 'left' | 'right';

/** The token ids of an input. */
export interface Tokens {
  /** SHA-256 of the tokenizer's file. */
  sha256: string;
  /** Ids are whole numbers below. */
  vocabulary: number;
  /** The id that fills up short texts, and where. */
  padding: { id: number; side: Side };
  /** Where long texts are cut. */
  truncation: { side: Side };
  /** Ids of tokens that are no part of texts, as the file says. */
  special: Record<string, number>;
}

/** Ids of one vocabulary at most; beyond, a file is damaged. */
const maxVocabulary = 2 ** 24;
const id = z
  .int()
  .min(0)
  .max(maxVocabulary - 1);
const direction = z.enum(['Left', 'Right']);
const fileSchema = z.looseObject({
  model: z.looseObject({ vocab: z.record(z.string(), id).or(z.array(z.tuple([z.string(), z.number()])).max(maxVocabulary)) }),
  added_tokens: z.array(z.looseObject({ id, content: z.string(), special: z.boolean().optional() })).nullish(),
  padding: z.looseObject({ direction: direction.optional(), pad_id: id, pad_token: z.string() }).nullish(),
  truncation: z.looseObject({ direction: direction.optional() }).nullish(),
});

/** Tokens that pad by convention, where a file names none. */
const customary = ['[PAD]', '<pad>'];

const sideOf = (written: 'Left' | 'Right' | undefined): Side => (written === 'Left' ? 'left' : 'right');

/** True for the text of a tokenizer's file, false for its path. */
export const isTokenizerText = (tokenizer: string): boolean => tokenizer.trimStart().startsWith('{');

/** The ids that tokens have in a file's text. */
function idsOf({ model: { vocab }, added_tokens }: z.output<typeof fileSchema>): ReadonlyMap<string, number> {
  const own = Array.isArray(vocab) ? vocab.map(([token], i) => [token, i] as const) : Object.entries(vocab);
  return new Map([...own, ...(added_tokens ?? []).map(({ content, id }) => [content, id] as const)]);
}

/** Of the text of a tokenizer.json; `pad` is a token that fills up short texts. What is wrong comes as what was found and what would be right. */
export function tokensOf(text: string, pad: string | undefined): Tokens | { readonly got: string; readonly expected: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { got: 'found a text that is no JSON', expected: 'a tokenizer.json' };
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { got: `the tokenizer is broken at ${formatPath(issue?.path ?? [])}`, expected: 'a tokenizer.json' };
  }
  const file = parsed.data;
  const ids = idsOf(file);
  const vocabulary = [...ids.values()].reduce((most, id) => Math.max(most, id + 1), 0);
  if (vocabulary === 0) return { got: 'the tokenizer has no tokens', expected: 'at least one' };
  const known = pad === undefined ? file.padding?.pad_id : ids.get(pad);
  const padId =
    known ?? (pad === undefined ? customary.map((token) => ids.get(token)).find((found) => found !== undefined) : undefined);
  if (padId === undefined || padId >= vocabulary) {
    const got =
      pad === undefined ? 'the tokenizer names no token for padding' : `the tokenizer has no token ${JSON.stringify(pad)}`;
    return { got, expected: '"pad", a token of it that fills up short texts' };
  }
  return {
    sha256: sha256Text(text),
    vocabulary,
    padding: { id: padId, side: sideOf(file.padding?.direction) },
    truncation: { side: sideOf(file.truncation?.direction) },
    special: Object.fromEntries(
      (file.added_tokens ?? []).flatMap(({ content, id, special }) => (special === true ? [[content, id]] : [])),
    ),
  };
}
