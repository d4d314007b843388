// Columns with several heads as a user runs them: trained from tables and arrays by the names of their targets, proven, asked, exported in every form that
// there is, served; outside the same as inside. What does not fit is one line.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { environment, python } from '../python/python.js';
import { parquet } from '../support/parquet.js';
import { runModel } from '../support/run.js';
import { ask, serve } from '../support/service.js';
import { lastLine, okIn, prognet, workspace } from './support.js';

const rows = 120;
const random = new Random(8, 'people');
const people = Array.from({ length: rows }, () => {
  const [height, weight] = [140 + 60 * random.uniform(), 40 + 60 * random.uniform()];
  const group = height > 180 ? 2 : weight > 75 ? 1 : 0;
  return { height, weight, group, age: height / 40 + weight / 50, tags: [Number(height > 170), Number(weight > 60)] };
});
const groups = ['light', 'heavy', 'tall'];
const table = ['height,group,weight,age', ...people.map((p) => [p.height, groups[p.group], p.weight, p.age].join(','))].join(
  '\n',
);

const train = 'train: { epochs: 6, batch: 16, lr: 0.02 }';
const heads = '{ group: { classify: { classes: 3, names: [light, heavy, tall] } }, age: { regress: 1, weight: 0.5 } }';
const yaml = `prognet: 1
name: people
input:
  - { name: height, shape: [], prepare: [standardise] }
  - { name: weight, shape: [], prepare: [standardise] }
columns:
  - { task: people, data: people.csv, inputs: [height, weight], blocks: [[{ reshape: [1] }, { concat: weight }, { dense: 8 }, relu]], heads: ${heads}, ${train} }
  - { task: parquet, data: { source: people.parquet, targets: { kind: group } }, inputs: [height, weight], blocks: [[{ reshape: [1] }, { concat: weight }, { dense: 8 }, relu]],
      heads: { years: { regress: { outputs: 2, names: [age, weight_too] } }, kind: { classify: { classes: 3 } } }, ${train} }
  - { task: arrays, data: { source: people.npz, targets: { size: tags } }, blocks: [[{ reshape: [1] }, { dense: 4 }, relu]], heads: { size: { binary: 2 }, group: { classify: 3 } }, laterals: none, ${train} }
  - { task: named, data: people.npz, like: arrays, heads: { tags: { binary: { labels: 2, names: [large, heavy] } }, group: { classify: 3 } }, laterals: none, ${train} }
  - { task: folder, data: folder, like: arrays, heads: { age: { regress: 1 } }, laterals: none, ${train} }
`;

let dir = '';
const at = (name: string) => join(dir, name);
const ok = (...args: string[]) => okIn(dir, ...args);
/** The only number of a list. */
const numberIn = (list: unknown): number => Number(Array.isArray(list) ? list[0] : Number.NaN);
const answered = z.object({ answers: z.array(z.record(z.string(), z.record(z.string(), z.unknown()))) });

beforeAll(() => {
  dir = workspace(yaml);
  const column = (of: (p: (typeof people)[number]) => number) => Tensor.from('float32', people.map(of), [rows]);
  const classes = Tensor.from(
    'int64',
    people.map(({ group }) => group),
    [rows],
  );
  const tags = Tensor.from(
    'float32',
    people.flatMap((p) => p.tags),
    [rows, 2],
  );
  writeFileSync(at('people.csv'), table);
  writeFileSync(
    at('people.parquet'),
    parquet(
      ...(['height', 'weight', 'age'] as const).map((name) => ({ name, data: people.map((p) => p[name]), type: 'DOUBLE' })),
      { name: 'weight_too', data: people.map(({ weight }) => weight / 10), type: 'DOUBLE' },
      { name: 'group', data: people.map(({ group }) => group), type: 'INT32' },
    ),
  );
  writeFileSync(
    at('people.npz'),
    writeNpz(
      new Map([
        ['height', column((p) => p.height)],
        ['tags', tags],
        ['group', classes],
      ]),
    ),
  );
  mkdirSync(at('folder'));
  writeFileSync(at('folder/x.npy'), writeNpy(column((p) => p.height)));
  writeFileSync(
    at('folder/age.npy'),
    writeNpy(
      Tensor.from(
        'float32',
        people.map(({ age }) => age),
        [rows, 1],
      ),
    ),
  );
  const trained = lastLine(ok('train', '--all', '--json', '--threads', '1')).trained;
  for (const { heads: own, loss } of trained) {
    const losses = Object.entries(own as Record<string, { loss: number }>).map(
      ([name, head]) => head.loss * (name === 'age' && 'group' in own ? 0.5 : 1),
    );
    expect(loss).toBeCloseTo(
      losses.reduce((a, b) => a + b, 0),
      6,
    );
  }
  writeFileSync(at('asked.csv'), table.split('\n').slice(0, 6).join('\n'));
});

