// Datasets of Hugging Face as its library writes them: `save_to_disk` and the hub's shards (saved/, by scripts/python/hub.py), images, texts and a table; the
// same from files that the library writes anew, where it is there; what is refused, with its line.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Split } from '../../src/data/dataset.js';
import { inMemory } from '../../src/data/rows.js';
import { loadData, sourceFiles } from '../../src/data/sources.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { expectDataRejection } from '../formats/expect-data-error.js';
import { environment, python } from '../python/python.js';
import { tokenizerText } from '../support/tokenizer.js';

const kept = join(import.meta.dirname, 'saved');
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'prognet-saved-'));
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true });
});

const inputsOf = (input: object) => columnsOf(parseDescription({ prognet: 1, name: 'n', input, columns: [] })).inputs;
const textInputs = inputsOf({ name: 'text', tokenizer: tokenizerText(['the', 'sea', 'pan', 'tide', 'soup', 'a']), length: 4 });
const imageInputs = [{ name: 'image', dtype: 'uint8' as const, shape: [2, 3, 3] }];
const numbers = ({ train, test }: Split) =>
  [train, test].map(({ inputs, targets }) => [inMemory(inputs) ? inputs.numbers() : [], targets.numbers()]);

const { missing, note } = environment('.venv-text');
const anew = missing ? undefined : folder();
if (anew !== undefined) python('.venv-text', 'hub.py', anew);

describe.each([
  ['as kept', kept],
  [`written anew${note}`, anew],
])('%s', (_, baseDir) => {
  const given = test.skipIf(baseDir === undefined);
  const load = (source: string, context: object, more: object = {}) =>
    loadData({ source, ...more }, { baseDir: baseDir ?? '', path: 'columns[0].data', ...context });

  given.each(['images', 'images-hub'])('%s', async (source) => {
    const { train, test: rest } = await load(source, { inputs: imageInputs });
    const pixels = (from: number, count: number) =>
      Array.from({ length: count * 18 }, (_, i) => 10 * (from + Math.floor(i / 18)) + (i % 18));
    expect(numbers({ train, test: rest })).toEqual([
      [pixels(0, 5), [0, 1, 1, 1, 0]],
      [pixels(5, 2), [1, 0]],
    ]);
    expect([train.classNames, train.classes, train.decoding?.axes]).toEqual([['dog', 'cat'], 2, 'HWC']);
    expect(sourceFiles(source, baseDir ?? '').every((file) => existsSync(file))).toBe(true);
  });

  given.each(['texts', 'texts-hub'])('%s', async (source) => {
    const told: string[] = [];
    const head = { kind: 'classify' as const, size: 2 };
    const split = await load(source, { inputs: textInputs, head, onNote: (line: string) => told.push(line) });
    expect(numbers(split)).toEqual([
      [
        [2, 4, 5, 3, 2, 9, 6, 3, 2, 4, 7, 3, 2, 8, 3, 0],
        [0, 1, 0, 1],
      ],
      [
        [2, 5, 5, 3, 2, 6, 3, 0],
        [0, 1],
      ],
    ]);
    expect(split.train.classNames).toEqual(['sailing', 'cooking']);
    expect(told).toContain(`${baseDir}/${source}: train: the label is column 3 ("label")`);
    expect(told).toContain(`${baseDir}/${source}: train: not read: column 2 ("title")`);
    const named = { ...head, names: ['cooking', 'sailing'] };
    expect((await load(source, { inputs: textInputs, head: named })).train.targets.numbers()).toEqual([1, 0, 1, 0]);
    const title = await load(source, { inputs: textInputs, head }, { columns: ['title'] });
    expect(title.test.inputs.dims).toEqual([2, 4]);
  });

  given.each(['table', 'table-hub'])('%s', async (source) => {
    const features = [{ name: 'city', categories: ['Basel', 'Bern'] }, { name: 'age' }, { name: 'ok' }];
    const head = { kind: 'classify' as const, size: 2, names: ['leaves', 'stays'] };
    const { train, test: rest } = await load(source, { features, missing: true, head }, { test: 0.34, seed: 1 });
    const rows = [train, rest].flatMap(({ inputs }) => (inMemory(inputs) ? inputs.numbers() : []));
    expect(rows.toSorted()).toEqual([1, 30, 1, 0, 40, 0, 1, Number.NaN, 1].toSorted());
    expect([train, rest].flatMap(({ targets }) => targets.numbers()).toSorted()).toEqual([0, 0, 1]);
  });

  given('a dataset that is in no parts, its labels numbers', async () => {
    const { train, test: rest } = await load('plain', { inputs: textInputs });
    expect([train.targets.dims, rest.targets.dims, train.classNames]).toEqual([[1], [1], undefined]);
  });
});

