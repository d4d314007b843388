// Processes killed by SIGKILL at random moments: what they leave is the old state or the new one, never something between.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/onnx/core/random.js';
import { sha256Tensors } from '../../src/onnx/files/hash.js';
import { freezeColumn, listColumns, loadColumn } from '../../src/workspace/column-store.js';
import { openRun } from '../../src/workspace/run-store.js';
import { sampleDraft, sampleTensors } from './sample.js';
import { buildChild, messageOf, startChild, temporaryFolder, wait } from './support.js';

/** Of each kind; docs/reliability.md runs more of them. */
const kills = Number(process.env.PROGNET_KILLS ?? 40);
const random = new Random(Date.now(), 'kills');
const scripts = { freeze: '', train: '', hold: '' };
const built = temporaryFolder();

beforeAll(async () => {
  scripts.freeze = await buildChild('freeze', built);
  scripts.train = await buildChild('train', built);
  scripts.hold = await buildChild('hold', built);
});

/** Before the first child came so far, there is no folder and nothing unfinished in it. */
const unfinished = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.includes('.tmp-'));

describe('killed at random moments', () => {
  it(
    `${kills} freezing processes leave whole columns or none`,
    async () => {
      const root = temporaryFolder();
      const columns = join(root, 'columns');
      let next = 0;
      let halfWritten = 0;
      // Kills fall within the time that freezing takes here, twice over: a busy machine takes longer.
      const first = startChild(scripts.freeze, [temporaryFolder(), '0']);
      await first.line(0);
      const begun = performance.now();
      await first.line(1);
      const span = 2 * (performance.now() - begun);
      await first.kill();
      for (let i = 0; i < kills; i++) {
        const child = startChild(scripts.freeze, [root, String(next)]);
        await child.line(0);
        await wait(random.uniform() * span);
        expect(await child.kill()).toBe(true);
        const said = child.lines().slice(1);
        const listed = listColumns(root);
        halfWritten += unfinished(columns).length;
        // What was said to be frozen is; at most one more was renamed before it could be said.
        for (const task of said) expect(listed).toContain(task);
        expect(listed.length - next - said.length).toBeLessThanOrEqual(1);
        for (let k = next; k < listed.length; k++) {
          const { record, tensors } = loadColumn(root, `t${k}`);
          expect(record.task).toBe(`t${k}`);
          expect(sha256Tensors(tensors)).toBe(sha256Tensors(sampleTensors(`t${k}`, k, 200_000)));
        }
        next = listed.length;
      }
      expect(halfWritten).toBeGreaterThan(0);
      freezeColumn(root, sampleDraft('last'), sampleTensors('last'));
      expect(unfinished(columns)).toEqual([]);
    },
    60_000 + 1000 * kills,
  );

  it(
    `${kills} training processes can always go on`,
    async () => {
      const root = temporaryFolder();
      let step = 0;
      for (let i = 0; i < kills; i++) {
        const child = startChild(scripts.train, [root]);
        // The child takes the lock of the killed one before it, and begins where the parent saw that it would.
        expect(await child.line(0)).toBe(`from ${step}`);
        await wait(random.uniform() * 30);
        expect(await child.kill()).toBe(true);
        const saved = child.lines().slice(1).at(-1);
        const run = openRun(root, 'digits');
        const { checkpoint, notes } = run.resume({ lr: 0.1 });
        expect(notes).toEqual([]);
        const reached = checkpoint?.step ?? 0;
        expect(reached).toBeGreaterThanOrEqual(saved === undefined ? step : Number(saved.split(' ')[1]));
        if (checkpoint !== undefined) {
          expect(checkpoint.state).toEqual({ step: reached });
          expect(sha256Tensors(checkpoint.tensors)).toBe(sha256Tensors(sampleTensors('digits', reached, 100_000)));
        }
        expect(run.readMetrics().map((r) => r.step)).toEqual(Array.from({ length: reached }, (_, k) => k + 1));
        expect(unfinished(run.folder)).toEqual([]);
        run.close();
        step = reached;
      }
      expect(step).toBeGreaterThan(0);
    },
    60_000 + 1000 * kills,
  );
});

describe('the lock among processes', () => {
  it('names the live holder, and passes on when it is killed', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'go'), '');
    const child = startChild(scripts.hold, [root]);
    expect(await child.line(1)).toBe('held');
    const message = messageOf(() => openRun(root, 'digits'));
    expect(message).toMatch(/^runs\/digits\/lock: process \d+ works here since \S+Z, wait for it or stop it$/);
    expect(message).toContain(`process ${child.pid} `);
    await child.kill();
    openRun(root, 'digits').close();
  });

  it('goes to one of several that find it stale', async () => {
    for (let round = 0; round < 4; round++) {
      const root = temporaryFolder();
      const dead = startChild(scripts.train, [root]);
      await dead.line(0);
      await dead.kill();
      const children = Array.from({ length: 6 }, () => startChild(scripts.hold, [root]));
      for (const child of children) await child.line(0);
      writeFileSync(join(root, 'go'), '');
      const results = await Promise.all(children.map((child) => child.line(1)));
      expect(results.filter((r) => r === 'held')).toHaveLength(1);
      for (const child of children) await child.kill();
    }
  });
});
