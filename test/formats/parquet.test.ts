// Parquet as tables: files of pandas (parquet/make.py) and of hyparquet-writer, what is refused with its line, and files that claim what they have not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CsvOptions } from '../../src/formats/csv.js';
import { readParquet } from '../../src/formats/parquet.js';
import { DataError } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { parquet } from '../support/parquet.js';
import { expectDataRejection } from './expect-data-error.js';

const file = (name: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, 'parquet', `${name}.parquet`)));
const read = (name: string, options: CsvOptions) => readParquet(file(name), options, `${name}.parquet`);

describe('files of pandas', () => {
  test.each(['snappy', 'gzip', 'zstd', 'none'])('numbers, bools, texts and nulls, %s', async (codec) => {
    const name = `people-${codec}`;
    const table = await read(name, { drop: ['city'], texts: true, missing: true });
    expect(table.columns).toEqual(['age', 'member', 'visits', 'height']);
    expect(table.features.dims).toEqual([4, 4]);
    expect([...table.features.numbers()]).toEqual([31, 1, 1, 1.5, Number.NaN, 0, 2, 1.75, 47, 1, 3, 1.25, 25, 1, 2 ** 40, 2]);
    expect([table.labels, table.labelTexts]).toEqual([undefined, { ids: [0, 1, 0, 1], texts: ['no', 'yes'] }]);
    expect(table.notes).toEqual([`${name}.parquet: column 6 ("kind") as the label; "label" in the data entry decides it`]);
    expect(table.rowOf(0)).toBe(1);
  });

  test('features by name, categories among them; a label of numbers', async () => {
    const features = [{ name: 'height' }, { name: 'city', categories: ['Bern', 'Zürich'] }];
    const table = await read('people-none', { features, label: 'visits', unknown: true });
    expect([...table.features.numbers()]).toEqual([1.5, 0, 1.75, 1, 1.25, 0, 2, -1]);
    expect(table.labels?.dtype).toBe('int64');
    expect(table.labels?.numbers()).toEqual([1, 2, 3, 2 ** 40]);
    expect(table.unknown).toEqual(new Map([['column 4 ("city")', { row: 4, text: 'null', count: 1 }]]));
    const unlabelled = await read('people-none', { columns: ['height'], unlabelled: true });
    expect([unlabelled.labels, unlabelled.features.dims]).toEqual([undefined, [4, 1]]);
  });

  test("pandas' index is no feature, which is said", async () => {
    const table = await read('indexed', { texts: true, missing: true });
    expect(table.columns).toEqual(['age', 'member', 'visits', 'height']);
    expect(table.notes.at(-1)).toBe('indexed.parquet: not read, an index of pandas: "__index_level_0__"');
  });

  test('what is no number is refused with its row and column', async () => {
    const refused = async (name: string, options: CsvOptions, said: string) =>
      await expectDataRejection(read(name, options), `${name}.parquet: ${said}`);
    const fill = ', or a step of "prepare" that fills it, such as { fill: median }';
    await refused(
      'people-none',
      { texts: true, drop: ['city'] },
      `row 2, column 1 ("age"): holds null, expected a number${fill}`,
    );
    await refused(
      'people-none',
      { texts: true, missing: true },
      'row 1, column 4 ("city"): holds "Bern", expected a number; a column of texts is a category among the "features" of the input',
    );
    await refused(
      'people-none',
      { label: 'kind', columns: ['height'] },
      'row 1, column 6 ("kind"): holds "no", expected a number; a column of texts is a category among the "features" of the input',
    );
    await refused(
      'people-none',
      { label: 'age', columns: ['height'] },
      `row 2, column 1 ("age"): holds null, expected a number${fill}`,
    );
    const features = [{ name: 'city', categories: ['Bern'] }];
    await refused(
      'people-none',
      { features, label: 'kind', texts: true },
      'row 2, column 4 ("city"): holds "Zürich", expected one of ["Bern"]',
    );
    await refused(
      'people-none',
      { label: 'none' },
      'no column is named "none", expected one of "age", "member", "visits", "city", "height", "kind"',
    );
    await refused('dates', {}, 'row 1, column 1 ("when"): holds a date, expected a number');
    await refused('lists', {}, 'column "list" holds lists or records, expected columns of single values');
  });
});

test('files of another writer, of many rows', async () => {
  const random = new Random(1, 'parquet');
  const x = Array.from({ length: 30_000 }, () => Math.fround(random.normal()));
  const y = x.map((v) => (v > 0 ? 1 : 0));
  const bytes = parquet({ name: 'x', data: x, type: 'DOUBLE' }, { name: 'y', data: y, type: 'INT32' });
  const table = await readParquet(bytes, { texts: true });
  expect([...table.features.numbers()]).toEqual(x);
  expect(table.labels?.numbers()).toEqual(y);
});

describe('damaged files are refused in one line', () => {
  const bytes = file('people-snappy');
  const refused = async (broken: Uint8Array, said: string | RegExp, maxBytes?: number) => {
    const reading = readParquet(broken, { texts: true, drop: ['city'], missing: true }, 'a', maxBytes);
    await expect(reading).rejects.toThrow(said);
    await expect(reading).rejects.toBeInstanceOf(DataError);
  };

  test('no Parquet, cut off, no rows, beyond the limit', async () => {
    await refused(new Uint8Array(), 'a: is no whole Parquet file, ');
    await refused(new TextEncoder().encode('a,b\n1,2\n'), 'a: is no whole Parquet file, ');
    await refused(bytes.subarray(0, 2000), 'a: is no whole Parquet file, ');
    await refused(bytes, 'a: is damaged, it claims 4 rows, more than 2', 16);
    await refused(bytes, 'a: is damaged, it claims more than 100 bytes unpacked', 100);
    await refused(
      parquet({ name: 'x', data: [], type: 'DOUBLE' }, { name: 'y', data: [], type: 'DOUBLE' }),
      'a: has no rows of data',
    );
  });

  test('every byte of it changed: read or refused, nothing else', async () => {
    let refusals = 0;
    for (let i = 0; i < bytes.length; i += 3) {
      const broken = Uint8Array.from(bytes);
      broken[i] = (broken[i] ?? 0) ^ 0xff;
      try {
        await readParquet(broken, { texts: true, drop: ['city'], missing: true }, 'a', 1 << 24);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        expect(String(error)).not.toContain('\n');
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(200);
  });
});
