// The comparisons of docs/transfer.md: the page is what the kept results say, and the shortest of them runs, on a small sample.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import * as z from 'zod';

const folder = mkdtempSync(join(tmpdir(), 'prognet-transfer-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = (name: string, ...args: string[]) => {
  const path = new URL(`../scripts/transfer/${name}`, import.meta.url).pathname;
  const { status, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  return { status, stderr };
};

it('tables and pictures are what the results say', () => {
  expect(script('page.mjs', '--check')).toEqual({ status: 0, stderr: '' });
});

it('an LSTM column learns to read rows, and a convolutional one reads it, and the other way round', () => {
  const to = join(folder, 'rows.json');
  const sample = ['--epochs', '3', '--rows', '2000', '--batch', '32', '--test', '500'];
  expect(script('rows.mjs', ...sample, '--to', to)).toMatchObject({ status: 0 });
  const column = z.object({ task: z.string(), reading: z.string().optional(), accuracy: z.number() });
  const { columns } = z.object({ columns: z.array(column) }).parse(JSON.parse(readFileSync(to, 'utf8')));
  expect(columns.map(({ task, reading }) => [task, reading])).toEqual([
    ['lstm', undefined],
    ['conv', 'lstm'],
    ['conv', undefined],
    ['lstm', 'conv'],
  ]);
  const least = { lstm: 0.6, conv: 0.85 };
  expect(columns.filter(({ task, accuracy }) => accuracy < (task === 'lstm' ? least.lstm : least.conv))).toEqual([]);
}, 240_000);
