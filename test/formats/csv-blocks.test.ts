// A CSV file read by blocks gives the rows of the whole, and errors that name the same row.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CsvOptions, readCsv } from '../../src/formats/csv.js';
import { csvBlocks } from '../../src/formats/csv-blocks.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-blocks-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, 'a.csv');

const texts = {
  'with a header, CRLF and blank lines': `\r\nname;x;y\r\n${Array.from({ length: 50 }, (_, i) => `"n;${i % 4}";${i}.5;${i}\r\n${i % 9 === 0 ? '\r\n' : ''}`).join('')}`,
  'without a header, without a last line end': Array.from({ length: 50 }, (_, i) => `${i * 37},${i / 4},${i % 3}`).join('\n'),
  'with a byte order mark': `\uFEFFa,b\n${Array.from({ length: 50 }, (_, i) => `${i},${i % 2}\n`).join('')}`,
};
const options: Readonly<Record<string, CsvOptions>> = {
  'with a header, CRLF and blank lines': { label: 'name', texts: true },
  'without a header, without a last line end': { header: false },
};

function fails(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('nothing was refused');
}

describe.each(Object.entries(texts))('%s', (name, text) => {
  it.each([40, 64, 100, 10_000])('in blocks of %i bytes', (size) => {
    writeFileSync(path, text);
    const whole = readCsv(new TextEncoder().encode(text), options[name], path);
    const blocks = [...csvBlocks(path, options[name] ?? {}, size)];
    const parts = blocks.map(({ table }) => table);
    const ends = blocks.map(({ done }) => done);
    expect([ends, ends.at(-1)]).toEqual([ends.toSorted((a, b) => a - b), statSync(path).size]);
    if (size < 1000) expect(parts.length).toBeGreaterThan(2);
    expect(parts.flatMap(({ features }) => features.numbers())).toEqual(whole.features.numbers());
    const labels = (table: typeof whole): unknown[] =>
      table.labels?.numbers() ?? table.labelTexts?.ids.map((id) => table.labelTexts?.texts[id]) ?? [];
    expect(parts.flatMap(labels)).toEqual(labels(whole));
    const rows = (table: typeof whole) => Array.from({ length: table.features.dims[0] ?? 0 }, (_, row) => table.rowOf(row));
    expect(parts.flatMap(rows)).toEqual(rows(whole));
    expect(parts[0]?.notes).toEqual(whole.notes);
  });
});

it('names the row of the file in errors', () => {
  const text = `a,b\n${'1,2\n'.repeat(30)}1,x\n1,2\n`;
  writeFileSync(path, text);
  const whole = fails(() => readCsv(new TextEncoder().encode(text), {}, path));
  expect(whole).toContain('row 32, column 2 ("b")');
  expect(fails(() => [...csvBlocks(path, {}, 20)]).slice(0, 60)).toBe(whole.slice(0, 60));
  writeFileSync(path, `a,b\n${'1,2\n'.repeat(30)}1,2,3\n`);
  expect(fails(() => [...csvBlocks(path, {}, 20)])).toBe(`${path}: row 32 has 3 columns, expected 2`);
});
