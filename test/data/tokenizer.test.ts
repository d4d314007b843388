// Texts to ids: those of the Python package of the same tokenizer.json, over its kinds of models, cut and padded on either side.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type TextInput, takesText, tokenizerOf } from '../../src/data/text/tokenizer.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { Random } from '../../src/onnx/core/random.js';
import { environment, python } from '../python/python.js';
import { tokenizerText } from '../support/tokenizer.js';

const repo = new URL('../..', import.meta.url).pathname;

function inputOf(tokenizer: string, length: number, pad?: string): TextInput {
  const input = { name: 'text', tokenizer, length, ...(pad !== undefined && { pad }) };
  const [found] = columnsOf(parseDescription({ prognet: 1, name: 'n', input, columns: [] })).inputs;
  if (!takesText(found)) throw new Error('no text');
  return found;
}

describe('small', () => {
  const idsOf = async (length: number, texts: readonly string[], parts = {}) => {
    const tokenize = await tokenizerOf(inputOf(tokenizerText(['sea', 'tide', 'pan'], parts), length), 'a');
    return tokenize(texts, 'a.csv').numbers();
  };

  it('special tokens stay where a text is cut', async () => {
    expect(await idsOf(4, ['Sea tide pan sea', 'pan', ''])).toEqual([2, 4, 5, 3, 2, 6, 3, 0, 2, 3, 0, 0]);
    const truncation = { direction: 'Left' };
    const padding = { direction: 'Left', pad_id: 0, pad_token: '[PAD]' };
    expect(await idsOf(4, ['sea tide pan sea', 'pan'], { truncation, padding })).toEqual([2, 6, 4, 3, 0, 2, 6, 3]);
  });

  it('what it does not know is [UNK]', async () => {
    expect(await idsOf(4, ['keel'])).toEqual([2, 1, 3, 0]);
  });

  it('refuses a length that leaves nothing, and a file that the package does not take', async () => {
    await expect(idsOf(1, ['sea'])).rejects.toThrow(
      'a.csv: row 1: 1 tokens are too few for the 2 that the tokenizer adds, expected a greater "length"',
    );
    const other = (parts: object) =>
      JSON.stringify({ model: { type: 'WordLevel', vocab: { '[PAD]': 0 }, unk_token: '[PAD]' }, ...parts });
    const refused = (file: string) => expect(tokenizerOf(inputOf(file, 4), 'input')).rejects;
    await refused(other({ model: { type: 'Syllable', vocab: { '[PAD]': 0 } } })).toThrow(
      'input: the model of the tokenizer is "Syllable", expected WordPiece, BPE, Unigram or WordLevel',
    );
    const split = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: false };
    await refused(other({ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Whitespace' }, split] } })).toThrow(
      'input: the tokenizer splits by Split with "behavior": "MergedWithNext", expected "Isolated" or, of Split, "Removed"',
    );
    await refused(other({ normalizer: { type: 'Rot13' } })).toThrow(
      /^input: the tokenizer is none that @huggingface\/tokenizers takes, .*Rot13/,
    );
  });

  it('a part that has no id is refused with its row', async () => {
    const none = JSON.stringify({
      model: {
        type: 'WordPiece',
        vocab: { '[PAD]': 0, sea: 1 },
        continuing_subword_prefix: '##',
        unk_token: '[UNK]',
        max_input_chars_per_word: 100,
      },
    });
    const tokenize = await tokenizerOf(inputOf(none, 4), 'input');
    expect(() => tokenize(['sea', 'keel'], 'a.csv', (i) => i + 2)).toThrow(
      'a.csv: row 3: the tokenizer has no id for a part of "keel", nor one for unknown parts',
    );
  });
});

const { missing, note } = environment('.venv-text');
describe.skipIf(missing)(`Python's${note}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-tokens-'));
  const own = readFileSync(join(repo, 'templates/init/text/notes/train.csv'), 'utf8').split('\n');
  const random = new Random(8, 'texts');
  const letters = [...'abcdefghijklmnopqrstuvwxyz   ABC.,!?\'"-0123456789éÉßçñ中文日本€½ﬁ👍\t'];
  const odd = Array.from({ length: 150 }, () =>
    Array.from({ length: random.below(30) }, () => letters[random.below(letters.length)] ?? '').join(''),
  );
  const texts = [
    ...own,
    ...odd,
    '',
    ' ',
    'the [SEP] sail [PAD] x',
    "It's the skipper's. Don't!",
    'ＦＵＬＬ width',
    'e\u0301cole',
  ];
  const kinds = new Map([['the template', join(repo, 'templates/init/text/tokenizer.json')]]);
  beforeAll(() => {
    writeFileSync(join(folder, 'texts.json'), JSON.stringify([...own, 'École, naïve façade: 12 or 3456 ½ 日本']));
    const names = z.array(z.string()).parse(python('.venv-text', 'tokens.py', 'make', folder, join(folder, 'texts.json')));
    for (const [i, name] of names.entries()) kinds.set(name, join(folder, `${i}.json`));
  });

  it.each([
    'the template',
    'WordPiece',
    'BERT, cut and padded on the left',
    'byte-level BPE',
    'Unigram',
    'WordLevel, Whitespace',
    'WordLevel, WhitespaceSplit',
    'WordLevel, Punctuation and Digits',
    'WordLevel, Split',
  ])('%s', async (name) => {
    const tokenizer = kinds.get(name) ?? '';
    for (const length of [6, 24]) {
      const request = join(folder, 'request.json');
      writeFileSync(request, JSON.stringify({ tokenizer, length, pad: '[PAD]', texts }));
      const tokenize = await tokenizerOf(inputOf(readFileSync(tokenizer, 'utf8'), length, '[PAD]'), 'a');
      const found = tokenize(texts, 'a').numbers();
      const expected = python('.venv-text', 'tokens.py', 'ids', request);
      texts.forEach((text, i) => {
        expect({ text, ids: found.slice(i * length, (i + 1) * length) }).toEqual({
          text,
          ids: Array.isArray(expected) && expected[i],
        });
      });
    }
  });
});
