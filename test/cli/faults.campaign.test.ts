// A sample of scripts/reliability/sweep.mjs: commands killed, and their disk full, at some of their writing calls. The whole is run by hand.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repo } from './support.js';

it('commands are all or nothing at their calls to the file system', () => {
  const script = join(repo, 'scripts/reliability/sweep.mjs');
  const args = ['--commands', 'init,export-external,deploy', '--every', '6'];
  const { status, stdout, stderr } = spawnSync('node', [script, ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout.match(/^\| (init|export-external|deploy) \| \d+ \| (kill|full) /gm)).toHaveLength(6);
}, 240_000);
