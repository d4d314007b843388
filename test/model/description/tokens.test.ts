// Inputs of text in a description: what follows of a tokenizer.json, and what is refused.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonical } from '../../../src/model/description/canonical.js';
import { parseDescription, toInput } from '../../../src/model/description/parse.js';
import { columnsOf } from '../../../src/model/progressive/column.js';
import { sha256Text } from '../../../src/onnx/core/sha256.js';
import { tokenizerText } from '../../support/tokenizer.js';

const column = { task: 't', blocks: [[{ embedding: { size: 3, pool: 'mean' } }]], head: { classify: 2 } };
const of = (input: object, more: object = {}) =>
  parseDescription({ prognet: 1, name: 'n', input: { name: 'text', ...input }, columns: [{ ...column, ...more }] });
const tokenizer = tokenizerText(['sea', 'pan']);

it('ids, padding and the hash of the file follow of it', () => {
  const description = of({ tokenizer, length: 8 });
  const [input] = description.inputs;
  expect(input).toEqual({
    name: 'text',
    shape: [8],
    dtype: 'int64',
    tokenizer,
    tokens: {
      sha256: createHash('sha256').update(tokenizer).digest('hex'),
      vocabulary: 6,
      padding: { id: 0, side: 'right' },
      truncation: { side: 'right' },
      special: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3 },
    },
  });
  expect(parseDescription(toInput(description))).toEqual(description);
  expect(columnsOf(description).column('t').parameters.specs[0]?.shape).toEqual([6, 3]);
});

it('a frozen column knows the tokenizer by its hash, and none by its text', () => {
  const text = canonical(of({ tokenizer, length: 8 }), 't');
  expect(text).toContain(createHash('sha256').update(tokenizer).digest('hex'));
  expect(text).not.toContain('WordPiece');
});

it('takes sides and the token of padding from the file, else the token that is named', () => {
  const padding = { direction: 'Left', pad_id: 3, pad_token: '[SEP]' };
  const [written] = of({ tokenizer: tokenizerText(['sea'], { padding, truncation: { direction: 'Left' } }), length: 4 }).inputs;
  expect(written?.tokens).toMatchObject({ padding: { id: 3, side: 'left' }, truncation: { side: 'left' } });
  const [named] = of({ tokenizer: tokenizerText(['sea'], { padding }), length: 4, pad: 'sea' }).inputs;
  expect(named?.tokens?.padding).toEqual({ id: 4, side: 'left' });
});

describe('what is no tokenizer', () => {
  const unigram = JSON.stringify({
    model: {
      type: 'Unigram',
      vocab: [
        ['a', -1],
        ['<pad>', 0],
      ],
    },
  });
  it('a vocabulary may be a list, as of Unigram', () => {
    expect(of({ tokenizer: unigram, length: 4 }).inputs[0]?.tokens).toMatchObject({ vocabulary: 2, padding: { id: 1 } });
  });

  it.each([
    [
      'a path',
      { tokenizer: 'tokenizer.json', length: 4 },
      'input.tokenizer: found the path "tokenizer.json", expected the text of the file, which a workspace reads itself',
    ],
    ['no JSON', { tokenizer: '{ a', length: 4 }, 'input.tokenizer: found a text that is no JSON, expected a tokenizer.json'],
    [
      'another JSON',
      { tokenizer: '{}', length: 4 },
      'input.tokenizer: the tokenizer is broken at model, expected a tokenizer.json',
    ],
    [
      'ids that are none',
      { tokenizer: '{"model":{"vocab":{"a":-1}}}', length: 4 },
      'input.tokenizer: the tokenizer is broken at model.vocab',
    ],
    [
      'no tokens',
      { tokenizer: '{"model":{"vocab":{}}}', length: 4 },
      'input.tokenizer: the tokenizer has no tokens, expected at least one',
    ],
    [
      'no padding',
      { tokenizer: '{"model":{"vocab":{"a":0}}}', length: 4 },
      'input.tokenizer: the tokenizer names no token for padding, expected "pad", a token of it that fills up short texts',
    ],
    [
      'no such token',
      { tokenizer, length: 4, pad: 'tide' },
      'input.tokenizer: the tokenizer has no token "tide", expected "pad", a token of it that fills up short texts',
    ],
    ['no length', { tokenizer }, 'input: "length" is missing, expected how many tokens a sample has, such as length: 64'],
    ['a length without a tokenizer', { shape: [4], length: 4 }, 'input.length: found "length", expected it beside "tokenizer"'],
    ['a shape', { tokenizer, length: 4, shape: [4] }, 'input.shape: found "shape", expected none beside "tokenizer"'],
    [
      'steps',
      { tokenizer, length: 4, prepare: ['standardise'] },
      'input.prepare: found "prepare", expected none beside "tokenizer"',
    ],
    ['too long', { tokenizer, length: 65537 }, 'input.length: found 65537'],
  ])('%s', (_, input, said) => {
    expect(() => of(input)).toThrow(said);
  });

  it('steps of a column', () => {
    expect(() => columnsOf(of({ tokenizer, length: 4 }, { prepare: ['scale'] })).column('t').parameters).toThrow(
      'columns[0].prepare: the input is text, whose tokens no step prepares, expected no "prepare"',
    );
  });
});

it('the hash of a text is SHA-256, of any length', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const text = 'é'.repeat(length % 7) + 'a'.repeat(length);
    expect(sha256Text(text), String(length)).toBe(createHash('sha256').update(text).digest('hex'));
  }
});
