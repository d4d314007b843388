// Columns of a fleet that Python trains from the graphs of training/, by ONNX Runtime alone and by Ray: ordinary files, which Node reads and checks.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { readNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { exportFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { environment, python } from '../python/python.js';
import { runtime } from '../support/run.js';
import { description, frozenWorkspace, rows } from './fleet.js';

const repo = new URL('../..', import.meta.url).pathname;
const plain = { blocks: '[[{ dense: 6 }, relu], [{ dense: 5 }, tanh]]', train: ', optimizer: adamw, clip: { norm: 1 }' };
const empty = () => join(mkdtempSync(join(tmpdir(), 'prognet-fleet-training-')), 'fleet');
let dir = '';

beforeAll(async () => {
  dir = await frozenWorkspace(
    description(['ann'], plain).replaceAll('epochs: 2, batch: 8, seed: 2', 'epochs: 12, batch: 8, seed: 2'),
  );
}, 60_000);

/** A fleet with the graphs of training. */
function fleet(): string {
  const folder = empty();
  exportFleet(loadWorkspace(dir), folder, { training: true });
  return folder;
}

/** Data of so many customers: which of three classes a row is of, each customer in a way of its own. */
function customers(count: number, size = 60): string {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-fleet-data-'));
  for (let i = 0; i < count; i++) {
    const x = rows(size, 100 + i);
    const values = x.numbers();
    const label = (row: number) =>
      BigInt((values[row * 4 + (i % 4)] ?? 0) > 0.4 ? 2 : (values[row * 4 + ((i + 1) % 4)] ?? 0) > 0 ? 1 : 0);
    const targets = new Tensor(
      'int64',
      [size],
      BigInt64Array.from({ length: size }, (_, row) => label(row)),
    );
    writeFileSync(
      join(folder, `c${i}.npz`),
      writeNpz(
        new Map([
          ['x', x],
          ['targets', targets],
        ]),
      ),
    );
  }
  return folder;
}

/** The test rows of a customer: every fifth. */
function testRows(i: number, size = 60): Tensor {
  const { data } = rows(size, 100 + i);
  const taken = Array.from({ length: size }, (_, row) => row).filter((row) => row % 5 === 4);
  return Tensor.from(
    'float32',
    taken.flatMap((row) => [...(data as Float32Array).subarray(row * 4, row * 4 + 4)]),
    [taken.length, 4],
  );
}

async function expectWhole(folder: string, count: number) {
  const about = readFleet(folder);
  const runner = await FleetRunner.open(runtime, folder, { session: { threads: 1 } });
  for (let i = 0; i < count; i++) {
    const { record } = readColumn(folder, about, `c${i}`);
    expect(record.sources).toEqual(about.sources);
    const losses = must(record.history, 'history').map(({ loss }) => Number(loss));
    expect(losses).toHaveLength(12);
    expect(must(losses.at(-1), 'loss')).toBeLessThan(must(losses[0], 'loss'));
    // the proof: what Python's session answered has the bits of ours
    const { scores } = await runner.run(`c${i}`, { x: testRows(i) });
    expect(createHash('sha256').update(scores.bytes).digest('hex')).toBe(record.outputs.sha256);
    expect(existsSync(join(folder, `adapters/c${i}.onnx_adapter`))).toBe(true);
  }
  await runner.release();
}

const plainPython = environment('.venv');
it.skipIf(plainPython.missing)(
  `trains columns in one process; those that are there stay${plainPython.note}`,
  async () => {
    const [folder, data] = [fleet(), customers(3)];
    expect(python('.venv', 'ray/train.py', folder, data, '--alone')).toMatchObject({ columns: 3, trained: 3, there: 0 });
    await expectWhole(folder, 3);
    const before = readFileSync(join(folder, 'columns/c1.safetensors'));
    expect(python('.venv', 'ray/train.py', folder, data, '--alone')).toMatchObject({ columns: 3, trained: 0, there: 3 });
    expect(readFileSync(join(folder, 'columns/c1.safetensors')).equals(before)).toBe(true);
    writeFileSync(join(data, 'c1.npz'), readFileSync(join(data, 'c2.npz')));
    expect(() => python('.venv', 'ray/train.py', folder, data, '--alone')).toThrow(
      /fleet: columns\/c1.safetensors: was trained on other rows, expected none there/,
    );
  },
  120_000,
);

