// `train --log`: what TensorBoard itself reads from it, of trainings whole, interrupted, killed and begun anew.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { environment, python } from '../python/python.js';
import { okIn, prognet, start, until, workspace, yaml } from './support.js';

const { missing, note } = environment('.venv-tensorboard');
const runs = z.record(z.string(), z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))));
const read = (folder: string) => runs.parse(python('.venv-tensorboard', 'event_log.py', folder));
const steps = (values: readonly (readonly [number, number])[] | undefined) => values?.map(([step]) => step);
const folder = () => mkdtempSync(join(tmpdir(), 'prognet-log-'));

describe.skipIf(missing)(`TensorBoard reads${note}`, () => {
  it('every epoch by its measures, training, validation and test apart', () => {
    const [dir, logs] = [workspace(yaml('', 3)), folder()];
    const { stderr } = prognet('train', '--all', '--log', logs, '-C', dir);
    expect(stderr).toContain(`a is logged in ${join(logs, 'a')}: tensorboard --logdir ${logs}`);
    const found = read(logs);
    expect(Object.keys(found).sort()).toEqual(['a/test', 'a/training', 'b/test', 'b/training', 'b/validation']);
    expect(Object.keys(found['a/training'] ?? {}).sort()).toEqual(['accuracy', 'balanced_accuracy', 'loss', 'macro_f1', 'rate']);
    const { history, metrics } = JSON.parse(readFileSync(join(dir, 'columns/b/column.json'), 'utf8'));
    for (const [run, tag, key] of [
      ['b/training', 'loss', 'loss'],
      ['b/training', 'macro_f1', 'macro_f1'],
      ['b/validation', 'loss', 'validation_loss'],
      ['b/validation', 'macro_auc', 'validation_macro_auc'],
    ] as const)
      expect(found[run]?.[tag], `${run} ${tag}`).toEqual(
        history.map((epoch: Record<string, number>) => [epoch.epoch, Math.fround(Number(epoch[key]))]),
      );
    expect(found['b/test']?.accuracy?.[0]?.[1]).toBeCloseTo(metrics.accuracy, 6);
  });

  it('each epoch once where a training was killed and goes on, without a flag given again', async () => {
    const [dir, logs] = [workspace(yaml('', 300)), folder()];
    const training = start('train', 'a', '--log', logs, '-C', dir);
    await until(training, /epoch 7\/300/);
    training.child.kill('SIGKILL');
    await training.ended;
    const before = new Map(
      readdirSync(join(logs, 'a/training')).map((name) => [name, readFileSync(join(logs, 'a/training', name))]),
    );
    okIn(dir, 'train', 'a', '--resume', '--quiet');
    const found = read(logs);
    expect(Object.keys(found)).toEqual(['a/test', 'a/training']);
    expect(steps(found['a/training']?.loss)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    // What was written is never written over.
    for (const [name, bytes] of before) expect(readFileSync(join(logs, 'a/training', name)).equals(bytes)).toBe(true);
    expect(existsSync(join(dir, 'runs/a/log.json'))).toBe(false);
  });

  it('the whole training where it goes on into another folder', async () => {
    const [dir, first, second] = [workspace(yaml('', 300)), folder(), folder()];
    const training = start('train', 'a', '--log', first, '-C', dir);
    await until(training, /epoch 5\/300/);
    training.child.kill('SIGINT');
    await training.ended;
    okIn(dir, 'train', 'a', '--resume', '--quiet', '--log', second);
    expect(steps(read(second)['a/training']?.loss)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });
});

it('each training has a folder of its own, and what is there stays', () => {
  const [dir, logs] = [workspace(yaml('', 1)), folder()];
  mkdirSync(join(logs, 'a'));
  writeFileSync(join(logs, 'a', 'mine.txt'), 'mine');
  okIn(dir, 'train', 'a', '--log', logs, '--quiet');
  okIn(dir, 'train', 'a', '--log', logs, '--quiet');
  okIn(dir, 'train', 'a', '--quiet');
  expect(readdirSync(logs).sort()).toEqual(['a', 'a-2', 'a-3']);
  expect(readdirSync(join(logs, 'a'))).toEqual(['mine.txt']);
});

it('a file in the place of the folder is refused before anything is trained', () => {
  const [dir, logs] = [workspace(yaml('', 1)), folder()];
  const file = join(logs, 'log');
  writeFileSync(file, '');
  const { status, stderr } = prognet('train', 'a', '--log', file, '-C', dir);
  expect([status, stderr.trim().split('\n').at(-1)]).toEqual([
    2,
    `prognet: cannot write ${file}: it is a file, expected a folder`,
  ]);
  expect(stderr).not.toContain('epoch 1/1');
  // Nothing is left that would have to be resumed or dropped.
  expect(prognet('train', 'a', '--quiet', '-C', dir).status).toBe(0);
});
