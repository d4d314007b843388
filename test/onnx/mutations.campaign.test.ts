// A sample of scripts/reliability/mutations.mjs: damaged models through everything that reads one. Each passes or is refused in one line, soon and in
// little memory; the script says how to try one again.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repo = new URL('../..', import.meta.url).pathname;

it('2000 damaged models', { timeout: 240_000 }, () => {
  const script = join(repo, 'scripts/reliability/mutations.mjs');
  const { stdout, stderr } = spawnSync('node', [script, '--count', '2000', '--seed', '7', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(stderr).toBe('');
  const { tried, failures, stages } = JSON.parse(stdout);
  expect(failures).toEqual([]);
  expect(tried).toBe(2000);
  // damage that nothing survives, or that nothing notices, would show nothing
  for (const stage of ['decode', 'verify', 'infer', 'upgrade', 'optimise', 'vjp', 'jvp', 'fp16']) {
    const { passed, ...refused } = stages[stage];
    expect({ stage, passed }).toEqual({ stage, passed: expect.any(Number) });
    expect(passed).toBeGreaterThan(300);
    expect(Object.keys(refused).length).toBeGreaterThan(0);
  }
  for (const stage of ['import', 'int8', 'int8-dynamic']) expect(stages[stage].passed).toBeGreaterThan(5);
});
