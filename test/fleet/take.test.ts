// A column of a fleet becomes the frozen column of a task, with the proof that was recorded when it was trained.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { listCustomers, readCustomer } from '../../src/fleet/customer-data.js';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { readTraining } from '../../src/fleet/training-folder.js';
import { must } from '../../src/onnx/core/errors.js';
import { addToFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { takeFromFleet } from '../../src/tasks/take-from-fleet.js';
import { trainFleet } from '../../src/tasks/train-fleet.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { verifyTask } from '../../src/tasks/verify.js';
import { runtime } from '../support/run.js';
import { customers, fleetOf, trainingWorkspace } from './customers.js';

const repo = new URL('../..', import.meta.url).pathname;
let [dir, folder, data] = ['', '', ''];
beforeAll(async () => {
  dir = await trainingWorkspace();
  [folder, data] = [fleetOf(dir), customers(2)];
  await trainFleet(runtime, folder, data);
}, 60_000);

/** The workspace with this line more in its description. */
function workspaceWith(line: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'prognet-take-'));
  cpSync(dir, copy, { recursive: true });
  writeFileSync(join(copy, 'prognet.yaml'), readFileSync(join(copy, 'prognet.yaml'), 'utf8') + line);
  return copy;
}
const like = (task: string, more = '') => `  - { task: ${task}, like: ann, laterals: { kind: adapter, from: [base] }${more} }\n`;

it('has its weights, its record and its proof', async () => {
  const workspace = workspaceWith(like('c0') + like('dora'));
  const { record } = readColumn(folder, readFleet(folder), 'c0');
  const same = takeFromFleet(loadWorkspace(workspace), folder, 'c0');
  expect(same.sha256.weights).toBe(record.sha256.weights);
  takeFromFleet(loadWorkspace(workspace), folder, 'c1', 'dora');
  const loaded = loadWorkspace(workspace);
  const training = readTraining(folder);
  const parts = await Promise.all(listCustomers(data).map((customer) => readCustomer(customer, training)));
  for (const [i, task] of ['c0', 'dora'].entries()) {
    const verified = await verifyTask(runtime, loaded, task, { test: must(parts[i], 'part').test });
    expect(verified).toMatchObject({ task, identical: true, rows: 12 });
    const was = readColumn(folder, readFleet(folder), `c${i}`).record;
    const { task: _, self: __, sha256: ___, ...rest } = must(loaded.frozen.get(task), task).record;
    const { task: a, self: b, sha256: c, ...before } = was;
    expect(rest).toEqual(before);
  }
  // and back: the file of a fleet once more, with the hash that it had
  rmSync(join(folder, 'columns/c0.safetensors'));
  addToFleet(loaded, folder, ['c0']);
  expect(readColumn(folder, readFleet(folder), 'c0').record.sha256.weights).toBe(record.sha256.weights);
}, 60_000);

it('refuses what does not fit', async () => {
  const take =
    (workspace: string, name = 'c1', task = name) =>
    () =>
      takeFromFleet(loadWorkspace(workspace), folder, name, task);
  expect(take(dir)).toThrow('unknown task "c1"');
  expect(take(dir, 'c1', 'ann')).toThrow('task "ann" is trained and frozen for good');
  expect(take(workspaceWith(like('nope')), 'nope')).toThrow('no column "nope" in this fleet');
  const wider = like('c1', ', blocks: [[{ dense: 9 }, relu], [{ dense: 5 }, tanh]]');
  expect(take(workspaceWith(wider))).toThrow(
    /^task "c1" is of another shape than the column "c1" of .*: blocks\[0\]\[0\]\.\w+: 9, frozen with 6; expected one shape$/,
  );
  // over another base: the same description trained once more
  const other = mkdtempSync(join(tmpdir(), 'prognet-take-'));
  writeFileSync(
    join(other, 'prognet.yaml'),
    readFileSync(join(dir, 'prognet.yaml'), 'utf8').replace('seed: 1', 'seed: 7') + like('c1'),
  );
  const rows = await readCustomer(must(listCustomers(data)[0], 'customer'), readTraining(folder));
  await trainTask(runtime, other, 'base', { data: rows, threads: 1 });
  expect(take(other)).toThrow(
    /^task "c1" reads another column "base", sha256 [0-9a-f]{12}\.\., than the fleet stands on, expected [0-9a-f]{12}\.\.$/,
  );
  const begun = workspaceWith(like('c1'));
  await trainTask(runtime, begun, 'c1', { data: rows, threads: 1, freeze: false });
  expect(take(begun)).toThrow('task "c1" has a training of its own that is not frozen, expected none');
}, 60_000);

it('prognet fleet take says what it did', () => {
  const workspace = workspaceWith(like('dora'));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(repo, 'dist/cli/main.js'), 'fleet', 'take', folder, ...args, '-C', workspace], {
      encoding: 'utf8',
    });
  expect(run('c0', 'c1', '--task', 'dora')).toMatchObject({
    status: 2,
    stderr: 'prognet: fleet take: found 2 columns for --task dora, expected one\n',
  });
  expect(run('c0', '--task', 'dora', '--json')).toMatchObject({ status: 0, stderr: '' });
  const { record } = must(loadWorkspace(workspace).frozen.get('dora'), 'dora');
  expect(record.outputs).toEqual(readColumn(folder, readFleet(folder), 'c0').record.outputs);
  expect(run('c0', '--task', 'dora').stderr).toContain('task "dora" is trained and frozen for good');
}, 60_000);
