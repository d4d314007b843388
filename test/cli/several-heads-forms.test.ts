// Columns with several heads where models go: routed models, whose outputs are those of the heads, folders for Triton and KServe, the Node service; and their
// data on disk, which are those in memory.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadHeads } from '../../src/data/heads.js';
import { inMemory } from '../../src/data/rows.js';
import { loadRows } from '../../src/data/sources.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { int64, Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { runModel } from '../support/run.js';
import { ask, serve } from '../support/service.js';
import { expectRows } from '../support/stored-rows.js';
import { okIn, prognet, workspace } from './support.js';

const [rows, width] = [9000, 70];
const random = new Random(3, 'forms of heads');
const x = Float32Array.from({ length: rows * width }, () => random.normal());
const first = (row: number, i = 0) => x[row * width + i] ?? 0;
const numbers = (of: (row: number) => number) => Array.from({ length: rows }, (_, row) => of(row));
const heads = (weight: number) =>
  `{ group: { classify: { classes: 3, names: [low, middle, high] } }, age: { regress: 1, weight: ${weight} } }`;
const column = (task: string, rest: string) => `  - { task: ${task}, data: ${rest}, train: { epochs: 1, batch: 256, lr: 0.01 } }`;
const blocks = 'blocks: [[{ dense: 8 }, relu]]';
const yaml = `prognet: 1
name: forms
input: { name: x, shape: [${width}] }
columns:
${column('one', `data.npz, ${blocks}, heads: ${heads(0.5)}`)}
${column('two', `{ source: data.npz, targets: { age: years } }, ${blocks}, heads: ${heads(2)}, laterals: { kind: linear }`)}
${column('stored', `{ source: data.npz, memory: 1.5MB }, ${blocks}, heads: ${heads(0.5)}, laterals: none`)}
`;

let dir = '';
const at = (name: string) => join(dir, name);
const ok = (...args: string[]) => okIn(dir, ...args);
const model = (name: string) => fromBinary(readFileSync(at(name)));
const asked = new Tensor('float32', [6, width], x.slice(0, 6 * width));
const near = (a: Tensor | undefined, b: Tensor | undefined, within = 1e-5) => {
  const [left, right] = [must(a, 'a').numbers(), must(b, 'b').numbers()];
  expect(left).toHaveLength(right.length);
  for (const [i, v] of left.entries()) expect(Math.abs(v - (right[i] ?? Number.NaN))).toBeLessThan(within);
};

beforeAll(() => {
  dir = workspace(yaml);
  const arrays = {
    x: new Tensor('float32', [rows, width], x),
    group: Tensor.from(
      'int64',
      numbers((row) => (first(row) > 0.5 ? 2 : first(row, 1) > 0 ? 1 : 0)),
      [rows],
    ),
    age: Tensor.from(
      'float32',
      numbers((row) => first(row, 2) + 1),
      [rows],
    ),
    years: Tensor.from(
      'float32',
      numbers((row) => first(row, 3) - 1),
      [rows],
    ),
  };
  writeFileSync(at('data.npz'), writeNpz(new Map(Object.entries(arrays))));
  ok('train', '--all', '--quiet', '--threads', '1');
}, 120_000);

