// Texts as samples, tokenised by the same code as training's. The package @huggingface/tokenizers is an optional peer.
import { withFollowing } from '../../data/following.js';
import { type TextInput, tokenizerOf } from '../../data/text/tokenizer.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { PrognetError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';

/** Characters of one text at most: tokenising takes the time of the event loop. */
export const mostCharacters = 2 ** 16;

/** The input of text as tasks.json has it. */
type Told = Pick<TextInput, 'name' | 'shape'> & Required<Pick<TextInput, 'tokens'>>;

/**
 * What makes token ids of texts, int64 [texts, length]. `wrong` makes what a client is told of a text that has none.
 * @throws DataError where the package is not installed or does not take the tokenizer
 */
export async function textReader(
  { name, shape, tokens }: Told,
  tokenizer: string,
): Promise<(texts: readonly string[], wrong: (message: string) => Error) => BigInt64Array> {
  const tokenize = await tokenizerOf({ name, dtype: 'int64', shape, tokens, tokenizer }, 'texts');
  return (texts, wrong) => {
    const long = texts.findIndex((text) => text.length > mostCharacters);
    if (long >= 0) throw wrong(`text ${long} has ${texts[long]?.length} characters, expected at most ${mostCharacters}`);
    try {
      return tokenize(texts, 'inputs', (i) => i).data as BigInt64Array;
    } catch (error) {
      throw error instanceof PrognetError ? wrong(error.message) : error;
    }
  };
}

/** What makes the masks and token types that follow of a text's ids [texts, length]: each under the name of its input. */
export function followingReader(
  inputs: readonly NetworkInput[],
): (text: string, ids: BigInt64Array, dims: readonly number[]) => [string, BigInt64Array][] {
  return (text, ids, dims) => {
    const own = inputs.filter(({ name, mask, types = mask }) => name === text || types === text);
    const all = withFollowing(own, { [text]: new Tensor('int64', dims, ids) }, 'inputs');
    return own.filter(({ name }) => name !== text).map(({ name }) => [name, all[name]?.data as BigInt64Array]);
  };
}
