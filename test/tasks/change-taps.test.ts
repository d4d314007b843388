// Other taps of an imported column that is frozen: its weights and answers stay, what is trained over it keeps what it reads or the change is refused, and
// a kill leaves what the same command finishes.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { changeTaps } from '../../src/tasks/change-taps.js';
import { exportedModel } from '../../src/tasks/export-tasks.js';
import { importTask } from '../../src/tasks/import-task.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { verifyTask } from '../../src/tasks/verify.js';
import { prognet } from '../cli/support.js';
import { deepHidden, waves } from '../support/deep-hidden.js';
import { runModel, runtime } from '../support/run.js';

const rows = Tensor.from('float32', waves(24 * 6, 3), [24, 6]);

/** relu0 to relu3, scores beside them. */
function deep(): Model {
  const g = ops({ name: 'deep' });
  const h = deepHidden(g);
  g.output(g.matMul(h, g.initializer('v', Tensor.from('float32', waves(24, 9), [8, 3]))), 'y');
  return g.model();
}

const next = (laterals: string, task = 'next') => `  # what comes after
  - task: ${task}
    data: d.npz
    blocks: [[{ dense: 4 }, relu]]
    head: { classify: 3 }
    laterals: ${laterals}
    train: { epochs: 1, batch: 8, seed: 1 }
`;
const named = '{ kind: linear, taps: { head: relu2 } }';

let begun = '';
let dir = '';
const at = (...path: string[]) => join(dir, ...path);
const bytes = (...path: string[]) => readFileSync(at(...path));
const text = () => bytes('prognet.yaml').toString();
const taps = (...names: string[]) => changeTaps(runtime, dir, 'base', { taps: names, threads: 1 });
const tapsNow = () => loadWorkspace(dir).columns.column('base').imported?.taps;
const outputs = () => fromBinary(bytes('imported', 'base.onnx')).graph.outputs.map((v) => v.name);
/** Beside its graph the file says how each column is described. */
const exported = (task: string): Model => {
  const model = exportedModel(loadWorkspace(dir), { tasks: [task] });
  model.metadata = new Map();
  return model;
};
const exportedBytes = (task: string) => Buffer.from(toBinary(exported(task)));
/** All files that the change may touch. */
const state = () => ['prognet.yaml', 'imported/base.onnx', 'columns/base/column.json'].map((path) => bytes(path));

beforeAll(async () => {
  begun = mkdtempSync(join(tmpdir(), 'prognet-taps-'));
  saveModel(deep(), join(begun, 'deep.onnx'));
  const labels = Tensor.from(
    'int64',
    Array.from({ length: 24 }, (_, i) => i % 3),
  );
  const parts = { x_train: rows, y_train: labels, x_test: rows, y_test: labels };
  writeFileSync(join(begun, 'd.npz'), writeNpz(new Map(Object.entries(parts))));
  await importTask(runtime, begun, true, join(begun, 'deep.onnx'), {
    task: 'base',
    taps: ['relu0', 'relu2'],
    head: 'classify',
    data: 'd.npz',
    threads: 1,
  });
});

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'prognet-taps-')), 'family');
  cpSync(begun, dir, { recursive: true });
});

const add = (part: string) => writeFileSync(at('prognet.yaml'), `${text()}${part}`);

