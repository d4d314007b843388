// A training that diverges: the last good state is kept, and goes on with another rate alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeSafetensors } from '../../src/formats/safetensors.js';
import { prognet, workspace, yaml } from './support.js';

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
  const { status, stderr } = prognet('train', 'a', '--quiet', '-C', dir);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^prognet: .* (?:is|holds) (?:NaN|-?Infinity) .*: lower the rate, clip gradients or normalise the data; go on from the last good state with prognet train a --resume --lr \S+ or drop it with --restart\n$/,
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
  const again = prognet('train', 'a', '--resume', '--quiet', '-C', dir);
  expect(again.status).toBe(2);
  expect(again.stderr).toMatch(
    /^prognet: runs\/a: the training diverged, .*, and would again; go on from the last good state with prognet train a --resume --lr 1e\+29 or drop it with --restart\n$/,
  );
  const other = prognet('train', 'a', '--resume', '--lr', '0.01', '--batch', '8', '--quiet', '-C', dir);
  expect(other.status).toBe(2);
  expect(other.stderr).toMatch(/^prognet: runs\/a\/run\.json: the run began with other settings, .*batch: was nothing, is 8;/);
  const found = prognet('train', 'a', '--resume', '--lr', '0.01', '--clip', 'norm:1', '--quiet', '--json', '-C', dir);
  expect(found.stderr).toBe('');
  expect(found.status).toBe(0);
  expect(JSON.parse(found.stdout).trained[0].value).toBeGreaterThan(0.5);
  expect(existsSync(join(dir, 'runs/a'))).toBe(false);
});

it('goes on from the last good epoch, with its metrics', () => {
  const dir = diverged(text('1.0e30'));
  expect(checkpoints(dir).map(({ metadata }) => metadata.step)).toEqual(['10', '20']);
  expect(prognet('train', 'a', '--resume', '--lr', '1e-32', '--quiet', '-C', dir).status).toBe(0);
  const history = (folder: string) => JSON.parse(readFileSync(join(folder, 'columns/a/column.json'), 'utf8')).history;
  const found = history(dir);
  expect(found.map((h: { epoch: number }) => h.epoch)).toEqual([1, 2, 3, 4]);
  const rates = found.map((h: { rate: number }) => Number(h.rate.toPrecision(6)));
  expect(rates).toEqual([0.01, 0.01, 0.01, 0.01]);
  // As if nothing had happened.
  const even = workspace(text('1'));
  expect(prognet('train', 'a', '--quiet', '-C', even).status).toBe(0);
  expect(found.slice(0, 2)).toEqual(history(even).slice(0, 2));
});

it('--restart begins anew', () => {
  const dir = diverged(text('1', '1.0e30'));
  expect(prognet('train', 'a', '--restart', '--lr', '0.01', '--quiet', '-C', dir).status).toBe(0);
  const fresh = workspace(text('1'));
  expect(prognet('train', 'a', '--quiet', '-C', fresh).status).toBe(0);
  const bytes = (folder: string) => readFileSync(join(folder, 'columns/a/weights.safetensors'));
  expect(bytes(dir).equals(bytes(fresh))).toBe(true);
});
