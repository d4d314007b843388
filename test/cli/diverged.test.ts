// A training that diverges: the last good state is kept, and goes on with another rate alone.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { decodeSafetensors } from '../../src/formats/safetensors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { lastLine, prognet, workspace, yaml } from './support.js';

/** Good for two epochs of 10 steps; then the rate is multiplied by `factor`. */
const text = (factor: string, lr = '0.01') =>
  yaml().replace(
    'train: { epochs: 6, batch: 16, lr: 0.01, seed: 3 }',
    `train: { epochs: 4, batch: 16, lr: ${lr}, seed: 3, optimizer: sgd, schedule: { step: { every: 2, factor: ${factor} } } }`,
  );

const checkpoints = (dir: string) =>
  readdirSync(join(dir, 'runs/a'))
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => decodeSafetensors(readFileSync(join(dir, 'runs/a', name)), name));

function diverged(description: string): string {
  const dir = workspace(description);
  const { status, stderr } = prognet('train', 'a', '--freeze', '--quiet', '-C', dir);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^prognet: .* (?:is|holds) (?:NaN|-?Infinity) .*: lower the rate, clip gradients or standardise the inputs \(prepare: \[standardise\]\); go on from the last good state with prognet train a --resume --lr \S+ or drop it with --restart\n$/,
  );
  return dir;
}

it('keeps a state that is finite, refuses the same rate and goes on with another', () => {
  const dir = diverged(text('1', '1.0e30'));
  for (const { tensors } of checkpoints(dir))
    for (const [name, { data }] of tensors)
      expect(
        [...data].every((v) => Number.isFinite(Number(v))),
        name,
      ).toBe(true);
  const again = prognet('train', 'a', '--freeze', '--resume', '--quiet', '-C', dir);
  expect(again.status).toBe(2);
  expect(again.stderr).toMatch(
    /^prognet: runs\/a: the training diverged, .*, and would again; go on from the last good state with prognet train a --resume --lr 1e\+29 or drop it with --restart\n$/,
  );
  const other = prognet('train', 'a', '--freeze', '--resume', '--lr', '0.01', '--batch', '8', '--quiet', '-C', dir);
  expect(other.status).toBe(2);
  expect(other.stderr).toMatch(/^prognet: runs\/a\/run\.json: the run began with other settings, .*batch: was nothing, is 8;/);
  const found = prognet('train', 'a', '--freeze', '--resume', '--lr', '0.01', '--clip', 'norm:1', '--quiet', '--json', '-C', dir);
  expect(found.stderr).toBe('');
  expect(found.status).toBe(0);
  expect(JSON.parse(found.stdout).trained[0].value).toBeGreaterThan(0.5);
  expect(existsSync(join(dir, 'runs/a'))).toBe(false);
});

it('goes on from the last good epoch, with its metrics', () => {
  const dir = diverged(text('1.0e30'));
  expect(checkpoints(dir).map(({ metadata }) => metadata.step)).toEqual(['10', '20']);
  expect(prognet('train', 'a', '--freeze', '--resume', '--lr', '1e-32', '--quiet', '-C', dir).status).toBe(0);
  const history = (folder: string) => JSON.parse(readFileSync(join(folder, 'columns/a/column.json'), 'utf8')).history;
  const found = history(dir);
  expect(found.map((h: { epoch: number }) => h.epoch)).toEqual([1, 2, 3, 4]);
  const rates = found.map((h: { rate: number }) => Number(h.rate.toPrecision(6)));
  expect(rates).toEqual([0.01, 0.01, 0.01, 0.01]);
  // As if nothing had happened.
  const even = workspace(text('1'));
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', even).status).toBe(0);
  expect(found.slice(0, 2)).toEqual(history(even).slice(0, 2));
});

it('--restart begins anew', () => {
  const dir = diverged(text('1', '1.0e30'));
  expect(prognet('train', 'a', '--freeze', '--restart', '--lr', '0.01', '--quiet', '-C', dir).status).toBe(0);
  const fresh = workspace(text('1'));
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', fresh).status).toBe(0);
  const bytes = (folder: string) => readFileSync(join(folder, 'columns/a/weights.safetensors'));
  expect(bytes(dir).equals(bytes(fresh))).toBe(true);
});

