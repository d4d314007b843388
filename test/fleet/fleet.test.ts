// A fleet: models whose columns come with each run, answers that are those of the exported tasks, files that are checked, and what is refused.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFleet, readModel } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { writeNpy } from '../../src/formats/npy.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { verifyGraph } from '../../src/onnx/ir/verify.js';
import { inferTypes } from '../../src/onnx/ops/infer.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { addToFleet, exportFleet } from '../../src/tasks/export-fleet.js';
import { exportedModel } from '../../src/tasks/export-tasks.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { environment, python } from '../python/python.js';
import { runtime } from '../support/run.js';
import { description, frozenWorkspace, rows } from './fleet.js';

const names = ['ann', 'ben', 'cleo'];
const one = { threads: 1 };
const empty = () => join(mkdtempSync(join(tmpdir(), 'prognet-fleet-out-')), 'fleet');
const bits = (t: Tensor | undefined) => Buffer.from(must(t, 'tensor').bytes).toString('hex');
const near = (a: Tensor, b: Tensor) => Math.max(...a.numbers().map((v, i) => Math.abs(v - must(b.numbers()[i], 'b'))));

let dir = '';
let folder = '';
beforeAll(async () => {
  dir = await frozenWorkspace(description(names));
  folder = empty();
  exportFleet(loadWorkspace(dir), folder);
}, 120_000);

/** What the model of one task answers. */
async function exported(task: string, x: Tensor, workspace = dir) {
  const model = toBinary(exportedModel(loadWorkspace(workspace), { tasks: [task], probabilities: true }));
  const session = await runtime.createSession(model, one);
  const out = await session.run({ x });
  await session.release();
  return { scores: must(out[task], task), probabilities: out[`${task}_probabilities`], label: out[`${task}_label`] };
}

describe('export', () => {
  it('writes valid models, a file for each column, and what they are', () => {
    const fleet = readFleet(folder);
    expect(fleet).toMatchObject({ network: 'shop', inputs: ['x'], outputs: ['scores', 'probabilities', 'label'] });
    expect(Object.keys(fleet.sources)).toEqual(['base']);
    for (const form of ['required', 'adapter', 'stacked'] as const) {
      const model = fromBinary(readModel(folder, fleet, form));
      expect(() => verifyGraph(model.graph, inferTypes)).not.toThrow();
      const inputs = model.graph.inputs.map(({ name }) => name);
      for (const { name } of fleet.weights) expect(inputs).toContain(name);
    }
    expect(fleet.weights.map(({ name }) => name)).toContain('column/0/dense/weight');
  });

  it('columns of other shapes are refused, but for one that is named', async () => {
    const text = description(['ann', 'ben']).replace('task: ben, blocks: [[{ dense: 6 }', 'task: ben, blocks: [[{ dense: 9 }');
    const other = await frozenWorkspace(text.replace('seed: 1 }', 'seed: 9 }'));
    expect(() => exportFleet(loadWorkspace(other), empty())).toThrow(
      /^fleet: the columns "ann" and "ben" are of two shapes: .*units.*--task$/,
    );
    expect(exportFleet(loadWorkspace(other), empty(), { like: 'ben' }).columns).toEqual(['ben']);
    expect(() => addToFleet(loadWorkspace(other), folder, ['ben'])).toThrow(
      /columns\/ben: is a column of another shape, expected one of the shape/,
    );
    expect(() => addToFleet(loadWorkspace(other), folder, ['ann'])).toThrow(/was trained over another column "base", sha256/);
  }, 60_000);
});

it('onnxruntime-node ignores what it is fed in place of an initializer that is an input: columns must be required inputs', async () => {
  const fleet = readFleet(folder);
  const { tensors } = decodeSafetensors(readFileSync(join(folder, 'columns/ann.safetensors')));
  const feeds: Record<string, OrtTensor> = { x: new OrtTensor('float32', rows(2, 5).data as Float32Array, [2, 4]) };
  for (const [name, t] of tensors) feeds[name] = new OrtTensor('float32', t.data as Float32Array, [...t.dims]);
  const adapter = await InferenceSession.create(Buffer.from(readModel(folder, fleet, 'adapter')));
  // Should this fail, onnxruntime-node takes them by now, and one model would do for all.
  expect((await adapter.run(feeds)).scores?.data).toEqual(new Float32Array(6).fill(Number.NaN));
  const required = await InferenceSession.create(Buffer.from(readModel(folder, fleet, 'required')));
  expect((await required.run(feeds)).scores?.data).not.toContain(Number.NaN);
  await expect(required.run({ x: must(feeds.x, 'x') })).rejects.toThrow(/column\/0\/dense\/weight.*missing/);
});