describe('refused', () => {
  const copy = (name: string): string => {
    const made = folder();
    cpSync(join(kept, name), join(made, name), { recursive: true });
    return join(made, name);
  };
  const refuse = (path: string, context: object, said: string, more: object = {}) =>
    expectDataRejection(loadData({ source: path, ...more }, { baseDir: kept, path: 'data', ...context }), said);
  const begins = (path: string, said: string) =>
    expect(loadData(path, { baseDir: kept, inputs: textInputs })).rejects.toThrow(said);

  test('lists', async () => {
    const path = copy('lists');
    await refuse(
      path,
      { inputs: textInputs },
      `${path}/data-00000-of-00001.arrow: column "words" holds lists, dates or the like, expected columns of single values and records`,
    );
  });

  test('files that are none of save_to_disk, are not there, or lead elsewhere', async () => {
    const path = copy('texts');
    const state = join(path, 'train/state.json');
    const said = `${state}: is none that save_to_disk writes, expected "_data_files", a list of names`;
    for (const text of ['{', '{}', '{"_data_files":[]}', '{"_data_files":[{"filename":"../x.arrow"}]}']) {
      writeFileSync(state, text);
      await refuse(path, { inputs: textInputs }, said);
    }
    writeFileSync(state, '{"_data_files":[{"filename":"gone.arrow"}]}');
    await begins(path, `${path}/train/gone.arrow: cannot be read, ENOENT`);
    writeFileSync(join(path, 'dataset_dict.json'), '{"splits":["test"]}');
    await refuse(path, { inputs: textInputs }, `${path}: has the parts "test", expected train`);
    writeFileSync(join(path, 'dataset_dict.json'), '{"splits":[".."]}');
    await refuse(
      path,
      { inputs: textInputs },
      `${path}/dataset_dict.json: is none that save_to_disk writes, expected "splits", a list of names`,
    );
  });

  test('damaged files', async () => {
    const path = copy('plain');
    const file = join(path, 'data-00000-of-00001.arrow');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length / 2));
    await begins(path, `${file}: is no whole Arrow file`);
    writeFileSync(file, 'ARROW1');
    await begins(path, `${file}: is no whole Arrow file`);
  });

  test('options that would be ignored, and columns that nobody chose', async () => {
    const texts = join(kept, 'texts');
    await refuse('images', { inputs: imageInputs }, 'data.columns: is for tables, "images" holds images', {
      columns: ['image'],
    });
    await refuse('texts', { inputs: textInputs }, 'data.resize: is for images, "texts" is read as a table', {
      resize: { height: 2, width: 2 },
    });
    const body = inputsOf({ name: 'body', tokenizer: tokenizerText(['a']), length: 4 });
    await refuse(
      'texts',
      { inputs: body },
      `${texts}: train: which of "text", "title" is the text nobody says, expected a column "body", or "columns" in the data entry`,
    );
    await refuse(
      'texts',
      { inputs: textInputs, head: { kind: 'classify', size: 3 } },
      `${texts}: train: label column "label": holds 2 classes, ["sailing","cooking"]; a classify head of 3 needs 3 or "names" of the head`,
    );
  });
});
