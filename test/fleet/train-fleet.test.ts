// Many columns of one base from a folder of data in one process: ordinary files, with the bits of a column that is trained alone, and of Python's.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { listCustomers, readCustomer } from '../../src/fleet/customer-data.js';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { readTraining } from '../../src/fleet/training-folder.js';
import { writeNpy } from '../../src/formats/npy.js';
import { readNpz, writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { addToFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { trainFleet } from '../../src/tasks/train-fleet.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { environment, python } from '../python/python.js';
import { runtime } from '../support/run.js';
import { customers, empty, expectWhole, fleetOf, plain, trainingWorkspace } from './customers.js';
import { description, frozenWorkspace } from './fleet.js';
import { begin, columnsIn, weightsOf, when } from './training-command.js';

let dir = '';
beforeAll(async () => {
  dir = await trainingWorkspace();
}, 60_000);

const arraysOf = (file: string) => readNpz(readFileSync(file));

describe('trainFleet', () => {
  it('trains ordinary columns; those that are there stay', async () => {
    const [folder, data] = [fleetOf(dir), customers(3)];
    const states: string[] = [];
    const found = await trainFleet(runtime, folder, data, {
      onColumn: ({ name, state, done, total }) => states.push(`${name} ${state} ${done}/${total}`),
    });
    expect(found).toMatchObject({ folder, there: [], failed: [] });
    expect(found.trained.map(({ name }) => name)).toEqual(['c0', 'c1', 'c2']);
    expect(states).toEqual(['c0 trained 1/3', 'c1 trained 2/3', 'c2 trained 3/3']);
    await expectWhole(folder, 3);
    const inode = statSync(join(folder, 'columns/c1.safetensors')).ino;
    rmSync(join(folder, 'columns/c2.safetensors'));
    const again = await trainFleet(runtime, folder, data);
    expect([again.there, again.trained.map(({ name }) => name)]).toEqual([['c0', 'c1'], ['c2']]);
    expect(statSync(join(folder, 'columns/c1.safetensors')).ino).toBe(inode);
  }, 60_000);

  it('has the bits of a column that is trained alone, in a fleet and by prognet train', async () => {
    for (const blocks of [
      '[[{ dense: 6 }, relu], [{ dense: 5 }, tanh]]',
      '[[{ dense: 6 }, batch_norm, relu, { dropout: 0.5 }]]',
    ]) {
      // a minibatch at the end of each epoch that is smaller: 48 rows in minibatches of 9
      const text = description(['ann'], { ...plain, blocks }).replaceAll(
        'epochs: 2, batch: 8, seed: 2',
        'epochs: 12, batch: 9, seed: 2',
      );
      const workspace = await frozenWorkspace(text);
      const [folder, alone, data] = [fleetOf(workspace), fleetOf(workspace), customers(3)];
      await trainFleet(runtime, folder, data);
      const one = mkdtempSync(join(tmpdir(), 'prognet-fleet-one-'));
      cpSync(join(data, 'c2.npz'), join(one, 'c2.npz'));
      await trainFleet(runtime, alone, one);
      expect(weightsOf(folder, 'c2')).toBe(weightsOf(alone, 'c2'));
      expect(weightsOf(folder, 'c2')).not.toBe(weightsOf(folder, 'c1'));

      // the same by the loop of a workspace, whose column has the name that columns have in a fleet
      const own = must(/^ .*task: ann.*\n/m.exec(text)?.[0], 'line');
      writeFileSync(join(workspace, 'prognet.yaml'), text + own.replace('task: ann', 'task: column'));
      const rows = await readCustomer(must(listCustomers(one)[0], 'customer'), readTraining(folder));
      await trainTask(runtime, workspace, 'column', { data: rows, threads: 1 });
      const { tensors, record } = must(loadWorkspace(workspace).frozen.get('column'), 'column');
      const column = readColumn(folder, readFleet(folder), 'c2');
      for (const [name, tensor] of column.tensors)
        expect([...must(tensors.get(name), name).numbers()]).toEqual([...tensor.numbers()]);
      expect(column.tensors.size).toBe(tensors.size);
      expect(record.outputs.sha256).toBe(column.record.outputs.sha256);
      expect(record.metrics.accuracy).toBe(column.record.metrics.accuracy);
      expect(record.data.fingerprint).toBe(column.record.data.fingerprint);
      expect(must(record.history, 'history').map(({ loss }) => loss)).toEqual(
        must(column.record.history, 'history').map(({ loss }) => loss),
      );
    }
  }, 120_000);

  it('takes a folder of .npy files', async () => {
    const [folder, other, data] = [fleetOf(dir), fleetOf(dir), customers(1)];
    await trainFleet(runtime, folder, data);
    const apart = mkdtempSync(join(tmpdir(), 'prognet-fleet-npy-'));
    mkdirSync(join(apart, 'c0'));
    for (const [name, tensor] of arraysOf(join(data, 'c0.npz')))
      writeFileSync(join(apart, 'c0', `${name}.npy`), writeNpy(tensor));
    await trainFleet(runtime, other, apart);
    expect(weightsOf(other, 'c0')).toBe(weightsOf(folder, 'c0'));
  }, 60_000);

  it('names the customer whose data are bad, and goes on with the others where it is told to', async () => {
    const [folder, data] = [fleetOf(dir), customers(3)];
    const file = join(data, 'c1.npz');
    const arrays = arraysOf(file);
    const [x, targets] = [must(arrays.get('x'), 'x'), must(arrays.get('targets'), 'targets')];
    const write = (given: Record<string, Tensor>) => writeFileSync(file, writeNpz(new Map(Object.entries(given))));
    const some = (n: number, shape: number[], tensor = x) =>
      new Tensor(tensor.dtype, [n, ...shape], tensor.data.slice(0, n * shape.reduce((a, b) => a * b, 1)) as never);
    const cases: [Record<string, Tensor>, string][] = [
      [{ x }, `${file}: has no array "targets", expected x, targets`],
      [
        { x, targets: new Tensor('int64', [60], new BigInt64Array(60).fill(3n)) },
        `${file}: "targets": label 3 at row 0 is out of range, expected 0..2`,
      ],
      [{ x: some(59, [4]), targets }, `${file}: "x" has 59 rows, expected 60, as many as "targets"`],
      [{ x: some(60, [3]), targets }, `${file}: a row of "x" has shape [3], expected [4]`],
      [
        { x: some(9, [4]), targets: some(9, [], targets) },
        `${file}: "targets" has 9 rows, expected 10 or more, a fifth of which are held back as test data`,
      ],
      [{ x: new Tensor('uint8', [60, 4], new Uint8Array(240)), targets }, `${file}: "x" is uint8, expected float32`],
      [
        { x: new Tensor('float32', [60, 4], new Float32Array(240).fill(Number.NaN)), targets },
        `${file}: "x": holds NaN at [0,0], expected a finite float32`,
      ],
    ];
    for (const [given, message] of cases) {
      write(given);
      await expect(trainFleet(runtime, folder, data)).rejects.toThrow(message);
    }
    writeFileSync(file, 'nonsense');
    const found = await trainFleet(runtime, folder, data, { keepGoing: true });
    expect(found.failed.map(({ name, error }) => `${name}: ${error.name}`)).toEqual(['c1: DataError']);
    expect([found.there, found.trained.map(({ name }) => name)]).toEqual([['c0'], ['c2']]);
    // with rows of another customer, the column is refused
    writeFileSync(join(data, 'c0.npz'), readFileSync(join(data, 'c2.npz')));
    await expect(trainFleet(runtime, folder, data)).rejects.toThrow(
      'columns/c0.safetensors: was trained on other rows, expected no such file',
    );
    write({ x: new Tensor('float32', [60, 4], new Float32Array(240).fill(3e38)), targets });
    rmSync(join(folder, 'columns/c0.safetensors'));
    await expect(trainFleet(runtime, folder, data)).rejects.toThrow(/^c1: the loss is NaN at step 1/);
    writeFileSync(join(data, 'c0.npz'), readFileSync(join(customers(1), 'c0.npz')));
    const diverged = await trainFleet(runtime, folder, data, { keepGoing: true });
    expect(diverged.failed.map(({ name, error }) => `${name}: ${error.name}`)).toEqual(['c0: DataError', 'c1: TrainingError']);
  }, 60_000);

  it('refuses what is no fleet with training, and files of two fleets', async () => {
    const [folder, data] = [fleetOf(dir), customers(1)];
    const other = fleetOf(await frozenWorkspace(description(['ann'], { ...plain, blocks: '[[{ dense: 3 }, relu]]' })));
    cpSync(join(other, 'training'), join(folder, 'training'), { recursive: true });
    await expect(trainFleet(runtime, folder, data)).rejects.toThrow(
      /training\/ is of another fleet, "column\/.*" is not in all of its files/,
    );
    rmSync(join(folder, 'training'), { recursive: true });
    await expect(trainFleet(runtime, folder, data)).rejects.toThrow(
      'no training/training.json, expected what prognet export --fleet --training writes',
    );
    await expect(trainFleet(runtime, folder, empty())).rejects.toThrow(/cannot read .*fleet/);
    await expect(trainFleet(runtime, fleetOf(dir), mkdtempSync(join(tmpdir(), 'prognet-none-')))).rejects.toThrow(
      'holds no data of customers, expected NAME.npz',
    );
    const named = customers(1);
    cpSync(join(named, 'c0.npz'), join(named, '1.npz'));
    await expect(trainFleet(runtime, fleetOf(dir), named)).rejects.toThrow(
      '1.npz: "1" is no name of a column, expected a letter',
    );
  }, 60_000);

  it('is interrupted between columns, which stay', async () => {
    const [folder, data] = [fleetOf(dir), customers(4)];
    const controller = new AbortController();
    const onColumn = ({ done }: { readonly done: number }) => {
      if (done === 2) controller.abort();
    };
    await expect(trainFleet(runtime, folder, data, { signal: controller.signal, onColumn })).rejects.toThrow(
      'interrupted after 2 of 4 columns; the same command goes on',
    );
    expect((await trainFleet(runtime, folder, data)).there).toEqual(['c0', 'c1']);
  }, 60_000);
});

const plainPython = environment('.venv');
it.skipIf(plainPython.missing)(
  `Python trains the same columns, bit for bit${plainPython.note}`,
  async () => {
    for (const [layers, train] of [
      ['[[{ dense: 6 }, relu], [{ dense: 5 }, tanh]]', ', optimizer: adamw, clip: { norm: 1 }'],
      ['[[{ dense: 6 }, batch_norm, relu, { dropout: 0.5 }]]', ', optimizer: sgd, momentum: 0.9'],
    ] as const) {
      const workspace = await frozenWorkspace(
        description(['ann'], { blocks: layers, train }).replaceAll('batch: 8, seed: 2', 'batch: 9, seed: 2'),
      );
      const [folder, other, data] = [fleetOf(workspace), fleetOf(workspace), customers(2, 700)];
      await trainFleet(runtime, folder, data);
      python('.venv', 'ray/train.py', other, data, '--alone');
      for (const name of ['c0', 'c1']) {
        const [ours, theirs] = [folder, other].map((each) => readColumn(each, readFleet(each), name).record);
        expect(theirs?.sha256).toEqual(ours?.sha256);
        expect(theirs?.data).toEqual(ours?.data);
        expect(theirs?.outputs).toEqual(ours?.outputs);
        expect(theirs?.history).toEqual(ours?.history);
      }
      // what one has trained is there for the other
      expect(python('.venv', 'ray/train.py', folder, data, '--alone')).toMatchObject({ columns: 2, trained: 0, there: 2 });
      expect((await trainFleet(runtime, other, data)).there).toEqual(['c0', 'c1']);
    }
  },
  120_000,
);

describe('prognet fleet train', () => {
  it('killed in the middle it goes on, nothing is trained twice, and nobody else works there meanwhile', async () => {
    const [folder, data] = [fleetOf(dir), customers(10, 1000)];
    const first = begin(folder, data, '--jobs', '1');
    await when(first.child, first.said, /column 1\/10: /);
    first.child.kill('SIGSTOP');
    const other = begin(folder, data);
    expect(await other.ended).toBe(2);
    expect(other.said.err).toMatch(
      new RegExp(`^prognet: .*lock: process ${first.child.pid} works here since \\S+Z, wait for it or stop it\\n$`),
    );
    addToFleet(loadWorkspace(dir), folder, ['ann']);
    first.child.kill('SIGCONT');
    await when(first.child, first.said, /column 3\/10: /);
    first.child.kill('SIGKILL');
    await first.ended;
    const finished = new Map(columnsIn(folder).map((name) => [name, statSync(join(folder, 'columns', name)).ino]));
    expect(finished.size).toBeGreaterThan(2);
    expect(finished.size).toBeLessThan(10);
    const half = join(folder, `columns/.c9.safetensors.tmp-${readFileSync(join(folder, 'lock'), 'utf8').split(' ')[0]}-7`);
    writeFileSync(half, 'half');
    const second = begin(folder, data, '--json');
    expect(await second.ended).toBe(0);
    const found = JSON.parse(second.said.out);
    expect(found.there.map((name: string) => `${name}.safetensors`).sort()).toEqual([...finished.keys()].sort());
    expect(found.trained).toHaveLength(10 - finished.size);
    expect(columnsIn(folder)).toHaveLength(10);
    expect([existsSync(half), existsSync(join(folder, 'lock'))]).toEqual([false, false]);
    readColumn(folder, readFleet(folder), 'ann');
    for (const [name, ino] of finished) expect(statSync(join(folder, 'columns', name)).ino).toBe(ino);
    for (let i = 0; i < 10; i++) readColumn(folder, readFleet(folder), `c${i}`);
    const whole = fleetOf(dir);
    await trainFleet(runtime, whole, data);
    for (let i = 0; i < 10; i++) expect(weightsOf(folder, `c${i}`)).toBe(weightsOf(whole, `c${i}`));
  }, 120_000);

  it('says in one line what fails, and --keep-going tells it by the exit code', async () => {
    const [folder, data] = [fleetOf(dir), customers(3)];
    writeFileSync(join(data, 'c1.npz'), 'nonsense');
    const stopped = begin(folder, data, '--jobs', '1');
    expect(await stopped.ended).toBe(2);
    expect(stopped.said.err).toMatch(/^column 1\/3: c0 trained\nprognet: .*c1\.npz: .*\n$/);
    const going = begin(folder, data, '--keep-going');
    expect(await going.ended).toBe(2);
    expect(going.said.out).toMatch(/: 1 trained in [\d.]+ s, 1 were there, 1 failed, the first of them c1: .*c1\.npz: /);
    expect(columnsIn(folder).sort()).toEqual(['c0.safetensors', 'c2.safetensors']);
    for (const [args, message] of [
      [['fleet'], 'fleet train: no folder of data is named, expected one folder, such as: prognet fleet train fleet customers'],
      [['fleet', 'a', 'b'], 'fleet train: found "b", expected one folder'],
    ] as const) {
      const wrong = begin(...args);
      expect(await wrong.ended).toBe(2);
      expect(wrong.said.err).toContain(message);
    }
  }, 60_000);
});