describe('nothing is trained over it', () => {
  it('has the new taps, the weights and the answers of before', async () => {
    add(next('{ kind: linear }'));
    const weights = [statSync(at('columns/base/weights.safetensors')).ino, bytes('columns/base/weights.safetensors')];
    const [model, record] = [exportedBytes('base'), JSON.parse(bytes('columns/base/column.json').toString())];
    expect(await taps('relu1', 'relu3', 'relu0')).toEqual({
      workspace: dir,
      task: 'base',
      taps: [
        { name: 'relu1', shape: [8] },
        { name: 'relu3', shape: [8] },
        { name: 'relu0', shape: [8] },
      ],
      // Spread by depth: of three taps the second into the block, the third into the head.
      readers: [{ task: 'next', taps: ['relu0'] }],
    });
    expect(tapsNow()).toEqual(['relu1', 'relu3', 'relu0']);
    expect(outputs()).toEqual(['relu1', 'relu3', 'relu0', 'y']);
    expect(text()).toContain('# what comes after');
    expect(text()).toContain('        - { name: relu1, shape: [ 8 ] }\n        - { name: relu3, shape: [ 8 ] }\n');
    expect([statSync(at('columns/base/weights.safetensors')).ino, bytes('columns/base/weights.safetensors')]).toEqual(weights);
    expect(statSync(at('columns/base/column.json')).mode & 0o777).toBe(0o444);
    const own = { description: '', self: '', sha256: record.sha256 };
    const now = JSON.parse(bytes('columns/base/column.json').toString());
    expect({ ...now, ...own }).toEqual({ ...record, ...own });
    expect(exportedBytes('base')).toEqual(model);
    expect((await verifyTask(runtime, loadWorkspace(dir), 'base')).identical).toBe(true);
    // And back: all that the graph computes is there still.
    await taps('relu0', 'relu2');
    expect(outputs()).toEqual(['relu0', 'relu2', 'y']);
    expect(bytes('imported/base.onnx')).toEqual(readFileSync(join(begun, 'imported/base.onnx')));
    expect({ ...JSON.parse(bytes('columns/base/column.json').toString()) }).toEqual(record);
  });

  it('a column trained then reads the values of the file', async () => {
    add(next('{ kind: linear, taps: { head: relu3 } }'));
    // Not a tap yet.
    await expect(taps('relu1', 'relu3')).rejects.toThrow(
      /prognet\.yaml: columns\[1\]\.laterals\.taps\.head: "base" has no tap "relu3"/,
    );
    writeFileSync(at('prognet.yaml'), text().replace('taps: { head: relu3 }', 'taps: { head: 1 }'));
    await taps('relu1', 'relu3');
    await trainTask(runtime, dir, 'next', { threads: 1 });
    const loaded = loadWorkspace(dir);
    const model = exported('next');
    const tensors = must(loaded.frozen.get('next'), 'next').tensors;
    model.graph.outputs = [...model.graph.values()].filter((v) => v.name === 'base/relu3');
    const { 'base/relu3': tap } = await runModel(model, { x: rows });
    const original = deep();
    original.graph.outputs = [...original.graph.values()].filter((v) => v.name === 'relu3');
    expect(Buffer.compare(must(tap, 'tap').bytes, must((await runModel(original, { x: rows })).relu3, 'relu3').bytes)).toBe(0);
    expect([...tensors.keys()].some((name) => name.includes('base'))).toBe(true);
  });

  it('a backbone gives its new last tap, with the bits of the file', async () => {
    const path = at('bare');
    await importTask(runtime, path, true, at('deep.onnx'), {
      task: 'bare',
      head: 'none',
      backbone: true,
      taps: ['relu1', 'relu3'],
    });
    const bits = async (name: string) => {
      const original = deep();
      original.graph.outputs = [...original.graph.values()].filter((v) => v.name === name);
      return must((await runModel(original, { x: rows }))[name], name).bytes;
    };
    for (const name of ['relu2', 'relu3']) {
      await changeTaps(runtime, path, 'bare', { taps: ['relu0', name] });
      const loaded = loadWorkspace(path);
      const { bare } = await runModel(exportedModel(loaded, { tasks: ['bare'] }), { x: rows });
      expect(Buffer.compare(must(bare, 'bare').bytes, await bits(name))).toBe(0);
      expect((await verifyTask(runtime, loaded, 'bare')).identical).toBe(true);
    }
  });

  it('scores of each step, of which it was said that they are', async () => {
    const g = ops({ name: 'steps' });
    const x = g.input('x', 'float32', ['N', 5, 3]);
    const h = g.relu(g.matMul(x, g.initializer('w', Tensor.from('float32', waves(12), [3, 4]))));
    h.name = 'h';
    g.output(g.reshape(g.matMul(h, g.initializer('v', Tensor.from('float32', waves(4), [4, 1]))), [0, 5, 1]), 'y');
    saveModel(g.model(), at('steps.onnx'));
    const [input, targets] = [Tensor.from('float32', waves(120), [8, 5, 3]), Tensor.zeros('float32', [8, 5])];
    const parts = { x_train: input, y_train: targets, x_test: input, y_test: targets };
    writeFileSync(at('steps.npz'), writeNpz(new Map(Object.entries(parts))));
    const layouts = new Map([['y', 'NTF' as const]]);
    const given = { task: 'steps', head: 'regress', data: '../steps.npz', taps: ['h'], layouts, threads: 1 } as const;
    await importTask(runtime, at('each'), true, at('steps.onnx'), given);
    expect(await changeTaps(runtime, at('each'), 'steps', { taps: ['MatMul/out', 'h'] })).toMatchObject({
      taps: [{ name: 'MatMul/out' }, { name: 'h' }],
    });
    expect((await verifyTask(runtime, loadWorkspace(at('each')), 'steps')).identical).toBe(true);
  });

  it('the layout of a tap alone, and taps that are found', async () => {
    const out = prognet('import', '--task', 'base', '--taps', 'auto:3', '-C', dir, '--json');
    expect(out).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(out.stdout).taps.map((t: { name: string }) => t.name)).toHaveLength(3);
    expect(prognet('import', '--task', 'base', '--layout', 'relu0=NHWC', '-C', dir).stderr).toMatch(
      /^prognet: imported\/base\.onnx: the tap "relu0" is float32\[N,8\], its layout cannot be NHWC\n$/,
    );
  });

  it('a description that holds the graph itself', async () => {
    const loaded = loadWorkspace(dir);
    const value = { prognet: 1, name: 'family', input: { name: 'x', shape: [6] }, columns: [loaded.description.columns[0]] };
    const { task, data, onnx, head } = must(value.columns[0], 'column');
    rmSync(at('prognet.yaml'));
    writeFileSync(at('prognet.json'), JSON.stringify({ ...value, columns: [{ task, data, onnx, head }] }));
    rmSync(at('imported'), { recursive: true });
    await taps('relu3');
    expect(tapsNow()).toEqual(['relu3']);
    expect(existsSync(at('imported'))).toBe(false);
  });
});