const { missing, note } = environment('.venv');
it.skipIf(missing)(
  `Python takes a column as an adapter of ONNX Runtime, bit for bit as by feeding it${note}`,
  async () => {
    const x = rows(5, 21);
    const file = join(empty(), '..', 'x.npy');
    writeFileSync(file, writeNpy(x));
    for (const name of names) {
      const found = python('.venv', 'fleet_adapter.py', folder, name, file, 'x');
      expect(found).toEqual({ same: true, forgotten: true, scores: (await exported(name, x)).scores.numbers() });
    }
  },
  60_000,
);

describe('FleetRunner', () => {
  const variants = {
    'adapters and batch norms': [description(names), [4], 0],
    'linear laterals': [description(names, { kind: 'linear' }), [4], 0],
    'a head of numbers': [description(names, { head: '{ regress: 2 }' }), [4], 2],
    'columns that learn their preparation': [
      description(names).replaceAll('blocks: [[{ dense: 6 }', 'prepare: [standardise], blocks: [[{ dense: 6 }'),
      [4],
      0,
    ],
    'images under dense columns': [
      description(names, {
        input: '{ name: x, shape: [1, 6, 6] }',
        base: '[[{ conv2d: { filters: 3, kernel: 3 } }, relu], [flatten, { dense: 7 }, relu]]',
        blocks: '[[flatten, { dense: 6 }, relu], [{ dense: 5 }, relu]]',
      }),
      [1, 6, 6],
      0,
    ],
  } as const;

  it.each(Object.entries(variants))(
    '%s: answers as the exported tasks, one column bit for bit, mixed rows up to rounding',
    async (_, [text, shape, numbers]) => {
      const workspace = await frozenWorkspace(text, shape, numbers);
      const out = empty();
      expect(exportFleet(loadWorkspace(workspace), out)).toMatchObject({ columns: names, base: ['base'] });
      const runner = await FleetRunner.open(runtime, out, { session: one });
      const x = rows(9, 77, shape);
      const whole = new Map<string, Awaited<ReturnType<typeof exported>>>();
      for (const name of names) {
        const [got, want] = [await runner.run(name, { x }), await exported(name, x, workspace)];
        whole.set(name, want);
        expect(bits(got.scores)).toBe(bits(want.scores));
        if (want.label !== undefined)
          expect([bits(got.probabilities), bits(got.label)]).toEqual([bits(want.probabilities), bits(want.label)]);
      }
      const order = Array.from({ length: 9 }, (_, i) => must(names[(i * 2) % 3], 'name'));
      const mixed = await runner.runMixed(order, { x });
      const width = must(mixed.scores.dims[1], 'width');
      const want = order.flatMap((name, i) =>
        must(whole.get(name), name)
          .scores.numbers()
          .slice(i * width, (i + 1) * width),
      );
      expect(near(mixed.scores, Tensor.from('float32', want, [9, width]))).toBeLessThan(2e-6);
      expect(mixed.label?.dims).toEqual(want.length > 18 ? [9] : undefined);
      await runner.release();
    },
    120_000,
  );

  it('keeps no more columns than its memory takes, reads what was copied, and parts batches of more columns', async () => {
    const size = exportFleet(loadWorkspace(dir), empty()).bytesOfColumn;
    const runner = await FleetRunner.open(runtime, folder, { session: one, memory: 2 * size + 1 });
    expect([runner.capacity, runner.bytesOfColumn, runner.held]).toEqual([2, size, 0]);
    const x = rows(6, 3);
    const order = ['ann', 'ben', 'cleo', 'cleo', 'ben', 'ann'];
    const parted = await runner.runMixed(order, { x });
    const large = await FleetRunner.open(runtime, folder, { session: one });
    const whole = await large.runMixed(order, { x });
    expect([runner.held, large.held]).toEqual([2, 3]);
    expect(near(parted.scores, whole.scores)).toBeLessThan(2e-6);
    expect(parted.label?.data).toEqual(whole.label?.data);
    for (const name of [...names, ...names]) {
      expect(bits((await runner.run(name, { x })).scores)).toBe(bits((await exported(name, x)).scores));
      expect(runner.held).toBe(2);
    }
    // rows of few columns are runs of their own, bit for bit
    const many = rows(40, 4);
    const two = await runner.runMixed(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 'ann' : 'cleo')),
      { x: many },
    );
    const ann = await exported('ann', many);
    expect(near(two.scores, ann.scores)).toBeGreaterThan(0);
    expect(two.scores.numbers().slice(0, 3)).toEqual(ann.scores.numbers().slice(0, 3));
    await expect(FleetRunner.open(runtime, folder, { memory: size - 1 })).rejects.toThrow(
      `memory: found ${size - 1}, expected at least ${size} bytes, the weights of one column`,
    );
  });

  it('a column that is copied into a running fleet answers; one that replaces another takes its place', async () => {
    const copy = empty();
    exportFleet(loadWorkspace(dir), copy);
    rmSync(join(copy, 'columns/cleo.safetensors'));
    const runner = await FleetRunner.open(runtime, copy, { session: one });
    const x = rows(3, 8);
    await expect(runner.run('cleo', { x })).rejects.toThrow(
      /no column "cleo" in this fleet, expected columns\/cleo.safetensors in it$/,
    );
    await expect(runner.run('../cleo', { x })).rejects.toThrow(/no column/);
    copyFileSync(join(folder, 'columns/cleo.safetensors'), join(copy, 'columns/cleo.safetensors'));
    expect(bits((await runner.run('cleo', { x })).scores)).toBe(bits((await exported('cleo', x)).scores));
    expect(runner.columns).toEqual(names);
    copyFileSync(join(folder, 'columns/ann.safetensors'), join(copy, 'columns/cleo.safetensors'));
    await expect(runner.run('cleo', { x })).rejects.toThrow(
      /holds the column "ann", expected the column "cleo", as the file is called/,
    );
  });

  it('a place outside of the banks makes the run fail', async () => {
    const session = await runtime.createSession(readModel(folder, readFleet(folder), 'stacked'), one);
    const banks = Object.fromEntries(
      readFleet(folder).weights.map(({ name, shape }) => [name, Tensor.zeros('float32', [2, ...shape])]),
    );
    const ask = (place: bigint) =>
      session.run({ x: rows(1, 1), ...banks, column: new Tensor('int64', [1], BigInt64Array.of(place)) });
    expect((await ask(1n)).scores?.dims).toEqual([1, 3]);
    for (const place of [-1n, 2n, -2n]) await expect(ask(place)).rejects.toThrow(/out of/);
  });
});

