import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../src/formats/safetensors.js';
import { DataError, InternalError, WorkspaceError } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { sha256Tensors } from '../../src/onnx/files/hash.js';
import { ownIdentity } from '../../src/onnx/files/process-identity.js';
import { readNewestCheckpoint, writeCheckpoint } from '../../src/workspace/checkpoint.js';
import { clearRun, openRun, readRunMetrics } from '../../src/workspace/run-store.js';
import { sampleTensors } from './sample.js';
import { messageOf, temporaryFolder } from './support.js';

const settings = { lr: 0.1, batch: 32 };

function at(step: number) {
  return { step, tensors: sampleTensors('digits', step), state: { step, best: -0, list: [1, null] } };
}

/** A run with metrics for steps 1 to 10, checkpoints at 4 and 8, interrupted. */
function interrupted(): { readonly root: string; readonly folder: string } {
  const root = temporaryFolder();
  const run = openRun(root, 'digits');
  run.start(settings);
  for (let step = 1; step <= 10; step++) {
    run.appendMetrics({ step, loss: 1 / step });
    if (step % 4 === 0) run.saveCheckpoint(at(step));
  }
  run.close();
  return { root, folder: run.folder };
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const i = offset < 0 ? bytes.length + offset : offset;
  bytes[i] = (bytes[i] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe('a run', () => {
  it('goes on from the newest checkpoint, its metrics cut back to it', () => {
    const { root, folder } = interrupted();
    expect(readRunMetrics(root, 'digits')).toHaveLength(10);
    const run = openRun(root, 'digits');
    expect(run.started).toBe(true);
    const { checkpoint, notes } = run.resume({ batch: 32, lr: 0.1 });
    expect(notes).toEqual([]);
    expect(checkpoint?.step).toBe(8);
    expect(checkpoint?.state).toEqual({ step: 8, best: -0, list: [1, null] });
    expect(sha256Tensors(checkpoint?.tensors ?? new Map())).toBe(sha256Tensors(sampleTensors('digits', 8)));
    expect(run.readMetrics().map((r) => r.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    run.appendMetrics({ step: 9, loss: 0 });
    expect(run.readMetrics().at(-1)).toEqual({ step: 9, loss: 0 });
    run.saveCheckpoint(at(9));
    expect(readdirSync(folder).sort()).toEqual([
      'checkpoint-2.safetensors',
      'checkpoint-3.safetensors',
      'lock',
      'metrics.jsonl',
      'run.json',
    ]);
    run.close();
    run.close();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    expect(() => run.appendMetrics({ step: 1 })).toThrow(new InternalError('run "digits" is used after close()'));
    expect(() => run.resume(settings)).toThrow(InternalError);
  });

  it('begins anew with start', () => {
    const { root, folder } = interrupted();
    const run = openRun(root, 'digits');
    run.start({ lr: 1 });
    expect(readdirSync(folder).sort()).toEqual(['lock', 'run.json']);
    expect(run.resume({ lr: 1 })).toEqual({ checkpoint: undefined, notes: [] });
    run.close();
  });

  it('interrupted before its first checkpoint begins at the beginning', () => {
    const root = temporaryFolder();
    const run = openRun(root, 'digits');
    expect(run.started).toBe(false);
    expect(messageOf(() => run.resume(settings))).toBe('runs/digits: no run of "digits" to resume, train without resuming');
    run.start(settings);
    run.appendMetrics({ step: 1, loss: 1 });
    expect(run.resume(settings)).toEqual({ checkpoint: undefined, notes: [] });
    expect(run.readMetrics()).toEqual([]);
    run.close();
  });

  it('is resumed with its own settings only', () => {
    const { root, folder } = interrupted();
    const run = openRun(root, 'digits');
    const resume = (s: { readonly [key: string]: number }) => messageOf(() => run.resume(s));
    expect(resume({ lr: 0.2, batch: 32 })).toBe(
      'runs/digits/run.json: the run began with other settings, lr: was 0.1, is 0.2; resume with the old ones or train anew',
    );
    expect(resume({ lr: 0.1 })).toBe(
      'runs/digits/run.json: the run began with other settings, batch: was 32, is nothing; resume with the old ones or train anew',
    );
    const changed = 'runs/digits/run.json: is no settings file of this run as prognet wrote it, train anew without resuming';
    const text = readFileSync(join(folder, 'run.json'), 'utf8');
    for (const content of [text.replace('0.1', '0.2'), '[]', '{}', text.replace('"digits"', '"letters"')]) {
      writeFileSync(join(folder, 'run.json'), content);
      expect(messageOf(() => run.resume({ lr: 0.2, batch: 32 }))).toBe(changed);
    }
    writeFileSync(join(folder, 'run.json'), '{');
    expect(messageOf(() => run.resume(settings))).toMatch(/^runs\/digits\/run\.json: not valid JSON, /);
    expect(run.readMetrics()).toHaveLength(10);
    run.close();
  });

  it('that diverged goes on from before that step, with other settings of those that may differ', () => {
    const besideRate = () => ({ batch: 32 });
    const noted = (step: number) => {
      const found = interrupted();
      const run = openRun(found.root, 'digits');
      run.noteDiverged(settings, { step, found: 'the loss is NaN at step 9', rate: 0.01 });
      run.close();
      return { ...found, run: openRun(found.root, 'digits') };
    };
    // The weights of step 8 gave the NaN: its checkpoint is of no use.
    const { run, folder } = noted(8);
    expect(messageOf(() => run.resume(settings, besideRate))).toBe(
      'runs/digits: the training diverged, the loss is NaN at step 9, and would again; go on from the last good state with { resume: true, overrides: { lr: 0.01 } } or drop it with { restart: true }',
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('checkpoint'))).toHaveLength(2);
    const slower = { lr: 0.01, batch: 32 };
    expect(run.resume(slower, besideRate).checkpoint?.step).toBe(4);
    expect(run.readMetrics().map((r) => r.step)).toEqual([1, 2, 3, 4]);
    expect(readdirSync(folder).filter((name) => name.startsWith('checkpoint'))).toHaveLength(1);
    // From then on it is a run like any other, begun with those.
    expect(run.resume(slower, besideRate).checkpoint?.step).toBe(4);
    expect(messageOf(() => run.resume(settings, besideRate))).toContain('lr: was 0.01, is 0.1');
    expect(noted(9).run.resume(slower, besideRate).checkpoint?.step).toBe(8);
    expect(noted(1).run.resume(slower, besideRate).checkpoint).toBeUndefined();
    const other = noted(9).run;
    const kept = (all: unknown) => ({ batch: (all as { batch: number }).batch });
    expect(messageOf(() => other.resume({ lr: 0.01, batch: 16 }, kept))).toContain('batch: was 32, is 16');
  });

  it('is removed by clear', () => {
    const { root } = interrupted();
    clearRun(root, 'digits');
    clearRun(root, 'digits');
    expect(readdirSync(join(root, 'runs'))).toEqual([]);
    const run = openRun(root, 'digits');
    expect(run.started).toBe(false);
    run.clear();
    expect(readdirSync(join(root, 'runs'))).toEqual([]);
    expect(messageOf(() => openRun(root, '../x'))).toMatch(/^task "\.\.\/x" is no valid name/);
    expect(messageOf(() => clearRun(root, '..'))).toMatch(/^task "\.\." is no valid name/);
  });

  it('says why it cannot be opened', () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'runs'), '');
    expect(messageOf(() => openRun(root, 'digits'))).toBe(
      `cannot write ${root}/runs/digits: a part of the path is a file, expected a folder`,
    );
    if (process.platform !== 'linux') return;
    expect(messageOf(() => openRun('/proc/nowhere', 'digits'))).toBe(
      'cannot write /proc/nowhere/runs/digits: the folder /proc/nowhere/runs does not exist',
    );
  });
});

