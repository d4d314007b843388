// What readers say where the package that decodes for them is not installed: the line names it, and how npm installs it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { loadData } from '../../src/data/sources.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { tokenizerText } from '../support/tokenizer.js';

vi.mock('../../src/onnx/files/optional-package.js', () => ({
  importPackage: async (name: string) => {
    throw new Error(`Cannot find module '${name}'`);
  },
}));

const baseDir = mkdtempSync(join(tmpdir(), 'prognet-peers-'));
afterAll(() => rmSync(baseDir, { recursive: true }));

test.each([
  ['photos/cat/1.png', 'photos', 'images are decoded by the npm package sharp, which is not installed: npm install sharp'],
  ['a.parquet', 'a.parquet', 'Parquet is read by the npm package hyparquet, which is not installed: npm install hyparquet'],
])('%s', async (file, source, said) => {
  mkdirSync(join(baseDir, file, '..'), { recursive: true });
  writeFileSync(join(baseDir, file), '');
  await expect(loadData(source, { baseDir })).rejects.toThrow(`${join(baseDir, source)}: ${said}`);
});

test('texts', async () => {
  writeFileSync(join(baseDir, 'notes.csv'), 'text,label\na,0\n');
  const input = { name: 'text', tokenizer: tokenizerText(['a']), length: 4 };
  const { inputs } = columnsOf(parseDescription({ prognet: 1, name: 'n', input, columns: [] }));
  await expect(loadData('notes.csv', { baseDir, inputs })).rejects.toThrow(
    'data: texts become tokens by the npm package @huggingface/tokenizers, which is not installed: npm install @huggingface/tokenizers',
  );
});