it('is proven, and measured head by head', () => {
  const { tasks } = JSON.parse(ok('verify', '--json'));
  expect(tasks.map(({ task, identical }: { task: string; identical: boolean }) => [task, identical])).toEqual(
    ['people', 'parquet', 'arrays', 'named', 'folder'].map((task) => [task, true]),
  );
  const [measured] = JSON.parse(ok('eval', 'people', '--json')).tasks;
  expect(Object.keys(measured.heads)).toEqual(['group', 'age']);
  expect(measured.heads.group.measures.outputs.map(({ name }: { name: string }) => name)).toEqual(groups);
  expect(measured.heads.group.metric.value).toBe(measured.heads.group.measures.overall.accuracy);
  expect(measured.heads.age.measures.overall.mae).toBeCloseTo(measured.heads.age.metric.value, 6);
  expect(measured.loss).toBeCloseTo(measured.heads.group.loss + 0.5 * measured.heads.age.loss, 8);
  const text = ok('eval', 'people');
  expect(text).toMatch(/^people group: loss \d\.\d{4}, accuracy \d\.\d{4}, .*macro f1/m);
  expect(text).toMatch(/^people age: loss \d+\.\d{4}, mae \d+\.\d{4}, rmse/m);
  expect(ok('inspect', 'people')).toMatch(/head +group classify, age regress\n/);
});

it('answers by the names of the heads in each format', () => {
  const { answers } = answered.parse(JSON.parse(ok('predict', 'people', '--input', at('asked.csv'), '--json')));
  expect(answers).toHaveLength(5);
  const [first] = answers;
  expect(Object.keys(first ?? {})).toEqual(['group', 'age']);
  expect(first?.group?.name).toBe(groups[Number(first?.group?.label)]);
  const lines = (format: string) => ok('predict', 'people', '--input', at('asked.csv'), '--format', format).trimEnd().split('\n');
  expect(lines('jsonl').map((line) => JSON.parse(line))).toEqual(answers);
  expect(lines('csv')[0]).toBe('group_label,group_probability_light,group_probability_heavy,group_probability_tall,age_value_0');
  expect(lines('csv')).toHaveLength(6);
  expect(lines('text')[0]).toMatch(/^group (light|heavy|tall): \d\.\d{4} \d\.\d{4} \d\.\d{4} \| age -?\d+\.\d{4}$/);
});

const { missing, note } = environment('.venv');

describe.skipIf(missing)(`outside as inside${note}`, () => {
  it.each(['people.onnx', 'all.onnx', 'fused.onnx'])('Python gives what predict says: %s', (file) => {
    const form = file === 'people.onnx' ? ['--task', 'people'] : ['--all', ...(file === 'fused.onnx' ? ['--fused'] : [])];
    ok('export', ...form, '--probabilities', '-o', at(file));
    const some = people.slice(0, 5);
    const feeds = { height: some.map(({ height }) => height), weight: some.map(({ weight }) => weight) };
    writeFileSync(at('taken.json'), JSON.stringify(feeds));
    const found = z.record(z.string(), z.array(z.unknown())).parse(python('.venv', 'answers.py', at(file), at('taken.json')));
    const { answers } = answered.parse(JSON.parse(ok('predict', 'people', '--input', at('asked.csv'), '--json')));
    answers.forEach(({ group, age }, i) => {
      expect(Number(found.people_group_label?.[i])).toBe(group?.label);
      const [inside, outside] = [group?.probabilities as number[], found.people_group_probabilities?.[i] as number[]];
      inside.forEach((p, j) => {
        expect(outside[j]).toBeCloseTo(p, 5);
      });
      expect(numberIn(found.people_age?.[i])).toBeCloseTo(numberIn(age?.values), 4);
    });
  });
});

