// Ray over the graphs of a fleet: columns as tasks, one column on several workers, rows of many columns; and what a kill leaves.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { readNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { environment, python } from '../python/python.js';
import { runtime } from '../support/run.js';
import { customers, expectWhole, fleetOf, trainingWorkspace } from './customers.js';
import { rows } from './fleet.js';

const repo = new URL('../..', import.meta.url).pathname;
let dir = '';
beforeAll(async () => {
  dir = await trainingWorkspace();
}, 60_000);

const ray = environment('.venv-ray');
describe.skipIf(ray.missing)(`Ray${ray.note}`, () => {
  it('columns as tasks, each an ordinary file', async () => {
    const [folder, data] = [fleetOf(dir), customers(4)];
    expect(python('.venv-ray', 'ray/train.py', folder, data, '--jobs', '2')).toMatchObject({ columns: 4, trained: 4, there: 0 });
    await expectWhole(folder, 4);
    expect(
      readdirSync(join(folder, 'training/taps'), { recursive: true }).filter((name) => String(name).endsWith('.npz')),
    ).toEqual([]);
  }, 600_000);

  it('a killed driver: finished columns stay, the others are trained, nothing twice', async () => {
    const [folder, data] = [fleetOf(dir), customers(24, 2000)];
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
    const [folder, data] = [fleetOf(dir), customers(1, 400)];
    const found = python('.venv-ray', 'ray/parallel.py', folder, 'c0', join(data, 'c0.npz'), '--workers', '2');
    expect(found).toMatchObject({ workers: 2, same: true });
    const { history, alone, difference } = found as { history: number[]; alone: number[]; difference: number };
    expect([history.length, alone.length]).toEqual([12, 12]);
    expect(difference).toBeLessThan(1e-5);
    expect(readColumn(folder, readFleet(folder), 'c0').record.metrics.epochs).toBe(12);
  }, 600_000);

  it('rows of many columns by Ray Data, bit for bit', async () => {
    const [folder, data] = [fleetOf(dir), customers(2)];
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
  }, 600_000);
});
