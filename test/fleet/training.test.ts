// Columns of a fleet that Python trains from the graphs of training/ by ONNX Runtime alone: ordinary files, which Node reads and checks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { exportFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { environment, python } from '../python/python.js';
import { customers, empty, expectWhole, fleetOf, plain, trainingWorkspace } from './customers.js';
import { description, frozenWorkspace } from './fleet.js';

let dir = '';
beforeAll(async () => {
  dir = await trainingWorkspace();
}, 60_000);

const plainPython = environment('.venv');
it.skipIf(plainPython.missing)(
  `trains columns in one process; those that are there stay${plainPython.note}`,
  async () => {
    const [folder, data] = [fleetOf(dir), customers(3)];
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
  const blocks = '[[{ conv2d: { filters: 3, kernel: 3 } }, relu, global_avgpool], [{ dense: 5 }, relu]]';
  const open = await frozenWorkspace(
    description(['ann'], { blocks, base: blocks, input: '{ name: x, shape: [1, side, 6] }' }),
    [1, 6, 6],
  );
  expect(exportFleet(loadWorkspace(open), empty()).columns).toEqual(['ann']);
  expect(() => exportFleet(loadWorkspace(open), empty(), { training: true })).toThrow(
    'fleet: the input "x" is [1,side,6], "side" is open, expected known sizes where columns are trained elsewhere; without --training, train them in a workspace and add them by fleet add',
  );
}, 60_000);

it('columns with batch_norm or dropout have no step in two halves', async () => {
  for (const [layer, why] of [
    ['batch_norm', 'has "column/0/batch_norm/mean", which follows from each minibatch'],
    ['{ dropout: 0.5 }', 'has dropout, which draws anew in each step'],
  ]) {
    const other = await frozenWorkspace(description(['ann'], { blocks: `[[{ dense: 6 }, ${layer}, relu]]` }));
    const folder = empty();
    exportFleet(loadWorkspace(other), folder, { training: true });
    expect(existsSync(join(folder, 'training/gradient.onnx'))).toBe(false);
    expect(JSON.parse(readFileSync(join(folder, 'training/training.json'), 'utf8')).apart).toBe(why);
  }
}, 60_000);
