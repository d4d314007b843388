// Rows on disk of tables by row groups, of texts and of datasets of Hugging Face: what is kept is what would be in memory, bit for bit, with the same notes and
// the same trained end; what cannot be read by parts is refused; a reading is told as it goes and is stopped with nothing left.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/data/fingerprint.js';
import type { Reading } from '../../src/data/reading.js';
import { inMemory } from '../../src/data/rows.js';
import type { DataOptions } from '../../src/data/schema.js';
import type { SourceContext } from '../../src/data/sources/source.js';
import { loadData, loadRows } from '../../src/data/sources.js';
import { writeNpy } from '../../src/formats/npy.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { InterruptedError, must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { train } from '../../src/train/loop.js';
import { fitData } from '../../src/train/prepare-data.js';
import { trainSettings } from '../../src/train/settings.js';
import { columnAt } from '../support/by-place.js';
import { parquet, parquetInGroups } from '../support/parquet.js';
import { runtime } from '../support/run.js';
import { allRows, expectRows, shuffledAs } from '../support/stored-rows.js';
import { tokenizerText } from '../support/tokenizer.js';

const root = mkdtempSync(join(tmpdir(), 'prognet-stored-sources-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const saved = join(import.meta.dirname, 'saved');
let folders = 0;
const r = new Random(5, 'stored sources');

function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

const inputsOf = (input: object) => columnsOf(parseDescription({ prognet: 1, name: 'n', input, columns: [] })).inputs;
const words = ['the', 'sea', 'pan', 'tide', 'soup', 'a'];
const textsOf = (length: number) => inputsOf({ name: 'text', tokenizer: tokenizerText(words), length });
const classify = { kind: 'classify' as const, size: 2 };

/** What is kept is on disk and what is in memory; gives what both said. */
async function expectSame(options: DataOptions & { memory: number }, given: Partial<SourceContext>) {
  const { memory, ...rest } = options;
  const context = { baseDir: root, path: 'data', ...given };
  const [said, told]: [string[], string[]] = [[], []];
  const readings: Reading[] = [];
  const cache = join(root, `cache-${folders++}`);
  const whole = await loadData(rest, { ...context, onNote: (line) => said.push(line) });
  const kept = await loadRows(
    { ...rest, memory },
    { ...context, cache, onNote: (line) => told.push(line), onReading: (reading) => readings.push(reading) },
  );
  expect(told.filter((line) => !/written once to .*\.data,/.test(line))).toEqual(said);
  expect(told).toHaveLength(said.length + 1);
  for (const part of ['train', 'test'] as const) {
    const [found, expected] = [kept[part], whole[part]];
    expect(inMemory(found.inputs)).toBe(false);
    expectRows(allRows(found.inputs), expected.inputs);
    expectRows(found.targets, expected.targets);
    expect({ ...found, inputs: 0, targets: 0 }).toEqual({ ...expected, inputs: 0, targets: 0 });
    expect(fingerprint(found)).toBe(fingerprint(expected));
  }
  const last = new Map(readings.map((reading) => [reading.what, reading]));
  for (const { done, total } of last.values()) expect(done).toBe(total);
  return { kept, whole, readings: [...last.keys()] };
}

/** A table of categories, missing cells, bools and texts as labels. */
const tableOf = (count: number) => [
  { name: 'city', data: Array.from({ length: count }, (_, i) => ['x', 'long name', 'z'][i % 3]), type: 'STRING' },
  { name: 'a', data: Array.from({ length: count }, (_, i) => (i % 7 === 0 ? null : r.normal())), type: 'DOUBLE' },
  { name: 'unread', data: Array.from({ length: count }, (_, i) => i), type: 'INT32' },
  { name: 'ok', data: Array.from({ length: count }, (_, i) => i % 2 === 0), type: 'BOOLEAN' },
  { name: 'kind', data: Array.from({ length: count }, () => ['no', 'yes'][r.below(2)]), type: 'STRING' },
];
const table = {
  missing: true,
  features: [{ name: 'a' }, { name: 'city', categories: ['z', 'x', 'long name'] }, { name: 'ok' }],
  head: classify,
};

describe('Parquet by row groups', () => {
  it('in a file and in a folder of train and test', async () => {
    const file = join(folderOf({ 'a.parquet': parquetInGroups(700, ...tableOf(5003)) }), 'a.parquet');
    const { kept, readings } = await expectSame({ source: file, memory: 40_000 }, table);
    expect(kept.train).toMatchObject({ classNames: ['no', 'yes'], classes: 2 });
    expect(readings).toEqual([
      'rows read for their labels',
      'rows read',
      'rows put into train',
      'rows looked through',
      'rows put into test',
    ]);
    const folder = folderOf({
      'train.parquet': parquetInGroups(700, ...tableOf(3001)),
      'test.parquet': parquetInGroups(100, ...tableOf(401)),
    });
    await expectSame({ source: folder, memory: 30_000, transform: [{ noise: { std: 0.1 } }] }, { ...table, missing: true });
  });

  it('of numbers whose labels are whole in one group and not in another, and of several labels', async () => {
    const numbers = (count: number) => Array.from({ length: count }, () => r.normal());
    const columns = [
      { name: 'x', data: numbers(4000), type: 'FLOAT' },
      { name: 'z', data: numbers(4000), type: 'FLOAT' },
      { name: 'y', data: Array.from({ length: 4000 }, (_, i) => (i < 3500 ? i : i / 3)), type: 'DOUBLE' },
    ];
    const file = join(folderOf({ 'a.parquet': parquetInGroups(250, ...columns) }), 'a.parquet');
    await expectSame({ source: file, memory: 20_000, label: 'y' }, { head: { kind: 'regress', size: 1 } });
    await expectSame({ source: file, memory: 15_900, label: ['z', 'y'] }, { head: { kind: 'regress', size: 2 } });
  });

  it('names the row of the file in errors', async () => {
    const columns = tableOf(3000).map((column) =>
      column.name === 'a' ? { ...column, data: column.data.map((v, i) => (i === 2500 ? null : (v ?? 0))) } : column,
    );
    const file = join(folderOf({ 'a.parquet': parquetInGroups(700, ...columns) }), 'a.parquet');
    const cache = join(root, 'named');
    const reading = loadRows({ source: file, memory: 30_000 }, { baseDir: root, ...table, missing: false, cache });
    await expect(reading).rejects.toThrow(`${file}: row 2501, column 2 ("a"): holds null, expected a number`);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('is refused where a group is larger than the memory, and where it is damaged', async () => {
    const file = join(folderOf({ 'a.parquet': parquet(...tableOf(9000)) }), 'a.parquet');
    const refused = (memory: number) =>
      expect(loadRows({ source: file, memory }, { baseDir: root, ...table, cache: join(root, 'large') })).rejects;
    await refused(50_000).toThrow(
      /a\.parquet: a group of 8000 rows takes \d+ MB unpacked, over the 0 MB of "memory", and is read at once; expected smaller groups, as row_group_size of pyarrow writes them, or a greater "memory"$/,
    );
    const bytes = parquetInGroups(700, ...tableOf(5003));
    bytes.fill(255, 100, 300);
    writeFileSync(file, bytes);
    await refused(40_000).toThrow(/a\.parquet: (is damaged, |column "\w+" is damaged, )/);
    expect(readdirSync(join(root, 'large'))).toEqual([]);
  });
});

/** Texts of some words with labels. */
const notesOf = (count: number) =>
  Array.from({ length: count }, () => {
    const text = Array.from({ length: 1 + r.below(9) }, () => words[r.below(words.length)]).join(' ');
    return { text, label: text.includes('sea') ? 'sailing' : 'cooking' };
  });
const csvOf = (notes: ReturnType<typeof notesOf>) =>
  `text,label\n${notes.map(({ text, label }) => `"${text}",${label}\n`).join('')}`;

describe('texts', () => {
  it('of CSV files: ids as int64, of classes in both parts', async () => {
    const file = join(folderOf({ 'a.csv': csvOf(notesOf(3000)) }), 'a.csv');
    const { kept } = await expectSame({ source: file, memory: 2 ** 17 }, { inputs: textsOf(12), head: classify });
    expect([kept.train.inputs.dtype, kept.train.inputs.dims]).toEqual(['int64', [2400, 12]]);
    const folder = folderOf({ 'train.csv': csvOf(notesOf(2000)), 'test.csv': csvOf(notesOf(300)) });
    const { readings } = await expectSame(
      { source: folder, memory: 2 ** 17, transform: [{ subset: { count: 999 } }] },
      { inputs: textsOf(12), head: classify },
    );
    expect(readings.slice(0, 2)).toEqual(['bytes read for their labels', 'bytes read']);
  });

  it('that are many for one block of ids', async () => {
    const file = join(folderOf({ 'a.csv': csvOf(notesOf(3000)) }), 'a.csv');
    await expectSame({ source: file, memory: 2 ** 20 }, { inputs: textsOf(700), head: classify });
  });

  it('of Parquet files', async () => {
    const notes = notesOf(3000);
    const columns = (['text', 'label'] as const).map((name) => ({
      name,
      data: notes.map((note) => note[name]),
      type: 'STRING',
    }));
    const file = join(folderOf({ 'a.parquet': parquetInGroups(500, ...columns) }), 'a.parquet');
    await expectSame({ source: file, memory: 2 ** 17 }, { inputs: textsOf(12), head: classify });
  });

  it('train to the bits of the same order in memory', async () => {
    const file = join(folderOf({ 'a.csv': csvOf(notesOf(3000)) }), 'a.csv');
    const memory = 2 ** 17;
    const { kept, whole } = await expectSame({ source: file, memory }, { inputs: textsOf(12), head: classify });
    const description = parseDescription({
      prognet: 1,
      name: 'notes',
      input: { name: 'text', tokenizer: tokenizerText(words), length: 12 },
      columns: [{ task: 'a', blocks: [[{ embedding: { size: 6, pool: 'mean' } }, { dense: 4 }, 'relu']], head: { classify: 2 } }],
    });
    const column = columnAt(description, 0);
    const settings = trainSettings({ epochs: 2, batch: 16 }, 6);
    const trained = (data: Parameters<typeof fitData>[1]) =>
      train({ runtime, column, frozen: new Map(), settings, train: fitData(column, data, 'data'), session: { threads: 1 } });
    const found = await trained(kept.train);
    const expected = await trained({ ...whole.train, inputs: shuffledAs(whole.train.inputs, memory) });
    expect(found.history).toEqual(expected.history);
    for (const [name, weights] of expected.weights) expectRows(must(found.weights.get(name), name), weights);
  });
});

/** An Arrow stream with its record batches so many times. */
function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = 8 + view.getInt32(4, true);
  const ended = view.getUint32(bytes.length - 4, true) === 0 && view.getUint32(bytes.length - 8, true) === 0xffffffff;
  const end = ended ? bytes.length - 8 : bytes.length;
  return Buffer.concat([bytes.subarray(0, begin), ...Array(times).fill(bytes.subarray(begin, end)), bytes.subarray(end)]);
}

describe('datasets of Hugging Face', () => {
  const imageInputs = [{ name: 'image', dtype: 'uint8' as const, shape: [40, 30, 3] }];
  const resize = { height: 40, width: 30 };

  it.each(['images', 'images-hub'])('%s, in their order', async (name) => {
    const source = join(saved, name);
    const context = { inputs: [{ ...must(imageInputs[0], 'input'), shape: [40, 30, 3] }], head: classify };
    for (const given of [context, {}]) {
      const { kept, readings } = await expectSame({ source, memory: 9000, resize }, given);
      expect(kept.train).toMatchObject({ classNames: ['dog', 'cat'], classes: 2, decoding: { height: 40 } });
      expect(readings[0]).toBe('images read');
    }
  });

  it.each(['texts', 'texts-hub'])('%s', async (name) => {
    const { kept } = await expectSame({ source: join(saved, name), memory: 9000 }, { inputs: textsOf(400), head: classify });
    expect(kept.train.classNames).toEqual(['sailing', 'cooking']);
  });

  it('tables of several files, and of Arrow with many record batches', async () => {
    const shard = (count: number) => parquetInGroups(600, ...tableOf(count));
    const folder = folderOf({
      'train-00000-of-00002.parquet': shard(2000),
      'train-00001-of-00002.parquet': shard(1501),
      'test-00000-of-00001.parquet': shard(700),
    });
    await expectSame({ source: folder, memory: 30_000, label: 'kind' }, table);
    const texts = join(root, 'batches');
    cpSync(join(saved, 'texts'), texts, { recursive: true });
    const file = join(
      texts,
      'train',
      must(
        readdirSync(join(texts, 'train')).find((name) => name.endsWith('.arrow')),
        'file',
      ),
    );
    writeFileSync(file, repeated(readFileSync(file), 100));
    const { kept } = await expectSame({ source: texts, memory: 20_000 }, { inputs: textsOf(20), head: classify });
    expect(kept.train.inputs.dims).toEqual([202, 20]);
  });

  it('are refused where a group is larger than the memory', async () => {
    const source = join(saved, 'images-hub');
    await expect(
      loadRows({ source, memory: 300, resize }, { baseDir: root, cache: join(root, 'large'), inputs: imageInputs }),
    ).rejects.toThrow(/train-00000-of-00001\.parquet: a group of 5 rows takes .* over the 0 MB of "memory"/);
  });
});

describe('a reading that is stopped', () => {
  const sources = {
    csv: () => join(folderOf({ 'a.csv': csvOf(notesOf(3000)) }), 'a.csv'),
    parquet: () => join(folderOf({ 'a.parquet': parquetInGroups(700, ...tableOf(5003)) }), 'a.parquet'),
    npy: () => {
      const x = new Tensor('uint8', [3000, 100], new Uint8Array(300_000));
      return folderOf({ 'x.npy': writeNpy(x), 'y.npy': writeNpy(new Tensor('int64', [3000], new BigInt64Array(3000))) });
    },
    hub: () => join(saved, 'images'),
  };
  const contexts: Readonly<Record<string, Partial<SourceContext>>> = {
    csv: { inputs: textsOf(12), head: classify },
    parquet: table,
    hub: { inputs: [{ name: 'image', dtype: 'uint8', shape: [40, 30, 3] }] },
  };

  it.each(Object.entries(sources))('%s: at each of its places, leaves nothing and begins anew', async (name, make) => {
    const source = make();
    const cache = join(root, `stopped-${name}`);
    const spec = {
      source,
      memory: 9000 + (name === 'parquet' ? 30_000 : 0),
      transform: name === 'npy' ? ['invert' as const] : [],
    };
    const whats = new Set<string>();
    const read = (stop?: string) => {
      const aborting = new AbortController();
      return loadRows(name === 'hub' ? { ...spec, resize: { height: 40, width: 30 } } : spec, {
        baseDir: root,
        path: 'data',
        cache,
        ...contexts[name],
        signal: aborting.signal,
        onReading: ({ what }) => {
          whats.add(what);
          if (what === stop) aborting.abort();
        },
      });
    };
    await read();
    rmSync(cache, { recursive: true });
    expect(whats.size).toBeGreaterThan(1);
    for (const what of [...whats]) {
      const stopped = read(what);
      await expect(stopped).rejects.toBeInstanceOf(InterruptedError);
      await expect(stopped).rejects.toThrow(`${source}: interrupted while it was read, nothing of it is kept`);
      expect(readdirSync(cache)).toEqual([]);
    }
    const { train: part } = await read();
    expect(inMemory(part.inputs)).toBe(false);
    expect(readdirSync(cache)).toHaveLength(1);
    // What is there stays where looking through it is stopped.
    await expect(read('rows looked through')).rejects.toBeInstanceOf(InterruptedError);
    expect(readdirSync(cache)).toHaveLength(1);
  });
});
