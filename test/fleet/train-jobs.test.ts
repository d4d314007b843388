// Columns of a fleet side by side: the bits of one after another, and what is left of processes that are killed.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fleetJobs, trainFleet } from '../../src/tasks/train-fleet.js';
import { runtime } from '../support/run.js';
import { customers, empty, fleetOf, trainingWorkspace } from './customers.js';
import { begin, columnsIn, weightsOf, when } from './training-command.js';

let dir = '';
let whole = '';
let data = '';
const count = 10;
beforeAll(async () => {
  dir = await trainingWorkspace();
  [whole, data] = [fleetOf(dir), customers(count, 1000)];
  await trainFleet(runtime, whole, data);
}, 120_000);

const names = Array.from({ length: count }, (_, i) => `c${i}`);
const expectAll = (folder: string) => {
  expect(columnsIn(folder)).toHaveLength(count);
  for (const name of names) expect(weightsOf(folder, name)).toBe(weightsOf(whole, name));
  const left = ['', 'columns', 'adapters'].flatMap((each) => readdirSync(join(folder, each)));
  expect(left.filter((name) => name.startsWith('.') && name !== '.prognet-bundle.json')).toEqual([]);
  expect(existsSync(join(folder, 'lock'))).toBe(false);
};
/** The processes that train for this one. */
const workersOf = (pid: number | undefined): number[] => {
  try {
    const text = execFileSync('ps', ['-o', 'pid=,stat=', '--ppid', String(pid)], { encoding: 'utf8' });
    return [...text.matchAll(/(\d+) [^Z]/g)].map(([, found]) => Number(found));
  } catch {
    return [];
  }
};
const isGone = async (pid: number) => {
  const alive = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (let i = 0; alive() && i < 1000; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  return !alive();
};

describe('columns side by side', () => {
  it('has the bits of one after another, and the same records', async () => {
    const folder = fleetOf(dir);
    const told: number[] = [];
    const found = await trainFleet(runtime, folder, data, { jobs: 3, onColumn: ({ done }) => told.push(done) });
    expect(found.trained.map(({ name }) => name)).toEqual(names);
    expect(told).toEqual(names.map((_, i) => i + 1));
    expectAll(folder);
    const recordOf = (fleet: string, name: string) => {
      const { createdAt: _, self: _self, metrics, ...record } = readColumn(fleet, readFleet(fleet), name).record;
      return { ...record, metrics: { ...metrics, seconds: 0 } };
    };
    for (const name of names) expect(recordOf(folder, name)).toEqual(recordOf(whole, name));
    expect((await trainFleet(runtime, folder, data, { jobs: 2 })).there).toEqual(names);
  }, 120_000);

  it('says what fails as one after another does', async () => {
    const wrong = customers(3);
    writeFileSync(join(wrong, 'c1.npz'), 'nonsense');
    const large = new Map([
      ['x', new Tensor('float32', [60, 4], new Float32Array(240).fill(3e38))],
      ['targets', new Tensor('int64', [60], new BigInt64Array(60))],
    ]);
    writeFileSync(join(wrong, 'c2.npz'), writeNpz(large));
    const failed = await Promise.all([1, 2].map((jobs) => trainFleet(runtime, fleetOf(dir), wrong, { jobs, keepGoing: true })));
    const [alone = [], beside = []] = failed.map((found) =>
      found.failed.map(({ name, error }) => [name, error.name, error.message, error.fields]),
    );
    expect(beside).toEqual(alone);
    expect(alone.map(([name, kind]) => [name, kind])).toEqual([
      ['c1', 'DataError'],
      ['c2', 'TrainingError'],
    ]);
    await expect(trainFleet(runtime, fleetOf(dir), wrong, { jobs: 2 })).rejects.toThrow(/c1\.npz: |^c2: the loss is NaN/);
    const broken = fleetOf(dir);
    writeFileSync(join(broken, 'training/step.onnx'), 'nonsense');
    await expect(trainFleet(runtime, broken, wrong, { jobs: 2, keepGoing: true })).rejects.toThrow(/^no session on cpu/);
    await expect(trainFleet(runtime, empty(), wrong, { jobs: 0 })).rejects.toThrow(
      'trainFleet: jobs is 0, expected a positive integer',
    );
  }, 120_000);
});

it('by itself it trains one for each core, and fewer where memory is short', () => {
  const folder = fleetOf(dir);
  expect(fleetJobs(folder)).toBeGreaterThanOrEqual(1);
  expect(fleetJobs(folder)).toBeLessThanOrEqual(availableParallelism());
  // a base that no machine holds; the file takes no room on the disk
  truncateSync(join(folder, 'training/taps.onnx'), 2 ** 42);
  expect(fleetJobs(folder)).toBe(1);
});

describe('prognet fleet train --jobs', () => {
  it('trains the column of a killed process again, and names it', async () => {
    const folder = fleetOf(dir);
    const { child, said, ended } = begin(folder, data, '--jobs', '2');
    await when(child, said, /column 2\/10: /);
    const [worker = 0, ...others] = workersOf(child.pid);
    expect(others).toHaveLength(1);
    process.kill(worker, 'SIGKILL');
    expect(await ended).toBe(0);
    expect(said.err.match(/^c\d: its process ended: SIGKILL; it is trained again$/gm)).toHaveLength(1);
    expect(said.out).toMatch(/: 10 trained in /);
    expectAll(folder);
  }, 120_000);

  it('ends where the process of a column is killed twice', async () => {
    const folder = fleetOf(dir);
    const { child, said, ended } = begin(folder, data, '--jobs', '2');
    while (child.exitCode === null) {
      for (const worker of workersOf(child.pid)) process.kill(worker, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await ended).toBe(1);
    expect(said.err).toMatch(/^prognet: c\d: its process ended: SIGKILL, for the second time; .*$/m);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  }, 120_000);

  it.each([['SIGINT'], ['SIGKILL']] as const)(
    'ends all processes by %s, leaves whole files, and goes on',
    async (signal) => {
      const folder = fleetOf(dir);
      const { child, said, ended } = begin(folder, data, '--jobs', '2');
      await when(child, said, /column 2\/10: /);
      const workers = workersOf(child.pid);
      expect(workers).toHaveLength(2);
      child.kill(signal);
      expect(await ended).toBe(signal === 'SIGINT' ? 130 : null);
      if (signal === 'SIGINT') expect(said.err).toMatch(/interrupted after \d of 10 columns; the same command goes on\n$/);
      for (const worker of workers) expect(await isGone(worker)).toBe(true);
      const finished = columnsIn(folder);
      expect(finished.length).toBeLessThan(count);
      for (const file of finished) weightsOf(folder, file.replace('.safetensors', ''));
      const again = begin(folder, data, '--json');
      expect(await again.ended).toBe(0);
      expect(JSON.parse(again.said.out).there).toHaveLength(finished.length);
      expectAll(folder);
    },
    120_000,
  );
});
