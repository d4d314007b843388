// Images as Hugging Face's hub holds them (hub/make.py): what becomes of them, and what is refused, with its line.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadData, sourceFiles } from '../../src/data/sources.js';
import { expectDataRejection } from '../formats/expect-data-error.js';
import { parquet } from '../support/parquet.js';

const baseDir = mkdtempSync(join(tmpdir(), 'prognet-hub-'));
afterAll(() => rmSync(baseDir, { recursive: true }));
const hub = (name: string): string => {
  cpSync(join(import.meta.dirname, 'hub'), join(baseDir, name), { recursive: true });
  return join(baseDir, name);
};
const inputs = [{ name: 'image', dtype: 'uint8' as const, shape: [2, 3, 3] }];
const context = { baseDir, inputs, path: 'columns[0].data' };

test('images and classes of all shards, in their order', async () => {
  const folder = hub('pets');
  const { train, test: rest } = await loadData('pets', context);
  expect([train.inputs.dims, rest.inputs.dims]).toEqual([
    [5, 2, 3, 3],
    [2, 2, 3, 3],
  ]);
  for (const [part, first] of [
    [train, 0],
    [rest, 5],
  ] as const)
    expect([...part.inputs.bytes]).toEqual(
      Array.from({ length: part.inputs.size }, (_, i) => 10 * (first + Math.floor(i / 18)) + (i % 18)),
    );
  expect([train.targets.numbers(), rest.targets.numbers()]).toEqual([
    [0, 1, 1, 1, 0],
    [1, 0],
  ]);
  expect([train.classNames, train.classes, train.decoding?.axes]).toEqual([['dog', 'cat'], 2, 'HWC']);
  const named = await loadData('pets', { ...context, head: { kind: 'classify', size: 2, names: ['cat', 'dog'] } });
  expect(named.train.targets.numbers()).toEqual([1, 0, 0, 0, 1]);
  const resized = await loadData({ source: 'pets', resize: { height: 4, width: 4 } }, { baseDir });
  expect(resized.train.inputs.dims).toEqual([5, 3, 4, 4]);
  expect(sourceFiles('pets', baseDir)).toHaveLength(3);
  renameSync(join(folder, 'data/test-00000-of-00001.parquet'), join(folder, 'data/validation-00000-of-00001.parquet'));
  const told: string[] = [];
  const drawn = await loadData({ source: 'pets', test: 0.4 }, { ...context, onNote: (line) => told.push(line) });
  expect(drawn.test.inputs.dims[0]).toBe(2);
  expect(told).toEqual([`${folder}: not read: the shards of "validation"`]);
});

test('what is not whole, fits no head, or is no folder of images is refused', async () => {
  const folder = hub('broken');
  await expectDataRejection(
    loadData('broken', { ...context, head: { kind: 'classify', size: 2, names: ['cat', 'fox'] } }),
    `${folder}: has 2 classes, ["dog","cat"], expected those of the head, ["cat","fox"]`,
  );
  await expectDataRejection(
    loadData('broken', { ...context, head: { kind: 'binary', size: 1 } }),
    `${folder}: images of classes, a binary head takes other targets`,
  );
  const first = join(folder, 'data/train-00000-of-00002.parquet');
  await expectDataRejection(
    loadData({ source: 'broken', label: 'kind' }, context),
    `${first}: which of "image", "label" holds the classes nobody says, expected "label" in the data entry, one of "label"`,
  );
  rmSync(join(folder, 'data/train-00001-of-00002.parquet'));
  await expectDataRejection(loadData('broken', context), `${folder}: has 1 of the 2 shards of train`);
  writeFileSync(join(folder, 'data/train-00001-of-00002.parquet'), parquet({ name: 'text', data: ['a'], type: 'STRING' }));
  await expectDataRejection(
    loadData('broken', context),
    `${folder}/data/train-00001-of-00002.parquet: says no features of datasets, expected the note "huggingface"`,
  );
  mkdirSync(join(baseDir, 'arrow'));
  writeFileSync(join(baseDir, 'arrow/state.json'), '{}');
  await expectDataRejection(
    loadData('arrow', context),
    `${baseDir}/arrow/state.json: is none that save_to_disk writes, expected "_data_files", a list of names`,
  );
});
