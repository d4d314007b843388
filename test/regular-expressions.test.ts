// No regular expression of src takes time beyond the length of its input; the same check finds one that does.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repo = new URL('..', import.meta.url).pathname;

it('every regular expression is linear', () => {
  const script = join(repo, 'scripts/reliability/regular-expressions.mjs');
  const { stdout, stderr, status } = spawnSync('node', [script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\d{2,} regular expressions, 0 not linear\n$/);
  expect(status).toBe(0);
}, 240_000);

it('one over digits that is quadratic is found', () => {
  const ask = "import('recheck').then(async ({ check }) => console.log((await check(process.argv[1], '')).status))";
  const of = (pattern: string) => spawnSync('node', ['-e', ask, pattern], { cwd: repo, encoding: 'utf8' }).stdout.trim();
  expect(of('^[+-]?(\\d+\\.?\\d*|\\.\\d+)$')).toBe('vulnerable');
  expect(of('^[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)$')).toBe('safe');
}, 60_000);
