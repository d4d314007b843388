// A sample of scripts/reliability/loads.mjs: what the verifier passes of damaged models, and their gradients, ONNX Runtime loads, but for classes of refusal
// that have a reason; the script says how to try one again.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const repo = new URL('../..', import.meta.url).pathname;

it('1000 damaged models', { timeout: 240_000 }, () => {
  const script = join(repo, 'scripts/reliability/loads.mjs');
  const { stdout, stderr } = spawnSync('node', [script, '--count', '1000', '--seed', '2', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(stderr).toBe('');
  const { tried, verified, gradients, loaded, classes, failures } = JSON.parse(stdout);
  expect(failures).toEqual([]);
  expect(tried).toBe(1000);
  // damage that nothing survives, or that the runtime takes whatever it is, would show nothing
  expect(verified).toBeGreaterThan(200);
  expect(Object.keys(classes).length).toBeGreaterThan(1);
  expect(gradients).toBeGreaterThan(150);
  expect(loaded.gradients).toBe(gradients);
});