describe('something is trained over it', () => {
  const train = async (laterals: string, freeze: boolean) => {
    add(next(laterals));
    await trainTask(runtime, dir, 'next', { threads: 1, freeze });
  };

  it('taps come at the end, where it names its own; its bytes stay', async () => {
    await train(named, true);
    const before = exportedBytes('next');
    await taps('relu0', 'relu2', 'relu3');
    expect(exportedBytes('next')).toEqual(before);
    expect((await verifyTask(runtime, loadWorkspace(dir), 'next')).identical).toBe(true);
    // Taps that it does not read may be others.
    await taps('relu1', 'relu2');
    expect(exportedBytes('next')).toEqual(before);
  });

  it.each([
    ['frozen', true, 'is frozen'],
    ['trained', false, 'is trained'],
  ])('one that is %s keeps what it reads', async (_, freeze, what) => {
    await train(named, freeze);
    const before = state();
    const refused = async (now: string, ...names: string[]) => {
      await expect(taps(...names)).rejects.toThrow(
        `task "next" ${what} and reads relu2 of "base", it would ${now}: keep them in their places and name them in its laterals, or take that back first`,
      );
      expect(state()).toEqual(before);
    };
    await expect(taps('relu0', 'relu3')).rejects.toThrow(
      'task "next" names the tap "relu2" of "base" in columns[1].laterals.taps: keep it',
    );
    writeFileSync(at('prognet.yaml'), text().replace(named, '{ kind: linear, taps: { head: 1 } }'));
    before[0] = bytes('prognet.yaml');
    await refused('read relu3', 'relu0', 'relu3');
    await refused('read relu0', 'relu2', 'relu0');
    writeFileSync(at('prognet.yaml'), text().replace('taps: { head: 1 }', 'from: all'));
    before[0] = bytes('prognet.yaml');
    await refused('read relu3', 'relu0', 'relu2', 'relu3');
    expect(prognet('import', '--task', 'base', '--taps', 'relu3', '-C', dir)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^prognet: task "next" [^\n]*, or take that back first: prognet reset next\n$/),
    });
  });

  it('a column that tunes it', async () => {
    add(
      '  - task: tuned\n    data: d.npz\n    tune: { base: base, lora: { rank: 1 } }\n    head: { classify: 3 }\n    train: { epochs: 1, batch: 8 }\n',
    );
    await trainTask(runtime, dir, 'tuned', { threads: 1, freeze: false });
    await expect(taps('relu0', 'relu2', 'relu3')).rejects.toThrow(
      'task "tuned" is trained and tunes "base": take that back first',
    );
  });
});

