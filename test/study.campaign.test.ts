// The study of docs/study.md: the page is what the kept result says, and the description of the seven tasks is learned, in part.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { studySchema } from '../src/analysis/study/result.js';
import { prognet } from './cli/support.js';

const repo = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'prognet-study-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('tables are what the result says, and the result is of a study', () => {
  const script = join(repo, 'scripts/study/page.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const kept = studySchema.parse(JSON.parse(readFileSync(join(repo, 'scripts/study/results/mnist-soup.json'), 'utf8')));
  expect(kept.tasks).toHaveLength(7);
});

it('on MNIST and its inverse fine-tuning forgets, a progressive network does not', () => {
  const args = ['--tasks', 'plain,inverted', '--methods', 'b3,adapter', '--seeds', '1', '--matrix', 'none', '-o', folder];
  const { status, stdout, stderr } = prognet('study', join(repo, 'models/mnist-soup.yaml'), ...args, '--json', '--quiet');
  expect(status, stderr).toBe(0);
  const [b1, b3, adapter] = studySchema.parse(JSON.parse(stdout)).methods;
  expect(b1?.tasks[0]?.learned.mean).toBeGreaterThan(0.75);
  expect(b3?.summary.backwardTransfer?.mean).toBeLessThan(-0.1);
  expect(adapter).toMatchObject({ bitIdentical: true, summary: { backwardTransfer: { mean: 0 } } });
  expect(adapter?.tasks[1]?.learned.mean).toBeGreaterThan(0.7);
}, 120_000);