describe('checkpoints', () => {
  it.each([
    ['its length', 0],
    ['its header', 30],
    ['its data', -1],
  ])('damaged in %s, the newest gives way to the one before, and says so', (_, offset) => {
    const { root, folder } = interrupted();
    flip(join(folder, 'checkpoint-2.safetensors'), offset);
    const run = openRun(root, 'digits');
    const { checkpoint, notes } = run.resume(settings);
    expect(checkpoint?.step).toBe(4);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^runs\/digits\/checkpoint-2\.safetensors: .*; going on from step 4 of runs\/digits\/checkpoint-1\.safetensors$/,
    );
    if (offset === -1) expect(notes[0]).toContain('changed since it was written, its content does not fit its sha256');
    expect(run.readMetrics().map((r) => r.step)).toEqual([1, 2, 3, 4]);
    // The next one replaces the damaged, never the good.
    run.saveCheckpoint(at(5));
    expect(
      readdirSync(folder)
        .filter((n) => n.startsWith('checkpoint'))
        .sort(),
    ).toEqual(['checkpoint-1.safetensors', 'checkpoint-3.safetensors']);
    run.close();
  });

  it('cut to nothing or replaced by a folder, the newest gives way too', () => {
    const { root, folder } = interrupted();
    writeFileSync(join(folder, 'checkpoint-2.safetensors'), '');
    mkdirSync(join(folder, 'checkpoint-3.safetensors'));
    const run = openRun(root, 'digits');
    expect(run.resume(settings).notes).toEqual([
      `cannot read ${folder}/checkpoint-3.safetensors: it is a folder, expected a file; going on from step 4 of runs/digits/checkpoint-1.safetensors`,
      'runs/digits/checkpoint-2.safetensors: only 0 bytes, a header takes at least 8; going on from step 4 of runs/digits/checkpoint-1.safetensors',
    ]);
    run.close();
  });

  it('all damaged are an error', () => {
    const { root, folder } = interrupted();
    for (const n of [1, 2]) writeFileSync(join(folder, `checkpoint-${n}.safetensors`), '');
    const run = openRun(root, 'digits');
    expect(messageOf(() => run.resume(settings))).toBe(
      'runs/digits: no checkpoint can be read (runs/digits/checkpoint-2.safetensors: only 0 bytes, a header takes at least 8; runs/digits/checkpoint-1.safetensors: only 0 bytes, a header takes at least 8), train anew without resuming',
    );
    expect(run.readMetrics()).toHaveLength(10);
    run.close();
  });

  it('of others are none', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'checkpoint-1.safetensors'), encodeSafetensors(new Map([['w', Tensor.from('float32', [1])]])));
    expect(messageOf(() => readNewestCheckpoint(folder, 'runs/x'))).toContain(
      'runs/x/checkpoint-1.safetensors: is no checkpoint of prognet, its metadata lack format, step, state or sha256',
    );
  });

  it('refuse a state that would not come back and a step that is none', () => {
    const run = openRun(temporaryFolder(), 'digits');
    run.start(settings);
    expect(() => run.saveCheckpoint({ ...at(1), state: { best: Number.POSITIVE_INFINITY } })).toThrow(
      new InternalError('best is Infinity, which JSON cannot hold'),
    );
    expect(() => run.saveCheckpoint(at(1.5))).toThrow(new InternalError('checkpoint of "digits" at step 1.5'));
    run.close();
  });

  it('with any byte changed never load as something else', () => {
    const folder = temporaryFolder();
    writeCheckpoint(folder, at(3));
    const path = join(folder, 'checkpoint-1.safetensors');
    const good = readFileSync(path);
    const read = readNewestCheckpoint(folder)?.checkpoint;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (i, value) => {
        const bytes = Buffer.from(good);
        bytes[i] = value;
        writeFileSync(path, bytes);
        try {
          expect(readNewestCheckpoint(folder)?.checkpoint).toEqual(read);
        } catch (error) {
          if (!(error instanceof WorkspaceError || error instanceof DataError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('metrics', () => {
  it('keep NaN and infinities, text and truth', () => {
    const run = openRun(temporaryFolder(), 'digits');
    run.start(settings);
    const record = {
      step: 1,
      loss: Number.NaN,
      up: Number.POSITIVE_INFINITY,
      down: Number.NEGATIVE_INFINITY,
      note: 'x',
      ok: true,
      none: null,
    };
    run.appendMetrics(record);
    expect(run.readMetrics()).toEqual([record]);
    expect(readFileSync(join(run.folder, 'metrics.jsonl'), 'utf8')).toBe(
      '{"down":"-Infinity","loss":"NaN","none":null,"note":"x","ok":true,"step":1,"up":"Infinity"}\n',
    );
    expect(messageOf(() => run.appendMetrics({ step: -1 }))).toBe(
      `${run.folder}/metrics.jsonl: step is -1, expected an integer of 0 and more`,
    );
    run.close();
  });

  it('lose a half line at the end silently, and damaged lines with a note', () => {
    const { root, folder } = interrupted();
    const path = join(folder, 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[2] = '\0\0\0';
    lines[4] = '{"loss":1}';
    lines[5] = '{"step":6,"loss":[1]}';
    writeFileSync(path, lines.join('\n'));
    appendFileSync(path, '{"step":11,"lo');
    expect(readRunMetrics(root, 'digits').map((r) => r.step)).toEqual([1, 2, 4, 7, 8, 9, 10]);
    const run = openRun(root, 'digits');
    expect(run.resume(settings).notes).toEqual([
      'runs/digits/metrics.jsonl: line 3 is no metrics record, dropped',
      'runs/digits/metrics.jsonl: line 5 is no metrics record, dropped',
      'runs/digits/metrics.jsonl: line 6 is no metrics record, dropped',
    ]);
    const kept = [0, 1, 3, 6, 7].map((i) => `${lines[i]}\n`).join('');
    expect(readFileSync(path, 'utf8')).toBe(kept);
    run.close();
    expect(readRunMetrics(temporaryFolder(), 'digits')).toEqual([]);
  });
});

describe('the lock', () => {
  it('is held by one opener at a time', () => {
    const root = temporaryFolder();
    const run = openRun(root, 'digits');
    expect(messageOf(() => openRun(root, 'digits'))).toMatch(
      /^runs\/digits\/lock: this process works here since \d{4}-\d\d-\d\dT[\d:.]+Z, wait for it or stop it$/,
    );
    expect(messageOf(() => clearRun(root, 'digits'))).toMatch(/^runs\/digits\/lock: this process works here/);
    openRun(root, 'letters').close();
    run.close();
    openRun(root, 'digits').close();
  });

  it.runIf(process.platform === 'linux')(
    'of an ended process, of a former boot or without an owner is taken over (/proc tells: run on Linux)',
    () => {
      const { pid, start, boot, host, namespace } = ownIdentity();
      for (const text of [
        `${pid}-${start + 1}-${boot}-${host} host here since 2026\n`,
        `4194999-${start}-${boot}-${host} host here since 2026\n`,
        `${pid}-${start}-12345678-${host} host here since 2026\n`,
        '',
        'nonsense',
      ]) {
        const root = temporaryFolder();
        const folder = join(root, 'runs', 'digits');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'lock'), text);
        // As does the mark of a taker that was killed.
        writeFileSync(join(folder, 'lock.takeover'), `4194999-1-${boot}-${host}`);
        const run = openRun(root, 'digits');
        expect(readdirSync(folder)).toEqual(['lock']);
        expect(readFileSync(join(folder, 'lock'), 'utf8')).toContain(`${pid}-${start}-${boot}-${host}-${namespace} host `);
        run.close();
        expect(readdirSync(folder)).toEqual([]);
      }
    },
  );

  it('of another host is never taken over', () => {
    const root = temporaryFolder();
    const folder = join(root, 'runs', 'digits');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'lock'), '77-5-12345678-00000000 host server2 since 2026-01-31T12:00:00.000Z\n');
    expect(messageOf(() => openRun(root, 'digits'))).toBe(
      'runs/digits/lock: process 77 on server2 works here since 2026-01-31T12:00:00.000Z, wait for it, or delete the file if it has ended',
    );
  });

  it.skipIf(process.platform !== 'linux')(
    'of another pid namespace of this host name is never taken over (Linux has them)',
    () => {
      const { boot, host, namespace } = ownIdentity();
      expect(namespace).toBeGreaterThan(0);
      const root = temporaryFolder();
      const folder = join(root, 'runs', 'digits');
      mkdirSync(folder, { recursive: true });
      // Neither a process that is not here, nor another boot: a container of this name may run on another machine.
      for (const token of [`4194999-5-${boot}-${host}-77`, `4194999-5-12345678-${host}-77`]) {
        writeFileSync(join(folder, 'lock'), `${token} host box since 2026-01-31T12:00:00.000Z\n`);
        writeFileSync(join(folder, `.a.tmp-${token}-0`), '');
        expect(messageOf(() => openRun(root, 'digits'))).toBe(
          'runs/digits/lock: process 4194999 in another container works here since 2026-01-31T12:00:00.000Z, wait for it, or delete the file if it has ended',
        );
        expect(readdirSync(folder).sort()).toEqual([`.a.tmp-${token}-0`, 'lock']);
        rmSync(join(folder, `.a.tmp-${token}-0`));
      }
      // One of before the number was written counts as of this namespace.
      writeFileSync(join(folder, 'lock'), `4194999-5-${boot}-${host} host box since 2026\n`);
      openRun(root, 'digits').close();
      // A boot ends what ran outside of containers.
      writeFileSync(join(folder, 'lock'), `4194999-5-12345678-${host}-4026531836 host box since 2026\n`);
      if (namespace === 4026531836) openRun(root, 'digits').close();
    },
  );

  it('that somebody else took meanwhile is left alone', () => {
    const root = temporaryFolder();
    const run = openRun(root, 'digits');
    writeFileSync(join(run.folder, 'lock'), 'theirs');
    run.close();
    expect(readFileSync(join(run.folder, 'lock'), 'utf8')).toBe('theirs');
  });
});