it('exports name the outputs by task and head, and say what they mean', async () => {
  ok('export', '--task', 'people', '--probabilities', '--label-names', '--card', '-o', at('named.onnx'));
  const model = loadModel(at('named.onnx'));
  expect(model.graph.outputs.map(({ name }) => name)).toEqual([
    'people_group',
    'people_group_probabilities',
    'people_group_label',
    'people_group_label_name',
    'people_age',
  ]);
  expect(model.metadata.get('prognet.classes.people_group')).toBe(JSON.stringify(groups));
  const card = readFileSync(at('named.md'), 'utf8');
  expect(card).toContain('## Task `people`: group classify, age regress');
  expect(card).toContain('Names of `group`, from 0: `light`, `heavy`, `tall`.');
  expect(card).toContain('| group/accuracy |');
  ok('export', '--task', 'people', '--precision', 'fp16', '-o', at('half.onnx'));
  const feeds = { height: Tensor.from('float32', [150, 190], [2]), weight: Tensor.from('float32', [90, 60], [2]) };
  const [full, half] = [await runModel(model, feeds), await runModel(loadModel(at('half.onnx')), feeds)];
  for (const name of ['people_group', 'people_age'])
    must(full[name], name)
      .numbers()
      .forEach((v, i) => {
        expect(Math.abs((must(half[name], name).numbers()[i] ?? Number.NaN) - v)).toBeLessThan(0.02 * (1 + Math.abs(v)));
      });
});

it('the Node service answers head by head', async () => {
  ok('deploy', 'node', '--tasks', 'people', '-o', at('service'));
  const url = await serve(at('service'));
  const [told] = Object(await (await ask(`${url}/tasks`)).json()).tasks;
  expect(told.heads).toEqual({
    group: { classes: groups, outputs: ['scores', 'probabilities', 'labels'] },
    age: { outputs: ['scores'] },
  });
  const some = people.slice(0, 5);
  const body = JSON.stringify({ inputs: { height: some.map((p) => p.height), weight: some.map((p) => p.weight) } });
  const headers = { 'content-type': 'application/json' };
  const said = Object(await (await ask(`${url}/predict/people`, { method: 'POST', headers, body })).json());
  const { answers } = answered.parse(JSON.parse(ok('predict', 'people', '--input', at('asked.csv'), '--json')));
  expect(said.heads.group.names).toEqual(answers.map(({ group }) => group?.name));
  expect(said.heads.group.probabilities).toEqual(answers.map(({ group }) => group?.probabilities));
  expect(said.heads.age.scores).toEqual(answers.map(({ age }) => age?.values));
  const refused = await ask(`${url}/predict/people`, {
    method: 'POST',
    headers: { ...headers, accept: 'application/x-npy' },
    body,
  });
  expect([refused.status, Object(await refused.json()).error]).toEqual([
    406,
    'task "people" has several heads, whose answers are no one array: expected accept: application/json',
  ]);
});

it.each([
  [
    ['export', '--routed', '-o', 'r.onnx'],
    'a routed model has one set of outputs for all tasks: task "people" has the heads group, age, task "parquet" has the heads years, kind; choose tasks of the same heads, or another form',
  ],
  [
    ['predict', 'people', '--input', 'asked.csv', '--output', 'a.npy'],
    'task "people" has several heads, whose answers are no one array: expected --format json, jsonl, csv or text',
  ],
])('%j is refused', (args, line) => {
  const { status, stderr } = prognet(...args.map((arg) => (arg === 'asked.csv' ? at(arg) : arg)), '-C', dir);
  expect([status, stderr.trimEnd().split('\n').at(-1)]).toEqual([2, `prognet: ${line}`]);
});