describe('files that were changed', () => {
  const changed = async (edit: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void) => {
    const copy = empty();
    exportFleet(loadWorkspace(dir), copy);
    const file = join(copy, 'columns/ann.safetensors');
    const read = decodeSafetensors(readFileSync(file));
    const [tensors, metadata] = [new Map(read.tensors), { ...read.metadata }];
    edit(tensors, metadata);
    writeFileSync(file, encodeSafetensors(tensors, metadata));
    const runner = await FleetRunner.open(runtime, copy, { session: one });
    return runner.run('ann', { x: rows(1, 1) });
  };
  const bias = 'column/1/dense/bias';

  it('a weight, a record, a base, a shape', async () => {
    await expect(changed((tensors) => must(tensors.get(bias), bias).bytes.set([1], 2))).rejects.toThrow(
      /its weights were changed, sha256/,
    );
    await expect(
      changed((_, metadata) => Object.assign(metadata, { column: metadata.column?.replace('"seed":2', '"seed":3') })),
    ).rejects.toThrow(/ann.safetensors: column: changed since it was frozen/);
    await expect(changed((_, metadata) => delete metadata.column)).rejects.toThrow(
      /has no record of a column, expected a column of a fleet/,
    );
    await expect(changed((tensors) => tensors.delete(bias))).rejects.toThrow(
      /has no weight "column\/1\/dense\/bias", expected float32 \[5\]/,
    );
    await expect(changed((tensors) => tensors.set(bias, Tensor.zeros('float32', [6])))).rejects.toThrow(
      /is float32 \[6\], expected float32 \[5\]/,
    );
    await expect(changed((tensors) => tensors.set('more', Tensor.zeros('float32', [1])))).rejects.toThrow(
      /holds "more", which is no weight/,
    );
  });

  it('a model', async () => {
    const copy = empty();
    exportFleet(loadWorkspace(dir), copy);
    copyFileSync(join(copy, 'stacked.onnx'), join(copy, 'model.onnx'));
    await expect(FleetRunner.open(runtime, copy)).rejects.toThrow(
      /model.onnx: sha256 is \w+\.\., expected \w+\.\., as fleet.json says/,
    );
  });
});

it('a fleet without a stacked form, as earlier versions made of convolutions, answers mixed rows in runs of their own', async () => {
  const copy = empty();
  exportFleet(loadWorkspace(dir), copy);
  const file = join(copy, 'fleet.json');
  const { models, ...fleet } = JSON.parse(readFileSync(file, 'utf8'));
  const { stacked: _, ...others } = models;
  writeFileSync(file, JSON.stringify({ ...fleet, models: others, unstacked: 'stacked form: Conv is not in it' }));
  expect(() => readModel(copy, readFleet(copy), 'stacked')).toThrow(/this fleet has no stacked form: stacked form: Conv/);
  const runner = await FleetRunner.open(runtime, copy, { session: one });
  const x = rows(6, 9);
  const mixed = await runner.runMixed([...names, ...names], { x });
  for (const [i, name] of [...names, ...names].entries()) {
    const { scores } = await exported(name, x);
    expect(mixed.scores.numbers().slice(3 * i, 3 * i + 3)).toEqual(scores.numbers().slice(3 * i, 3 * i + 3));
  }
  await expect(runner.runMixed([], { x: rows(0, 9) })).rejects.toThrow(
    'runMixed: found no columns, expected a name for each row, one at least',
  );
  await expect(runner.runMixed(['ann'], { x })).rejects.toThrow(
    'runMixed: the input "x" has 6 rows, expected 1, one for each name of a column',
  );
  await runner.release();
}, 60_000);
