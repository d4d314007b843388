// Ray over the graphs of a fleet: columns as tasks, one column on several workers, rows of many columns; and what a kill leaves.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { readNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { acquireLock } from '../../src/onnx/files/lock-file.js';
import { trainFleet } from '../../src/tasks/train-fleet.js';
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
    const [folder, data] = [fleetOf(dir), customers(24, 1000)];
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

  it('of two that train one fleet the second is refused, prognet and Python alike; the lock of a killed one is taken over', async () => {
    const [folder, data] = [fleetOf(dir), customers(24, 1000)];
    const lock = acquireLock(join(folder, 'lock'));
    const works = (pid: number | undefined) => new RegExp(`lock: process ${pid} works here since \\S+Z, wait for it or stop it`);
    expect(() => python('.venv', 'ray/train.py', folder, data, '--alone')).toThrow(works(process.pid));
    lock.release();
    const driver = spawn(join(repo, '.venv/bin/python'), [join(repo, 'scripts/python/ray/train.py'), folder, data, '--alone']);
    const ended = new Promise((resolve) => driver.on('close', resolve));
    await new Promise((resolve) => driver.stderr.once('data', resolve));
    await expect(trainFleet(runtime, folder, data)).rejects.toThrow(works(driver.pid));
    driver.kill('SIGKILL');
    await ended;
    const { trained, there } = await trainFleet(runtime, folder, data);
    expect(there.length).toBeGreaterThan(0);
    expect(trained).toHaveLength(24 - there.length);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  }, 600_000);

  it('a killed worker: Ray gives its column to another', async () => {
    const [folder, data] = [fleetOf(dir), customers(8, 4000)];
    const args = [join(repo, 'scripts/python/ray/train.py'), folder, data, '--jobs', '2'];
    const driver = spawn(join(repo, '.venv-ray/bin/python'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [said, out] = ['', ''];
    let killed = 0;
    driver.stdout.on('data', (chunk) => {
      out += chunk;
    });
    driver.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const ended = new Promise((resolve) => driver.on('close', resolve));
    const looking = setInterval(() => {
      if (killed > 0 || !said.includes(' trained')) return;
      const all = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
        .split('\n')
        .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
      // a worker is a child of the raylet, which is a child of the driver
      const children = (parent: number) => all.filter(([, , ppid]) => Number(ppid) === parent);
      const workers = children(must(driver.pid, 'pid')).flatMap(([, pid]) => children(Number(pid)));
      const own = workers.find(([, , , text = '']) => text.startsWith('ray::train'));
      if (own === undefined) return;
      process.kill(Number(own[1]), 'SIGKILL');
      killed++;
    }, 100);
    expect(await ended).toBe(0);
    clearInterval(looking);
    expect(killed).toBe(1);
    expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({ columns: 8 });
    for (let i = 0; i < 8; i++) readColumn(folder, readFleet(folder), `c${i}`);
  }, 600_000);

  it('Ray Serve answers for columns over one base', async () => {
    const [folder, data] = [fleetOf(dir), customers(2)];
    python('.venv', 'ray/train.py', folder, data, '--alone');
    const serving = spawn(join(repo, '.venv-ray/bin/serve'), ['run', 'deployment:app'], {
      cwd: join(repo, 'scripts/python/ray'),
      env: { ...process.env, FLEET: folder },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => serving.on('close', resolve));
    const ask = async (document: unknown) => {
      const answer = await fetch('http://127.0.0.1:8000/', { method: 'POST', body: JSON.stringify(document) });
      return { status: answer.status, body: (await answer.json()) as { scores: number[][]; error?: string } };
    };
    const x = [[0.1, 0.2, -0.3, 0.4]];
    let first: unknown;
    for (let i = 0; i < 200 && first === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      first = await ask({ column: 'c0', inputs: { x } }).catch(() => undefined);
    }
    const runner = await FleetRunner.open(runtime, folder, { session: { threads: 1 } });
    const answered = { x: Tensor.from('float32', x.flat(), [1, 4]) };
    for (const column of ['c0', 'c1', 'ann']) {
      const { status, body } = await ask({ column, inputs: { x } });
      expect(status).toBe(200);
      expect(body.scores.flat()).toEqual((await runner.run(column, answered)).scores.numbers());
    }
    expect(await ask({ column: 'nope', inputs: { x } })).toMatchObject({ status: 404 });
    expect((await ask({ column: 'c0' })).body.error).toBe('found KeyError \'inputs\', expected {"column": name, "inputs": {x}}');
    serving.kill('SIGINT');
    await ended;
    await runner.release();
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
