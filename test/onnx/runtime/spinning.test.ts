// How long waiting threads spin: long where every thread has a core, short beside others, as the user says where he says it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';
import { expect, it } from 'vitest';
import { othersRunning, spinConfig, spinDuration } from '../../../src/onnx/runtime/spinning.js';

it('spins long only where each thread has a core for itself', () => {
  expect(spinDuration(2, 0, 2)).toBe(200);
  expect(spinDuration(2, 1, 2)).toBe(20);
  expect(spinDuration(2, 1, 4)).toBe(200);
  expect(spinDuration(4, 0, 2)).toBe(20);
  expect(spinDuration(2, undefined, 8)).toBe(20);
});

it('does as the user says', async () => {
  expect(await spinConfig({ spinning: true }, 2)).toEqual({ 'session.intra_op.allow_spinning': '1' });
  expect(await spinConfig({ spinning: false }, 2)).toEqual({ 'session.intra_op.allow_spinning': '0' });
  expect(await spinConfig({}, 1 << 20)).toEqual({
    'session.intra_op.allow_spinning': '1',
    'session.intra_op.spin_duration_us': '20',
  });
});

it('does not look where no thread waits', async () => {
  expect(await spinConfig({}, 1)).toEqual({});
});

// Elsewhere the system does not say how many threads run, and the spin is short.
it.runIf(platform() === 'linux')('sees a busy process', async () => {
  const busy = spawn(process.execPath, ['-e', 'console.log(1); for (;;);'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(busy.stdout, 'data');
  const seen = othersRunning();
  busy.kill();
  expect(seen).toBeGreaterThanOrEqual(1);
});
