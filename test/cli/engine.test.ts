// prognet train --engine ort-training: the whole course of a training through ONNX Runtime's own TrainingSession, and what it refuses.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastLine, prognet, repo, start, until, workspace, yaml } from './support.js';

const weights = (dir: string, task: string) => readFileSync(join(dir, 'columns', task, 'weights.safetensors'));
const record = (dir: string, task: string) => JSON.parse(readFileSync(join(dir, 'columns', task, 'column.json'), 'utf8'));
const train = (dir: string, task: string, ...more: string[]) =>
  prognet('train', task, '--freeze', '--threads', '1', '--json', '-C', dir, ...more);
const official = ['--engine', 'ort-training'];

/** Adapter, dropout, clipping, a schedule, validation and early stopping. */
const text = (epochs: number) =>
  yaml('', epochs).replaceAll('lr: 0.01', 'lr: 0.01, optimizer: adamw, schedule: { cosine: { warmup: 5 } }, clip: { norm: 0.5 }');

/** Of two epochs, the largest relative difference of a figure. */
function apart(a: Record<string, number>, b: Record<string, number>): number {
  const of = (name: string) =>
    Math.abs((a[name] ?? Number.NaN) - (b[name] ?? Number.NaN)) / Math.max(Math.abs(b[name] ?? 0), 1e-3);
  return Math.max(...Object.keys(a).map(of));
}

it('trains to the figures of the engine ort, and every column verifies', () => {
  const [theirs, ours] = [workspace(text(4)), workspace(text(4))];
  expect(train(theirs, 'a', ...official).status).toBe(0);
  expect(train(ours, 'a').status).toBe(0);
  const { status, stdout } = train(theirs, 'b', ...official);
  expect(status).toBe(0);
  expect(lastLine(stdout).trained).toMatchObject([{ task: 'b', earlier: [{ task: 'a', identical: true }] }]);
  // The second column over the very same first one.
  const over = workspace(text(4));
  cpSync(join(theirs, 'columns/a'), join(over, 'columns/a'), { recursive: true });
  expect(train(over, 'b').status).toBe(0);
  for (const [task, own] of [
    ['a', ours],
    ['b', over],
  ] as const) {
    const [one, other] = [record(theirs, task), record(own, task)];
    expect([one.versions.trainer, other.versions.trainer]).toEqual(['onnxruntime-web 1.19.2', undefined]);
    expect(one.history).toHaveLength(4);
    expect(Object.keys(one.history[0]).includes('validation_loss')).toBe(task === 'b');
    for (const [i, epoch] of one.history.entries())
      expect(apart(epoch, other.history[i]), `${task}, epoch ${i}`).toBeLessThan(1e-4);
  }
  const verified = JSON.parse(prognet('verify', '--json', '-C', theirs).stdout).tasks;
  expect(verified).toMatchObject([
    { task: 'a', identical: true },
    { task: 'b', identical: true },
  ]);
}, 60_000);

it('measures both parts by name, stops early by one of them, follows a plateau and draws the same views as the engine ort', async () => {
  const more = 'schedule: { plateau: { patience: 1, factor: 0.5, threshold: 0.5 } }, augment: [{ noise: 0.3 }]';
  const written = yaml('', 6).replace(
    'lr: 0.01, seed: 3',
    `lr: 0.05, seed: 3, validation: 0.3, early_stopping: { patience: 6, monitor: f1 }, ${more}`,
  );
  const [theirs, ours, broken] = [workspace(written), workspace(written), workspace(written)];
  expect(train(theirs, 'a', ...official)).toMatchObject({ status: 0 });
  expect(train(ours, 'a').status).toBe(0);
  const [one, other] = [record(theirs, 'a').history, record(ours, 'a').history];
  const rates = (history: { rate: number }[]) => history.map(({ rate }) => rate);
  expect(rates(one)).toEqual(rates(other));
  expect(new Set(rates(one)).size).toBeGreaterThan(2);
  expect(Object.keys(one[0])).toEqual(Object.keys(other[0]));
  expect(Object.keys(one[0])).toEqual(
    expect.arrayContaining(['accuracy', 'macro_f1', 'validation_accuracy', 'validation_macro_f1']),
  );
  for (const [i, epoch] of one.entries()) expect(apart(epoch, other[i]), `epoch ${i}`).toBeLessThan(1e-3);
  // Other views would be seen: without them, other losses.
  const plain = workspace(written.replace(', augment: [{ noise: 0.3 }]', ''));
  expect(train(plain, 'a', ...official).status).toBe(0);
  expect(apart(record(plain, 'a').history[0], one[0])).toBeGreaterThan(1e-3);
  // A fallen rate is kept by a run that is broken off.
  const training = start('train', 'a', '--freeze', '--threads', '1', '-C', broken, ...official);
  await until(training, /a epoch 4\/6/);
  training.child.kill('SIGINT');
  if ((await training.ended).code === 130) expect(train(broken, 'a', '--resume').status).toBe(0);
  expect(Buffer.compare(weights(theirs, 'a'), weights(broken, 'a'))).toBe(0);
}, 120_000);

