// Texts to token ids by a tokenizer.json: the npm package @huggingface/tokenizers, an optional peer, makes them; what is cut and what is padded is ours,
// since the package does neither. Which file, its hash says, the description knows.
import { dataError, quote } from '../../formats/data-error.js';
import { areKnown } from '../../model/nn/open-size.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { reason } from '../../onnx/core/one-line.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { importPackage } from '../../onnx/files/optional-package.js';
import { fileForPackage, isRefused } from './tokenizer-file.js';

/** What is used of the package. */
interface Encoding {
  readonly ids: readonly unknown[];
}
interface Package {
  encode(text: string, options: { add_special_tokens: boolean }): Encoding;
}
type Constructor = new (file: object, config: object) => Package;

const name = '@huggingface/tokenizers';
const isConstructor = (value: unknown): value is Constructor => typeof value === 'function';

async function constructorOf(where: string): Promise<Constructor> {
  let cause: unknown;
  try {
    const loaded = await importPackage(name);
    // As Node finds it, the package is CommonJS, whose names need not all be seen.
    const found = [loaded, Object(Reflect.get(loaded, 'default'))]
      .map((module) => Reflect.get(module, 'Tokenizer'))
      .find(isConstructor);
    if (found !== undefined) return found;
  } catch (error) {
    cause = error;
  }
  throw dataError(where, `texts become tokens by the npm package ${name}, which is not installed`, {
    remedy: { kind: 'install', package: name },
    cause,
  });
}

/** What makes token ids of texts: int64 [texts, length]. `rowOf` says where a text stands, for errors. */
export type Tokenize = (texts: readonly string[], where: string, rowOf?: (index: number) => number) => Tensor;

/** An input that takes text. */
export type TextInput = NetworkInput &
  Required<Pick<NetworkInput, 'tokens' | 'tokenizer'>> & { readonly shape: readonly number[] };

/** Whether an input takes text. */
export const takesText = (input: NetworkInput | undefined): input is TextInput =>
  input?.tokens !== undefined && input.tokenizer !== undefined && areKnown(input.shape);

/** The tokenizer of an input of text. Throws DataError where the package is missing or does not take the file. */
export async function tokenizerOf({ tokenizer, tokens, shape }: TextInput, where: string): Promise<Tokenize> {
  const made = await constructorOf(where);
  let own: Package;
  const file = fileForPackage(tokenizer);
  if (isRefused(file)) throw dataError(where, `${file.got}, expected ${file.expected}`, file);
  try {
    own = new made(file, {});
  } catch (cause) {
    throw dataError(where, `the tokenizer is none that ${name} takes, ${reason(cause)}`, { cause });
  }
  const [length = 0] = shape;
  const { vocabulary, padding, truncation } = tokens;
  return (texts, file, rowOf = (i) => i + 1) => {
    const ids = new BigInt64Array(texts.length * length).fill(BigInt(padding.id));
    texts.forEach((text, i) => {
      const place = `${file}: row ${rowOf(i)}`;
      const found = cut(own, text, length, truncation.side, place);
      const at = i * length + (padding.side === 'left' ? length - found.length : 0);
      found.forEach((id, k) => {
        if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocabulary)
          throw dataError(place, `the tokenizer has no id for a part of ${quote(text.slice(0, 60))}, nor one for unknown parts`, {
            expected: `an id 0..${vocabulary - 1}`,
            got: String(id),
          });
        ids[at + k] = BigInt(id);
      });
    });
    return new Tensor('int64', [texts.length, length], ids);
  };
}

/** The ids of a text, at most `length`: special tokens before and behind it stay, the text itself is cut. */
function cut(own: Package, text: string, length: number, side: 'left' | 'right', place: string): readonly unknown[] {
  const all = encoded(own, text, true, place);
  if (all.length <= length) return all;
  const inner = encoded(own, text, false, place);
  const added = all.length - inner.length;
  const keep = length - added;
  const before = Array.from({ length: added + 1 }, (_, i) => i).find((i) => inner.every((id, k) => id === all[i + k]));
  if (before === undefined || keep < 0)
    throw dataError(place, `${length} tokens are too few for the ${added} that the tokenizer adds, expected a greater "length"`, {
      expected: `more than ${added}`,
      got: `${length}`,
    });
  const kept = side === 'left' ? inner.slice(inner.length - keep) : inner.slice(0, keep);
  return [...all.slice(0, before), ...kept, ...all.slice(before + inner.length)];
}

function encoded(own: Package, text: string, special: boolean, place: string): readonly unknown[] {
  try {
    return own.encode(text, { add_special_tokens: special }).ids;
  } catch (cause) {
    throw dataError(place, `the tokenizer fails at ${quote(text.slice(0, 60))}, ${reason(cause)}`, { cause });
  }
}