it('says without --resume that a diverged training is there, why, and both ways out', () => {
  const dir = diverged(text('1', '1.0e30'));
  for (const what of [['a'], ['--all']]) {
    const { status, stderr } = prognet('train', ...what, '--quiet', '-C', dir);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^prognet: runs\/a: a training that diverged is here, .* (?:is|holds) (?:NaN|-?Infinity) .*; go on from the last good state with prognet train a --resume --lr 1e\+29 or drop it with --restart\n$/,
    );
  }
  const message = lastLine(prognet('train', 'a', '--freeze', '--json', '-C', dir).stdout).error;
  expect(message.remedy).toEqual({ kind: 'lower-rate', task: 'a', rate: 1e29 });
});

describe('a loss that is not finite on the test data alone', () => {
  /** Numbers around 1 to train on and around 1e30 to test with: weights of some 1e6, fine for the first, are too large for the second. */
  function arrays(description: string): string {
    const dir = workspace(description.replace('{ source: a.csv, header: false }', '{ source: arrays }'));
    mkdirSync(join(dir, 'arrays'));
    const write = (part: string, rows: number, size: number) => {
      const random = new Random(7, part);
      const x = Float32Array.from({ length: rows * 4 }, () => random.normal() * size);
      const y = BigInt64Array.from({ length: rows }, (_, row) => ((x[4 * row] ?? 0) > 0 ? 1n : 0n));
      writeFileSync(join(dir, `arrays/x_${part}.npy`), writeNpy(new Tensor('float32', [rows, 4], x)));
      writeFileSync(join(dir, `arrays/y_${part}.npy`), writeNpy(new Tensor('int64', [rows], y)));
    };
    write('train', 160, 1);
    write('test', 40, 1e30);
    return dir;
  }
  const settings = (more: string) =>
    yaml().replace(
      'epochs: 6, batch: 16, lr: 0.01, seed: 3',
      `batch: 16, lr: 0.01, seed: 3, optimizer: sgd, clip: { norm: 1 }, ${more}`,
    );
  const found =
    /^prognet: task "a": the loss on its test data is (?:NaN|Infinity), accuracy \S+: lower the rate, clip gradients or standardise the inputs \(prepare: \[standardise\]\); go on from the last good state with prognet train a --resume --lr 0\.001 or drop it with --restart\n$/;

  it('goes on from the epoch before, with another rate alone', () => {
    const dir = arrays(settings('epochs: 4, schedule: { step: { every: 3, factor: 1.0e8 } }'));
    const first = prognet('train', 'a', '--freeze', '--quiet', '-C', dir);
    expect(first.stderr).toMatch(found);
    expect(first.status).toBe(1);
    expect(existsSync(join(dir, 'columns/a'))).toBe(false);
    expect(checkpoints(dir).map(({ metadata }) => metadata.step)).toEqual(['30', '40']);
    const again = prognet('train', 'a', '--freeze', '--resume', '--quiet', '-C', dir);
    expect(again.stderr).toMatch(
      /^prognet: runs\/a: the training diverged, task "a": the loss on its test data is .*, and would again; /,
    );
    expect(again.status).toBe(2);
    const other = prognet('train', 'a', '--freeze', '--resume', '--lr', '1e-10', '--quiet', '-C', dir);
    expect(other.stderr).toBe('');
    expect(other.status).toBe(0);
    const { history, metrics } = JSON.parse(readFileSync(join(dir, 'columns/a/column.json'), 'utf8'));
    expect(history.map((h: { rate: number }) => Number(h.rate.toPrecision(6)))).toEqual([0.01, 0.01, 0.01, 0.01]);
    expect(Number.isFinite(metrics.loss)).toBe(true);
    expect(existsSync(join(dir, 'runs/a'))).toBe(false);
  });

  it('goes back before the epoch whose weights were the best', () => {
    const dir = arrays(settings('epochs: 6, validation: 0.2, early_stopping: { patience: 1 }').replace('lr: 0.01', 'lr: 1.0e6'));
    expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(1);
    const { diverged: noted } = JSON.parse(readFileSync(join(dir, 'runs/a/run.json'), 'utf8'));
    const [last] = checkpoints(dir)
      .map(({ metadata }) => JSON.parse(metadata.state ?? ''))
      .slice(-1);
    expect(noted.step).toBe(last.best.epoch * 8);
    expect(last.step).toBeGreaterThan(noted.step);
  });
});