it('what prognet alone trains is refused', async () => {
  const scheduled = await frozenWorkspace(description(['ann'], { ...plain, train: ', schedule: cosine' }));
  expect(() => exportFleet(loadWorkspace(scheduled), empty(), { training: true })).toThrow(
    'fleet: the column "ann" has train.schedule, expected none where it is trained elsewhere',
  );
}, 60_000);

const ray = environment('.venv-ray');
describe.skipIf(ray.missing)(`Ray${ray.note}`, () => {
  it('columns as tasks, each an ordinary file', async () => {
    const [folder, data] = [fleet(), customers(4)];
    expect(python('.venv-ray', 'ray/train.py', folder, data, '--jobs', '2')).toMatchObject({ columns: 4, trained: 4, there: 0 });
    await expectWhole(folder, 4);
    expect(
      readdirSync(join(folder, 'training/taps'), { recursive: true }).filter((name) => String(name).endsWith('.npz')),
    ).toEqual([]);
  }, 300_000);

  it('a killed driver: finished columns stay, the others are trained, nothing twice', async () => {
    const [folder, data] = [fleet(), customers(24, 2000)];
    const args = [join(repo, 'scripts/python/ray/train.py'), folder, data, '--jobs', '2'];
    const driver = spawn(join(repo, '.venv-ray/bin/python'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    driver.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.split(' trained').length > 3) driver.kill('SIGKILL');
    });
    await new Promise((resolve) => driver.on('close', resolve));
    const files = () => readdirSync(join(folder, 'columns')).filter((name) => /^c\d+\.safetensors$/.test(name));
    const finished = new Map(files().map((name) => [name, statSync(join(folder, 'columns', name)).ino]));
    expect(finished.size).toBeGreaterThan(1);
    expect(finished.size).toBeLessThan(24);
    expect(python('.venv-ray', 'ray/train.py', folder, data, '--jobs', '2')).toMatchObject({ columns: 24 });
    expect(files()).toHaveLength(24);
    for (const [name, ino] of finished) expect(statSync(join(folder, 'columns', name)).ino).toBe(ino);
  }, 600_000);

  it('one column on two workers: the losses of one process, and the same weights on both', () => {
    const [folder, data] = [fleet(), customers(1, 400)];
    const found = python('.venv-ray', 'ray/parallel.py', folder, 'c0', join(data, 'c0.npz'), '--workers', '2');
    expect(found).toMatchObject({ workers: 2, same: true });
    const { history, alone, difference } = found as { history: number[]; alone: number[]; difference: number };
    expect([history.length, alone.length]).toEqual([12, 12]);
    expect(difference).toBeLessThan(1e-5);
    expect(readColumn(folder, readFleet(folder), 'c0').record.metrics.epochs).toBe(12);
  }, 300_000);

  it('rows of many columns by Ray Data, bit for bit', async () => {
    const [folder, data] = [fleet(), customers(2)];
    python('.venv', 'ray/train.py', folder, data, '--alone');
    const x = rows(40, 5);
    const [file, names, out] = ['rows.npz', 'names.txt', 'out.npy'].map((name) => `${data}-${name}`);
    const order = Array.from({ length: 40 }, (_, i) => ['ann', 'c0', 'c1'][i % 3] ?? '');
    writeFileSync(must(file, 'file'), writeNpz(new Map([['x', x]])));
    writeFileSync(must(names, 'names'), order.join('\n'));
    const found = python(
      '.venv-ray',
      'ray/infer.py',
      folder,
      must(file, 'file'),
      must(names, 'names'),
      must(out, 'out'),
      '--batch',
      '40',
    );
    expect(found).toEqual({ rows: 40, columns: 3 });
    const scores = readNpy(readFileSync(must(out, 'out')), 'out.npy');
    const runner = await FleetRunner.open(runtime, folder, { session: { threads: 1 } });
    for (const name of ['ann', 'c0', 'c1']) {
      const own = order.flatMap((each, i) => (each === name ? [i] : []));
      const taken = Tensor.from(
        'float32',
        own.flatMap((i) => x.numbers().slice(4 * i, 4 * i + 4)),
        [own.length, 4],
      );
      const answer = await runner.run(name, { x: taken });
      expect(own.flatMap((i) => scores.numbers().slice(3 * i, 3 * i + 3))).toEqual(answer.scores.numbers());
    }
    await runner.release();
  }, 300_000);
});
