// Trainings that are killed or interrupted, and continued.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../../src/onnx/core/random.js';
import { prognet, start, until, workspace, yaml } from './support.js';

const weights = (dir: string, task: string) => readFileSync(join(dir, 'columns', task, 'weights.safetensors'));

it('killed at random moments and resumed, ends with the same bits as an uninterrupted run', async () => {
  const [whole, broken] = [workspace(yaml('', 40)), workspace(yaml('', 40))];
  for (const task of ['a', 'b']) expect(prognet('train', task, '--freeze', '-C', whole, '--threads', '1').status).toBe(0);
  const r = new Random(9, 'kills');
  let kills = 0;
  for (const task of ['a', 'b']) {
    for (let i = 0; i < 40 && !existsSync(join(broken, 'columns', task)); i++) {
      const { child, ended } = start('train', task, '--freeze', '--resume', '--threads', '1', '-C', broken);
      const timer = setTimeout(() => child.kill('SIGKILL'), i < 8 ? 150 + 450 * r.uniform() : 20_000);
      if ((await ended).signal === 'SIGKILL') kills++;
      clearTimeout(timer);
    }
    expect(Buffer.compare(weights(whole, task), weights(broken, task))).toBe(0);
  }
  expect(kills).toBeGreaterThan(3);
}, 120_000);

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s keeps the state, says how to go on, and the rest gives the same bits',
  async (signal) => {
    const [whole, broken] = [workspace(yaml('', 120)), workspace(yaml('', 120))];
    expect(prognet('train', 'a', '--freeze', '-C', whole, '--threads', '1').status).toBe(0);
    const training = start('train', 'a', '--freeze', '--threads', '1', '-C', broken);
    await until(training, /a epoch 3\/120/);
    training.child.kill(signal);
    const { code, stderr } = await training.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopping at the next checkpoint/);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /interrupted at epoch \d+, step \d+; state kept, continue with prognet train a --resume --freeze$/,
    );
    expect(existsSync(join(broken, 'columns', 'a'))).toBe(false);
    expect(prognet('train', 'a', '--freeze', '-C', broken)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('continue it with --resume'),
    });
    const resumed = prognet('train', 'a', '--freeze', '--resume', '--threads', '1', '-C', broken);
    expect(resumed.stderr).toMatch(/a continues after epoch \d+, step \d+/);
    expect(Buffer.compare(weights(whole, 'a'), weights(broken, 'a'))).toBe(0);
  },
  120_000,
);