describe('what does not fit is one line', () => {
  const column = (rest: string) =>
    yaml.replace(/columns:\n[\s\S]*/, `columns:\n  - { task: people, blocks: [[{ reshape: [1] }, { dense: 4 }]], ${rest} }\n`);
  it.each([
    ['head: { classify: 3 }, heads: { age: { regress: 1 } }', 'columns[0]: found "head" and "heads", expected one of them'],
    ['heads: {}', 'columns[0].heads: found {}, expected heads by name, as in { group: { classify: 4 }, age: { regress: 1 } }'],
    [
      'heads: [{ classify: 3 }]',
      'columns[0].heads: found [{"classify":3}], expected heads by name, as in { group: { classify: 4 }, age: { regress: 1 } }',
    ],
    [
      'heads: { age: 3 }',
      'columns[0].heads.age: found 3, expected a head, and its weight if it has another than 1, as in { regress: 1, weight: 0.1 }',
    ],
    ['heads: { age: { regress: 1, weight: 0 } }', 'columns[0].heads.age.weight: found 0, expected a positive number'],
    [
      'heads: { age: { regress: 1, wait: 2 } }',
      'columns[0].heads.age: found 2 keys ("regress", "wait"), expected one, the head\'s name',
    ],
    ['heads: { age: { regres: 1 } }', 'columns[0].heads.age: unknown head "regres", did you mean "regress"?'],
    ['heads: { age: { regress: { outputs: 0 } } }', 'columns[0].heads.age.regress.outputs: found 0, expected a positive integer'],
    [
      'heads: { age: { kind: none } }',
      'columns[0].heads.age: found {"kind":"none"}, expected a head, and its weight if it has another than 1, as in { regress: 1, weight: 0.1 }',
    ],
    [
      'heads: { "a b": { regress: 1 } }',
      'columns[0].heads: found "a b", expected a name: a letter, then letters, digits, "_" or "-", at most 100',
    ],
    [
      'heads: { age: { regress: { outputs: 1, each: step } } }',
      'columns[0].heads.age.regress.each: found "step", expected heads that answer samples where there are several',
    ],
    [
      'heads: { g: { classify: { classes: 3, class_weights: balanced } } }',
      'columns[0].heads.g.classify.class_weights: found "balanced", expected numbers where there are several heads',
    ],
    [
      'heads: { age: { regress: 1 }, g: { classify: { classes: 3, init: zeros } } }',
      'columns[0].heads.g.classify.init: found "zeros", expected the same "init" in all heads, which are one dense layer',
    ],
    [
      'heads: { age: { regress: 1 }, label: { classify: 3 } }',
      'columns[0].heads.label: has an output "people_label", the name of an output of task "people", expected a name of its own',
    ],
  ])('%s', (rest, line) => {
    const bad = workspace(column(rest));
    const { status, stderr } = prognet('check', '-C', bad);
    expect([status, stderr]).toEqual([2, `prognet: prognet.yaml: ${line}\n`]);
  });

  it('two heads of one name', () => {
    const { status, stderr } = prognet('check', '-C', workspace(column('heads: { age: { regress: 1 }, age: { regress: 2 } }')));
    expect(status).toBe(2);
    expect(stderr).toMatch(/^prognet: prognet\.yaml:\d+:\d+: Map keys must be unique, expected valid YAML\n$/);
  });

  it.each([
    [
      'data: { source: people.csv, targets: { sex: group } }',
      'columns[0].data.targets: no head is called "sex", expected one of "group", "age"',
    ],
    [
      'data: { source: people.csv, label: group }',
      'columns[0].data.label: is of one head, the column has several; expected "targets", the columns by head',
    ],
    [
      'data: { source: people.csv, targets: { age: years } }',
      /people\.csv: no column is named "years", expected one of "height", "group", "weight", "age"$/,
    ],
    [
      'data: { source: people.csv, columns: [height], targets: { age: height } }',
      /people\.csv: column 1 \("height"\) is a feature and the label, expected another label$/,
    ],
    [
      'data: { source: people.csv, columns: [height], targets: { group: age } }',
      /people\.csv: label column "age": holds \d\S+ at row 2, a classify head of 3 needs whole numbers 0\.\.2, one per row; /,
    ],
    [
      'data: { source: people.csv, transform: [one_hot] }',
      'columns[0].data.transform[0]: makes targets of one head, the column has several; expected none of them',
    ],
    [
      'data: mnist',
      /^prognet: columns\[0\]\.data: "mnist" gives one target, the column has several heads; expected a folder of \.npy files or a \.npz file or a \.csv file or /,
    ],
    [
      'data: people.npz',
      /people\.npz: arrays are "height", "tags", "group", expected x_train, age_train, x_test, age_test or x, age or height_train, age_train, height_test, age_test or height, age$/,
    ],
  ])('%s', (data, line) => {
    const bad = workspace(column(`${data}, heads: ${heads}`).replace(/ {2}- \{ name: weight.*\n/, ''));
    for (const name of ['people.csv', 'people.npz']) writeFileSync(join(bad, name), readFileSync(at(name)));
    const { status, stderr } = prognet('train', 'people', '-C', bad);
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    expect(status, stderr).toBe(2);
    if (typeof line === 'string') expect(last).toBe(`prognet: ${line}`);
    else expect(last).toMatch(line);
  });

  it('targets by head are for several heads', () => {
    const bad = workspace(
      column('data: { source: people.csv, targets: { age: age } }, head: { regress: 1 }').replace(
        / {2}- \{ name: weight.*\n/,
        '',
      ),
    );
    writeFileSync(join(bad, 'people.csv'), table);
    const { status, stderr } = prognet('train', 'people', '-C', bad);
    expect([status, stderr]).toEqual([
      2,
      'prognet: columns[0].data.targets: is for columns with several heads, expected "label"\n',
    ]);
  });
});
