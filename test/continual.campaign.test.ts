// The benchmarks of docs/continual.md: the page is what the kept results say, and a sample of one runs and goes on where it was.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import * as z from 'zod';

const folder = mkdtempSync(join(tmpdir(), 'prognet-continual-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = (name: string, ...args: string[]) => {
  const path = new URL(`../scripts/continual/${name}`, import.meta.url).pathname;
  const { status, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  return { status, stderr };
};

it('tables are what the results say', () => {
  expect(script('page.mjs', '--check')).toEqual({ status: 0, stderr: '' });
});

it('a recipe runs on few rows, and a run that was broken off goes on', () => {
  const sample = (tasks: string) =>
    script('permuted.mjs', 'agem', '--seeds', '1', '--rows', '3000', '--to', folder, '--tasks', tasks);
  expect(sample('1')).toMatchObject({ status: 0, stderr: expect.stringMatching(/^seed 0, task 0: .*\n$/) });
  expect(sample('2')).toMatchObject({ status: 0, stderr: expect.stringMatching(/^seed 0, task 1: .*\n$/) });
  const run = z.object({ task: z.number(), accuracy: z.number().min(0.8) });
  const { runs } = z.object({ runs: z.array(run) }).parse(JSON.parse(readFileSync(join(folder, 'agem.json'), 'utf8')));
  expect(runs.map(({ task }) => task)).toEqual([0, 1]);
}, 240_000);