it('ctrl-C keeps the state, the optimizer included, and the rest gives the same bits', async () => {
  const [whole, broken] = [workspace(text(60)), workspace(text(60))];
  expect(train(whole, 'a', ...official).status).toBe(0);
  const training = start('train', 'a', '--freeze', '--threads', '1', '-C', broken, ...official);
  await until(training, /a epoch 3\/60/);
  training.child.kill('SIGINT');
  expect(await training.ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/continue with prognet train a --resume --freeze\n$/),
  });
  // The moments of that training, for whoever goes on elsewhere.
  const elsewhere = prognet('artifacts', 'a', '-o', join(broken, 'elsewhere'), '--resume', '--json', '-C', broken);
  expect(JSON.parse(elsewhere.stdout).step).toBeGreaterThan(0);
  expect(train(broken, 'a', '--resume', '--engine', 'ort')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/engine: was "ort-training", is nothing; resume with the old ones/),
  });
  // The engine is remembered.
  expect(train(broken, 'a', '--resume').status).toBe(0);
  expect(record(broken, 'a').versions.trainer).toBe('onnxruntime-web 1.19.2');
  expect(Buffer.compare(weights(whole, 'a'), weights(broken, 'a'))).toBe(0);
}, 120_000);

it('refuses in one line what it cannot do, with nothing written', () => {
  const dir = workspace();
  const refuses = (args: string[], message: RegExp) => {
    const { status, stderr } = prognet('train', 'a', '--freeze', '-C', dir, ...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
    expect(existsSync(join(dir, 'columns/a'))).toBe(false);
  };
  refuses(['--engine', 'torch'], /unknown engine "torch", expected one of ort, ort-training/);
  refuses(
    [...official, '--optimizer', 'rmsprop'],
    /rmsprop is not among ONNX Runtime's training optimizers, take adam, adamw or sgd/,
  );
  refuses([...official, '--optimizer', 'sgd', '--lr', '0'], /--lr: found "0"/);
});

it('says what to install where the package is absent', () => {
  const away = mkdtempSync(join(tmpdir(), 'prognet-away-'));
  for (const part of ['dist', 'templates', 'package.json']) cpSync(join(repo, part), join(away, part), { recursive: true });
  mkdirSync(join(away, 'node_modules'));
  for (const name of readdirSync(join(repo, 'node_modules')))
    if (name !== 'ort-training') symlinkSync(join(repo, 'node_modules', name), join(away, 'node_modules', name));
  const dir = workspace();
  const main = join(away, 'dist/cli/main.js');
  const { status, stderr } = spawnSync('node', [main, 'train', 'a', '--freeze', ...official], { cwd: dir, encoding: 'utf8' });
  expect(stderr).toMatch(
    /^prognet: the engine ort-training needs a package that is not installed: npm install ort-training@npm:onnxruntime-web@1\.19\.2 \(100 MB\)\n$/,
  );
  expect(status).toBe(2);
  expect(existsSync(join(dir, 'runs/a/run.json'))).toBe(false);
});
