// A workspace of two tasks over inputs of six dtypes, a table with categories and a text with its mask among them: what tests of services, pages and forms ask.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { workspace } from '../cli/support.js';
import { tokenizerText } from './tokenizer.js';

export const rows = 40;
const random = new Random(17, 'six dtypes');
const drawn = (dtype: 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'bool', shape: readonly number[], below?: number) =>
  Tensor.from(
    dtype,
    Array.from({ length: rows * elementCount(shape) }, () => (below === undefined ? random.normal() : random.below(below))),
    [rows, ...shape],
  );

/** Words of the tokenizer; ids 4 and 5. */
export const words = ['fair', 'foul'];
const texts = Array.from({ length: rows }, () =>
  Array.from({ length: 1 + random.below(3) }, () => words[random.below(2)]).join(' '),
);
/** `[CLS] text [SEP]`, padded to five. */
const ids = Tensor.from(
  'int64',
  texts.flatMap((text) => {
    const own = [2, ...text.split(' ').map((word) => 4 + words.indexOf(word)), 3];
    return [...own, ...new Array(5 - own.length).fill(0)];
  }),
  [rows, 5],
);
const ages = Array.from({ length: rows }, () => 20 + random.below(50));
const cities = Array.from({ length: rows }, () => random.below(3) - 1);

/** As a .npz file has them; of the table a category as the index of its text, -1 for none. */
export const samples: Readonly<Record<string, Tensor>> = {
  image: drawn('float32', [1, 4, 4]),
  person: Tensor.from(
    'float32',
    ages.flatMap((age, i) => [age, cities[i] ?? 0]),
    [rows, 2],
  ),
  kind: drawn('int32', [], 5),
  shop: drawn('int64', [], 6),
  half: drawn('float16', [3]),
  open: drawn('bool', [], 2),
  pixels: drawn('uint8', [4], 256),
  note: ids,
};
export const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, (_, i) => Number(Number(samples.kind?.data[i]) + Number(samples.open?.data[i]) > 2)),
);
export const categories = ['Basel', 'Bern'];

/** What exported graphs take, as lists: the table's numbers and categories apart, the text's ids with their mask. */
export function asGraphInputs(): Record<string, unknown> {
  const lists = Object.entries(samples).map(([name, { dims }]): [string, unknown] => {
    const numbers = must(name).numbers();
    const nested = (flat: readonly number[], [size = 1, ...rest]: readonly number[]): unknown[] =>
      Array.from({ length: size }, (_, i) => {
        const width = flat.length / size;
        const own = flat.slice(i * width, (i + 1) * width);
        return rest.length === 0 ? own[0] : nested(own, rest);
      });
    return [name, nested([...numbers], dims)];
  });
  return {
    ...Object.fromEntries(lists),
    person: ages.map((age) => [age]),
    person_categories: cities.map((city) => [categories[city] ?? 'Zug']),
    mask: Array.from({ length: rows }, (_, i) =>
      ids
        .numbers()
        .slice(i * 5, i * 5 + 5)
        .map((id) => Number(id !== 0)),
    ),
  };
}

/** A sample as JSON names it: rows of the table as objects, texts as texts. */
export const asJson = (at: number): Record<string, unknown> => {
  const part = (name: string): number[] => {
    const tensor = samples[name];
    const width = (tensor?.size ?? 0) / rows;
    return tensor?.numbers().slice(at * width, (at + 1) * width) ?? [];
  };
  const nested = part('image');
  return {
    image: [[0, 4, 8, 12].map((from) => nested.slice(from, from + 4))],
    person: { age: ages[at], city: categories[cities[at] ?? 0] ?? 'Zug' },
    kind: part('kind')[0],
    shop: part('shop')[0],
    half: part('half'),
    open: part('open')[0] === 1,
    pixels: part('pixels'),
    note: texts[at],
  };
};

const yaml = `prognet: 1
name: six
input:
  - { name: image, shape: [1, 4, 4] }
  - { name: person, features: [age, { city: [${categories}] }], prepare: [one_hot, standardise] }
  - { name: kind, shape: [], dtype: int32 }
  - { name: shop, shape: [], dtype: int64 }
  - { name: half, shape: [3], dtype: float16 }
  - { name: open, shape: [], dtype: bool }
  - { name: pixels, shape: [4], dtype: uint8, prepare: [scale] }
  - { name: note, tokenizer: tokenizer.json, length: 5 }
  - { name: mask, mask: note }
columns:
  - { task: plain, data: plain.npz, blocks: [[flatten, { dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2, batch: 16 } }
  - { task: numbers, data: six.npz, inputs: [image, person, kind, half, open, pixels], blocks: [[flatten, { dense: 6 }, relu], [{ concat: [person, kind, half, open, pixels] }, { dense: 8 }, relu]],
      head: { classify: { classes: 2, names: ['no', 'yes'] } }, train: { epochs: 4, batch: 16, lr: 0.02 } }
  - { task: all, data: six.npz, inputs: [shop, person, kind, half, open, pixels], blocks: [[{ embedding: { size: 3, vocabulary: 6 } }, { concat: [person, kind, half, open, pixels] }, { dense: 8 }, relu]],
      laterals: { kind: adapter, rank: 2 }, head: { classify: 2 }, train: { epochs: 4, batch: 16, lr: 0.02 } }
  - { task: words, data: six.npz, inputs: [note, mask, person], blocks: [[{ embedding: { size: 4 } }, { mean_over_steps: { mask: mask } }, { concat: person }, { dense: 6 }, relu]],
      laterals: none, head: { classify: 2 }, train: { epochs: 4, batch: 16, lr: 0.02 } }
`;

/** The workspace with its data, not trained; without the text that pages do not tokenise, or with it. */
export function sixDtypes({ text = true }: { readonly text?: boolean } = {}): string {
  const lines = yaml.split('\n');
  const from = lines.findIndex((line) => line.includes('task: words'));
  const told = lines.filter((line, i) => !/name: (note|mask),/.test(line) && (from < 0 || i < from));
  const dir = workspace(text ? yaml : told.join('\n'));
  const npz = (name: string, arrays: Readonly<Record<string, Tensor>>) =>
    writeFileSync(join(dir, name), writeNpz(new Map(Object.entries(arrays))));
  writeFileSync(join(dir, 'tokenizer.json'), tokenizerText(words));
  npz('plain.npz', { image: must('image'), y: targets });
  npz('six.npz', { ...samples, y: targets });
  npz('asked.npz', samples);
  return dir;
}

const must = (name: string): Tensor => {
  const found = samples[name];
  if (found === undefined) throw new Error(name);
  return found;
};
