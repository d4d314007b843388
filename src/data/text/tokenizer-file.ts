// A tokenizer.json as the npm package @huggingface/tokenizers is given it: what the package would do otherwise than the library that the file was made with
// is written so that both do the same, or refused by name. test/data/tokenizer.test.ts compares the two.
import { valueAt } from '../../onnx/core/value-at.js';

/** What is refused: what was found, and what would be right. */
export interface Refused {
  readonly got: string;
  readonly expected: string;
}

const models = ['WordPiece', 'BPE', 'Unigram', 'WordLevel'];
/** What a word is made of. The package knows a to z, and in patterns some signs beside that are none. */
const letters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const words = { type: 'Split', pattern: { Regex: `[${letters}]+|[^${letters}\\s]+` }, behavior: 'Removed', invert: true };

const isolated = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});

/** The file for the package, every key there; or why not. */
export function fileForPackage(text: string): object | Refused {
  const file: unknown = JSON.parse(text);
  const model = valueAt(file, ['model']);
  const kind = valueAt(model, ['type']);
  if (typeof kind === 'string' && !models.includes(kind))
    return { got: `the model of the tokenizer is ${JSON.stringify(kind)}`, expected: 'WordPiece, BPE, Unigram or WordLevel' };
  const splitter = splitterFor(valueAt(file, ['pre_tokenizer']) ?? null);
  if (isRefused(splitter)) return splitter;
  const absent = { normalizer: null, post_processor: null, added_tokens: [] };
  return {
    ...absent,
    ...Object(file),
    pre_tokenizer: splitter,
    // Nothing is read back of ids.
    decoder: null,
    model: kind === 'WordLevel' ? wholeWords(model) : model,
  };
}

export const isRefused = (value: unknown): value is Refused => typeof valueAt(value, ['got']) === 'string';

/** Words that are there as a whole or not at all: pieces by a sign that no word begins with. */
function wholeWords(model: unknown): object {
  return { ...Object(model), type: 'WordPiece', continuing_subword_prefix: '\u0000', max_input_chars_per_word: 1e9 };
}

function splitterFor(splitter: unknown): unknown {
  const parts = valueAt(splitter, ['pretokenizers']);
  if (Array.isArray(parts)) {
    const made = parts.map(splitterFor);
    return made.find(isRefused) ?? { ...Object(splitter), pretokenizers: made };
  }
  const [type, behavior, invert] = ['type', 'behavior', 'invert'].map((key) => valueAt(splitter, [key]));
  if (type === 'Whitespace') return words;
  if (type === 'Digits') return isolated(valueAt(splitter, ['individual_digits']) === true ? '\\p{N}' : '\\p{N}+');
  if (type === 'Punctuation' && (behavior ?? 'Isolated') === 'Isolated') return isolated('[\\p{P}$+<=>\\^`|~]');
  const right =
    type === 'Split' ? behavior === 'Removed' || (behavior === 'Isolated' && invert !== true) : type !== 'Punctuation';
  if (right) return splitter;
  const got = `the tokenizer splits by ${String(type)} with "behavior": ${JSON.stringify(behavior)}${invert === true ? ', inverted' : ''}`;
  return { got, expected: '"Isolated" or, of Split, "Removed"' };
}
