// A training killed while it writes taps to disk: the next one gives the bits of one that kept them in memory, and leaves one whole file.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support.js';

const script = fileURLToPath(new URL('stored-training.mjs', import.meta.url));

function finished(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('node', [script, ...args], { encoding: 'utf8' });
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  return { sha256: stdout.trim(), events: stderr.trim().split('\n') };
}

/** Kills the training after this many runs of the tap graph; whether it was killed in the midst of writing. */
async function killed(folder: string, runs: number): Promise<boolean> {
  const child = spawn('node', [script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  let events = '';
  child.stderr.on('data', (chunk) => {
    events += chunk;
    if (events.split('tapping\n').length > runs) child.kill('SIGKILL');
  });
  const signal = await new Promise((resolve) => child.on('close', (_, s) => resolve(s)));
  return signal === 'SIGKILL' && !events.includes('stored');
}

it('taps half written by a killed training are written anew', async () => {
  const folder = temporaryFolder();
  const inMemory = finished();
  const hits = [await killed(folder, 1), await killed(folder, 5), await killed(folder, 12)];
  expect(hits).toContain(true);
  expect(finished(folder).sha256).toBe(inMemory.sha256);
  // Found by the next, whole, beside its note; what the killed ones left is gone.
  expect(finished(folder)).toEqual({ sha256: inMemory.sha256, events: expect.arrayContaining(['found']) });
  expect(
    readdirSync(folder)
      .map((name) => name.replace(/^.*\./, '.'))
      .sort(),
  ).toEqual(['.json', '.taps']);
}, 60_000);