describe('what cannot be', () => {
  const stderr = (...args: string[]) => {
    const ran = prognet('import', ...args, '-C', dir);
    expect(ran.status).toBe(2);
    return ran.stderr.slice('prognet: '.length, -1);
  };

  it('is one line', async () => {
    const before = state();
    await expect(taps('relu9')).rejects.toThrow(
      'imported/base.onnx: computes no "relu9", it computes: MatMul/out, relu0, MatMul_1/out, relu1, MatMul_2/out, relu2, MatMul_3/out, relu3, y',
    );
    await expect(changeTaps(runtime, dir, 'none', {})).rejects.toThrow('unknown task "none", the description has: base');
    expect(stderr('--task', 'base')).toBe(
      'found no model, expected an ONNX model or a workspace; or --taps, other taps of a task that is here',
    );
    expect(stderr('--task', 'base', '--taps', 'relu1', '--data', 'd.npz')).toBe(
      '--data: found without a model, expected --taps and --layout alone',
    );
    expect(stderr('--task', 'base', '--taps', 'relu1', '-o', dir)).toBe(
      '--output: found without a model, expected --taps and --layout alone',
    );
    add(next('none'));
    await expect(changeTaps(runtime, dir, 'next', { taps: ['relu1'] })).rejects.toThrow(
      'task "next" has layers: its blocks are its taps, expected the task of an imported column that is frozen',
    );
    expect(state().slice(1)).toEqual(before.slice(1));
  });

  it('a graph of two columns', async () => {
    writeFileSync(at('prognet.yaml'), `${text()}${text().slice(text().indexOf('  - task')).replace('task: base', 'task: twin')}`);
    await expect(taps('relu1')).rejects.toThrow(
      'imported/base.onnx is the graph of "twin" as well: copy it, and name the copy in the description',
    );
  });
});

describe('killed', () => {
  const files = ['imported/base.onnx', 'columns/base/column.json', 'prognet.yaml'];

  it.each([1, 2])('after %i of its files, the same command finishes it', async (count) => {
    const whole = `${dir}-whole`;
    cpSync(dir, whole, { recursive: true });
    await changeTaps(runtime, whole, 'base', { taps: ['relu1', 'relu3'], threads: 1 });
    for (const file of files.slice(0, count)) {
      rmSync(at(file));
      cpSync(join(whole, file), at(file));
    }
    const note = at('columns/base/.column.json.pending');
    writeFileSync(note, '["column.json"]\n');
    expect(prognet('check', '-C', dir)).toMatchObject({
      status: 2,
      stderr:
        'prognet: columns/base: a change of its taps was interrupted: say them again with prognet import --task base --taps <names>\n',
    });
    await taps('relu1', 'relu3');
    expect(existsSync(note)).toBe(false);
    for (const file of files) expect(bytes(file), file).toEqual(readFileSync(join(whole, file)));
  });
});