describe('a routed model', () => {
  it('gives what each head of the task asked for gives, under the names of the heads', async () => {
    ok('export', '--all', '--probabilities', '--label-names', '-o', at('all.onnx'), '--quiet');
    ok('export', '--routed', '--probabilities', '--label-names', '--card', '-o', at('routed.onnx'), '--quiet');
    const routed = model('routed.onnx');
    const names = ['group_scores', 'group_probabilities', 'group_label', 'group_label_name', 'age_scores'];
    expect(routed.graph.outputs.map(({ name }) => name)).toEqual(names);
    const all = await runModel(model('all.onnx'), { x: asked });
    for (const [id, task] of ['one', 'two', 'stored'].entries()) {
      const own = await runModel(routed, { x: asked, task_id: int64([id]) });
      near(own.group_scores, all[`${task}_group`]);
      near(own.group_probabilities, all[`${task}_group_probabilities`]);
      near(own.age_scores, all[`${task}_age`]);
      expect(own.group_label?.numbers()).toEqual(all[`${task}_group_label`]?.numbers());
      expect(own.group_label_name?.data).toEqual(all[`${task}_group_label_name`]?.data);
    }
    const other = await runModel(routed, { x: asked, task_id: int64([1]) });
    expect(other.age_scores?.numbers()).not.toEqual(all.one_age?.numbers());
    expect(readFileSync(at('routed.md'), 'utf8')).toMatch(/## Task `two`: group classify, age regress\n+(.*\n)+?.*`age_scores`/);
  });

  it('is measured in another precision head by head', () => {
    const said = JSON.parse(ok('export', '--routed', '--precision', 'fp16', '-o', at('half.onnx'), '--json', '--quiet'));
    const { tasks } = said.measured;
    expect(tasks.map(({ task, metric }: { task: string; metric: { name: string } }) => [task, metric.name])).toEqual(
      ['one', 'two', 'stored'].map((task) => [task, 'accuracy']),
    );
    for (const { largestDifference } of tasks) expect(largestDifference).toBeLessThan(0.05);
  });

  it('answers in the Node service as predict does', async () => {
    ok('deploy', 'node', '--form', 'routed', '-o', at('service'), '--quiet');
    const url = await serve(at('service'));
    const body = JSON.stringify({ inputs: [0, 1].map((row) => [...x.slice(row * width, (row + 1) * width)]) });
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    writeFileSync(at('asked.npz'), writeNpz(new Map([['x', new Tensor('float32', [2, width], x.slice(0, 2 * width))]])));
    for (const task of ['one', 'two']) {
      const said = Object(await (await ask(`${url}/predict/${task}`, request)).json());
      const { answers } = JSON.parse(ok('predict', task, '--input', at('asked.npz'), '--json', '--quiet'));
      expect(said.heads.group.names).toEqual(answers.map(({ group }: { group: { name: string } }) => group.name));
      answers.forEach(({ age }: { age: { values: number[] } }, row: number) => {
        expect(said.heads.age.scores[row][0]).toBeCloseTo(Number(age.values[0]), 5);
      });
    }
  });
});

it('folders for Triton and KServe say the outputs of each head, and their models give them', async () => {
  ok('deploy', 'triton', '-o', at('triton'), '--quiet');
  ok('deploy', 'kserve', '-o', at('kserve'), '--form', 'routed', '--quiet');
  const config = readFileSync(at('triton/one/config.pbtxt'), 'utf8');
  const told = [...config.matchAll(/name: "(\w+)"\n {4}data_type: (\w+)\n {4}dims: (\[ \S+ \])/g)].map((m) => m.slice(1));
  expect(told).toEqual([
    ['x', 'TYPE_FP32', `[ ${width} ]`],
    ['one_group', 'TYPE_FP32', '[ 3 ]'],
    ['one_group_probabilities', 'TYPE_FP32', '[ 3 ]'],
    ['one_group_label', 'TYPE_INT64', '[ 1 ]'],
    ['one_age', 'TYPE_FP32', '[ 1 ]'],
  ]);
  expect(readFileSync(at('triton/one/one_group.labels.txt'), 'utf8')).toBe('low\nmiddle\nhigh\n');
  expect(config).toContain('label_filename: "one_group.labels.txt"');
  const own = await runModel(model('triton/one/1/model.onnx'), { x: asked });
  const routed = readFileSync(at('kserve/models/forms/config.pbtxt'), 'utf8');
  expect([...routed.matchAll(/ {4}name: "(\w+)"/g)].map(([, name]) => name)).toEqual([
    'x',
    'task_id',
    'group_scores',
    'group_probabilities',
    'group_label',
    'age_scores',
  ]);
  const same = await runModel(model('kserve/models/forms/1/model.onnx'), { x: asked, task_id: int64([0]) });
  near(same.group_probabilities, own.one_group_probabilities);
  near(same.age_scores, own.one_age);
});

it('targets on disk are those in memory, and a column that is trained from them is proven', async () => {
  const { tasks } = JSON.parse(ok('verify', '--json'));
  expect(tasks.map(({ task, identical }: { task: string; identical: boolean }) => [task, identical])).toEqual(
    ['one', 'two', 'stored'].map((task) => [task, true]),
  );
  const classify = { kind: 'classify', size: 3, names: ['low', 'middle', 'high'] } as const;
  const named = [
    { ...classify, name: 'group' },
    { kind: 'regress', size: 1, name: 'age' },
  ] as const;
  const load = (memory?: string) =>
    loadHeads(
      { source: 'data.npz', ...(memory !== undefined && { memory }) },
      { baseDir: dir, cache: at('other'), heads: named },
      (spec, context) => loadRows(spec, context),
    );
  const [onDisk, whole] = [await load('1.5MB'), await load()];
  for (const part of ['train', 'test'] as const) {
    const { inputs } = onDisk[part];
    expect(inMemory(inputs as Tensor)).toBe(false);
    expectRows(whole[part].inputs as Tensor, inputs);
    expect(onDisk[part].targets.bytes).toEqual(whole[part].targets.bytes);
  }
});

it('tasks of other heads are refused together in one line', () => {
  const bad = workspace(
    yaml
      .replace('targets: { age: years } }', 'targets: { size: years } }')
      .replace('age: { regress: 1, weight: 2 }', 'size: { regress: 1 }'),
  );
  writeFileSync(join(bad, 'data.npz'), readFileSync(at('data.npz')));
  okIn(bad, 'train', '--all', '--quiet', '--threads', '1');
  const { status, stderr } = prognet('export', '--routed', '-o', 'r.onnx', '-C', bad);
  expect([status, stderr.trimEnd().split('\n').at(-1)]).toEqual([
    2,
    'prognet: a routed model has one set of outputs for all tasks: task "one" has the heads group, age, task "two" has the heads group, size; choose tasks of the same heads, or another form',
  ]);
});
