// Data that are written to disk first: Ctrl-C ends it at once with the code of what is interrupted, and leaves nothing half-written; a long one says how far it
// is; begun anew it trains.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { prognet, start, until } from './support.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-cli-stored-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('train, eval and verify end at Ctrl-C in the middle of a reading, and leave nothing', async () => {
  const line = (i: number) => `${Array.from({ length: 40 }, (_, k) => ((i * 7 + k * 13) % 1000) / 8).join()},${i % 2}\n`;
  const lines = Array.from({ length: 5000 }, (_, i) => line(i)).join('');
  writeFileSync(join(dir, 'a.csv'), lines.repeat(40));
  const described = (memory: string) =>
    writeFileSync(
      join(dir, 'prognet.yaml'),
      `prognet: 1
name: stored
input: { name: x, shape: [40] }
columns:
  - { task: a, data: { source: a.csv, header: false, memory: ${memory} }, blocks: [[{ dense: 2 }, relu]], head: { classify: 2 }, train: { epochs: 1, batch: 4096 } }
`,
    );
  const caches = () => readdirSync(join(dir, 'cache')).filter((name) => name.includes('data'));
  const interrupted = async (...args: string[]) => {
    const reading = start(...args, '-C', dir);
    await until(reading, /a bytes read( for their labels)?: \d+\/\d+/);
    reading.child.kill('SIGINT');
    const { code, stderr } = await reading.ended;
    expect(stderr).toMatch(/a\.csv: interrupted while it was read, nothing of it is kept$/m);
    expect(code).toBe(130);
    expect(caches()).toEqual([]);
  };
  described('2MB');
  await interrupted('train', 'a');
  const { status, stderr } = prognet('train', 'a', '--freeze', '-C', dir);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/a rows? .*: \d+\/\d+|a bytes read: \d+\/\d+/)]);
  expect(caches()).toHaveLength(1);
  rmSync(join(dir, 'cache'), { recursive: true });
  await interrupted('eval', 'a');
  await interrupted('verify');
}, 180_000);
