// A table as pandas writes it, from CSV to answers: categories, missing cells, labels of texts. Inside prognet, and from the exported file in Python's
// onnxruntime on raw rows, the answers are the same.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readNpy } from '../../src/formats/npy.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { open } from '../../src/tasks/open-network.js';
import { environment, python } from '../python/python.js';
import { serve } from '../support/service.js';
import { okIn, prognet, repo, workspace } from './support.js';

const yaml = `prognet: 1
name: people
input: { name: row, features: [age, { city: [Basel, Bern, Zug] }, income], prepare: [{ fill: median }, standardise, one_hot] }
columns:
  - { task: kind, data: people.csv, blocks: [[{ dense: 8 }, relu]], head: { classify: 3 }, train: { epochs: 20, batch: 16, lr: 0.02 } }
  - { task: more, data: people.csv, prepare: [one_hot, { fill: 0 }, { normalise: { mean: 20, std: 20000 } }], blocks: [[{ dense: 8 }, relu], [{ dense: 4 }, relu]],
      head: { classify: { classes: 3, names: [rich, mid, poor] } }, laterals: { kind: adapter, rank: 2 }, train: { epochs: 4, batch: 16, lr: 0.02 } }
`;
const cities = ['Basel', 'Bern', 'Zug'];
const random = new Random(3, 'people');
const people = Array.from({ length: 200 }, (_, id) => {
  const city = cities[random.below(3)] ?? '';
  const income = Math.fround(60_000 + 20_000 * random.normal());
  const kind = income > 70_000 || city === 'Zug' ? 'rich' : income < 45_000 ? 'poor' : 'mid';
  return { id, city, age: id % 9 === 0 ? undefined : 18 + random.below(60), income, kind };
});
const csv = (rows: readonly (typeof people)[number][]) =>
  `id,city,age,income,kind\n${rows.map((p) => [p.id, p.city, p.age ?? '', p.income, p.kind].join()).join('\n')}\n`;

let dir = '';
const at = (name: string) => join(dir, name);
const ok = (...args: string[]) => okIn(dir, ...args);
let said = '';

beforeAll(() => {
  dir = workspace(yaml);
  writeFileSync(at('people.csv'), csv(people));
  said = prognet('train', 'kind', '--freeze', '--threads', '1', '-C', dir).stderr;
  ok('train', 'more', '--freeze', '--quiet', '--threads', '1');
});

it('training says what was taken for granted, and learns', () => {
  expect(said).toContain(`${at('people.csv')}: column 5 ("kind") as the label; "label" in the data entry decides it\n`);
  expect(said).toContain(`${at('people.csv')}: not read: column 1 ("id")\n`);
  const { tasks } = JSON.parse(ok('verify', '--json'));
  expect(tasks.map((t: { identical: boolean }) => t.identical)).toEqual([true, true]);
});

it('classes without names are sorted, and kept with the column', () => {
  const record = JSON.parse(readFileSync(at('columns/kind/column.json'), 'utf8'));
  expect(record.data.classes).toEqual(['mid', 'poor', 'rich']);
  ok('export', '--all', '-o', at('all.onnx'));
  const { metadata } = loadModel(at('all.onnx'));
  expect(metadata.get('prognet.classes.kind')).toBe('["mid","poor","rich"]');
  expect(metadata.get('prognet.classes.more')).toBe('["rich","mid","poor"]');
  expect(JSON.parse(metadata.get('prognet.input') ?? '')).toEqual([
    {
      name: 'row',
      dtype: 'float32',
      shape: [3],
      features: [{ name: 'age' }, { name: 'city', categories: cities }, { name: 'income' }],
    },
  ]);
});

it('inspect says the features and the classes', () => {
  ok('export', '--task', 'kind', '-o', at('one.onnx'));
  const shown = ok('inspect', at('one.onnx'));
  expect(shown).toContain(
    'features\n  row: age, income\n  row_categories: city ("Basel" "Bern" "Zug")\nclasses\n  kind: mid, poor, rich\n',
  );
  expect(JSON.parse(ok('inspect', at('one.onnx'), '--json'))).toMatchObject({
    features: { row: ['age', 'income'], row_categories: ['city ("Basel" "Bern" "Zug")'] },
    classes: { kind: ['mid', 'poor', 'rich'] },
  });
});

it('a program is told the names, and asks rows as they are kept', async () => {
  const net = await open(dir);
  try {
    const row = Tensor.from('float32', [30, 1, 20_000, Number.NaN, -1, 90_000], [2, 3]);
    const { names, labels } = await net.predict('kind', row);
    expect([names, labels?.numbers()]).toEqual([
      ['mid', 'poor', 'rich'],
      [1, 2],
    ]);
    await expect(net.predict('kind', Tensor.from('float32', [30, 3, 20_000], [1, 3]))).rejects.toThrow(
      'row 0 has 3 as "city", expected an index of its categories, 0..2, or -1 for none',
    );
  } finally {
    await net.close();
  }
});

it('names that say something else of a trained column are refused', () => {
  const changed = yaml.replace('head: { classify: 3 }', 'head: { classify: { classes: 3, names: [rich, mid, poor] } }');
  writeFileSync(at('prognet.yaml'), changed);
  const { status, stderr } = prognet('check', '-C', dir);
  writeFileSync(at('prognet.yaml'), yaml);
  expect([status, stderr]).toEqual([
    2,
    'prognet: prognet.yaml: task "kind" was trained on the classes ["mid","poor","rich"], its head names them ["rich","mid","poor"]; undo that, or add a new task\n',
  ]);
});

const { missing, note } = environment('.venv');
const answers = z.record(z.string(), z.array(z.unknown()));

describe.skipIf(missing)(`in Python${note}`, () => {
  it('the exported file answers raw rows as evaluation inside prognet does', () => {
    ok('export', '--all', '--probabilities', '--label-names', '-o', at('named.onnx'));
    const feeds = { row: people.map((p) => [p.age ?? null, p.income]), row_categories: people.map((p) => [p.city]) };
    writeFileSync(at('raw.json'), JSON.stringify(feeds));
    const outside = answers.parse(python('.venv', 'answers.py', at('named.onnx'), at('raw.json')));
    const right = outside.kind_label_name?.filter((name, i) => name === people[i]?.kind).length ?? 0;
    expect(right / people.length).toBeGreaterThan(0.9);
  });

  it('every form answers alike: routed, fused, at opset 21, and with categories as indices', () => {
    const feeds = { row: people.map((p) => [p.age ?? null, p.income]), row_categories: people.map((p) => [p.city]) };
    const ask = (inputs: object, ...flags: string[]) => {
      ok('export', ...flags, '--label-names', '-o', at('form.onnx'));
      writeFileSync(at('form.json'), JSON.stringify(inputs));
      return answers.parse(python('.venv', 'answers.py', at('form.onnx'), at('form.json')));
    };
    const plain = ask(feeds, '--all');
    const whole = { row: people.map((p) => [p.age ?? null, cities.indexOf(p.city), p.income]) };
    for (const task of ['kind', 'more']) {
      const found = [
        ask(feeds, '--task', task, '--opset', '21')[task],
        ask(feeds, '--task', task, '--fused')[task],
        ask(whole, '--task', task, '--category-indices')[task],
        ask({ ...feeds, task_id: [task === 'kind' ? 0 : 1] }, '--routed').scores,
      ];
      const right = (plain[task] ?? []).flat().map(Number);
      expect(right).toHaveLength(600);
      for (const [form, scores] of found.entries())
        for (const [i, v] of (scores ?? []).flat().entries())
          expect(
            Math.abs(Number(v) - (right[i] ?? Number.NaN)) / Math.max(1, Math.abs(right[i] ?? 0)),
            `${task} ${form}`,
          ).toBeLessThan(1e-5);
    }
    expect(ask({ ...feeds, task_id: [1] }, '--routed').label_name).toEqual(plain.more_label_name);
  });

  it('fp16 prepares raw numbers in float32', () => {
    ok('export', '--task', 'more', '--precision', 'fp16', '-o', at('half.onnx'));
    ok('export', '--task', 'more', '-o', at('full.onnx'));
    writeFileSync(at('large.json'), JSON.stringify({ row: [[30, 70_000]], row_categories: [['Zug']] }));
    const [half, full] = ['half.onnx', 'full.onnx'].map(
      (file) => answers.parse(python('.venv', 'answers.py', at(file), at('large.json'))).more,
    );
    const numbers = (of: unknown[] | undefined) => (of ?? []).flat().map(Number);
    for (const [i, v] of numbers(full).entries()) expect(Math.abs(v - (numbers(half)[i] ?? Number.NaN))).toBeLessThan(0.05);
  });

  it('training artifacts take a row whole', () => {
    ok('artifacts', 'more', '-o', at('artifacts'));
    for (const file of ['training_model.onnx', 'eval_model.onnx']) {
      const row = loadModel(join(at('artifacts'), file)).graph.inputs.find(({ name }) => name === 'row');
      expect([row?.dtype, row?.shape?.at(-1)]).toEqual(['float32', 3]);
    }
  });
});

describe('the node service', () => {
  let url = '';
  beforeAll(async () => {
    ok('deploy', 'node', '-o', at('service'));
    url = await serve(at('service'));
  });
  const post = async (inputs: unknown, type = 'application/json') => {
    const body = JSON.stringify({ inputs });
    const reply = await fetch(`${url}/predict/kind`, {
      method: 'POST',
      headers: { 'content-type': type, connection: 'close' },
      body,
    });
    return { status: reply.status, ...JSON.parse(await reply.text()) };
  };

  it('says the features, and answers rows by name and in order as predict does', async () => {
    const { input, tasks } = JSON.parse(await (await fetch(`${url}/tasks`)).text());
    expect(input.features).toEqual([{ name: 'age' }, { name: 'city', categories: cities }, { name: 'income' }]);
    expect(tasks[0]).toMatchObject({ task: 'kind', classes: ['mid', 'poor', 'rich'], missing: true });
    writeFileSync(at('some.csv'), csv(people.slice(0, 20)));
    const inside = JSON.parse(ok('predict', 'kind', '--input', at('some.csv'), '--json'));
    const rows = people.slice(0, 20).map(({ city, income, age }) => ({ city, income, age: age ?? null }));
    for (const inputs of [rows, rows.map(({ age, city, income }) => [age, city, income])]) {
      const found = await post(inputs);
      expect(found).toMatchObject({ status: 200, names: inside.names, labels: inside.labels });
      expect(found.unknown).toBeUndefined();
      const [a, b] = [found.probabilities.flat(), inside.probabilities.flat()];
      expect(a).toHaveLength(60);
      for (const [i, v] of a.entries()) expect(Math.abs(v - b[i])).toBeLessThan(1e-6);
    }
  });

  it('tells of a text that is no category, and counts it as none', async () => {
    const found = await post([{ age: 30, city: 'Uri', income: 50000 }]);
    expect(found.unknown).toEqual([{ row: 0, feature: 'city', text: 'Uri' }]);
    writeFileSync(at('uri.csv'), 'age,city,income\n30,Uri,50000\n');
    const inside = JSON.parse(prognet('predict', 'kind', '--input', at('uri.csv'), '--json', '-C', dir).stdout);
    expect(found.probabilities[0].map((v: number) => v.toFixed(5))).toEqual(
      inside.probabilities[0].map((v: number) => v.toFixed(5)),
    );
  });

  it.each([
    [[{ age: 1, city: 'Bern' }], 'row 0 has no "income", expected age, city, income'],
    [[{ age: 1, city: 'Bern', income: 2, id: 3 }], 'row 0 has "id", expected age, city, income'],
    [[{ age: '1', city: 'Bern', income: 2 }], 'row 0 has "1" as "age", expected a finite number or null'],
    [[{ age: 1, city: 7, income: 2 }], 'row 0 has 7 as "city", expected a text'],
    [[[1, 'Bern']], 'row 0 has 2 values, expected 3: age, city, income'],
    [[], 'expected {"inputs": [...]}, a list of rows, and nothing beside it'],
    ['x', 'expected {"inputs": [...]}, a list of rows, and nothing beside it'],
  ])('refuses %j', async (inputs, error) => {
    expect(await post(inputs)).toEqual({ status: 400, error });
  });

  it('refuses arrays, which hold no texts', async () => {
    expect(await post([], 'application/x-npy')).toEqual({
      status: 415,
      error: 'expected content-type application/json, since categories are texts',
    });
  });
});

describe('predict on a CSV', () => {
  const ask = (...args: string[]) => prognet('predict', 'kind', '-C', dir, ...args);
  const header = 'kind,income,age,city,further\n';
  const rows = ['poor,20000,30,Bern,x', ',90000,,Zug,y', 'mid,58000,40,Uri,z'];

  beforeAll(() => writeFileSync(at('ask.csv'), `${header}${rows.join('\n')}\n`));

  it('reads by name, passes over the label and further columns, and says so', () => {
    const { status, stdout, stderr } = ask('--input', at('ask.csv'), '--json');
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ rows: 3, classes: ['mid', 'poor', 'rich'] });
    expect(found.names.slice(0, 2)).toEqual(['poor', 'rich']);
    expect(stderr).toContain(`${at('ask.csv')}: not read: column 1 ("kind"), column 5 ("further")\n`);
    expect(stderr).toContain('row 4, column 4 ("city") holds "Uri", which is none of its categories and counts as none\n');
    const quiet = ask('--input', at('ask.csv'), '--json', '--quiet');
    expect(quiet.stderr).toBe('');
    expect(JSON.parse(quiet.stdout).notes).toEqual(stderr.trim().split('\n'));
  });

  it.skipIf(missing)(`gives the numbers of the exported file in Python, unknown categories included${note}`, () => {
    ok('export', '--task', 'kind', '--probabilities', '-o', at('kind.onnx'));
    const feeds = {
      row: [
        [30, 20000],
        [null, 90000],
        [40, 58000],
      ],
      row_categories: [['Bern'], ['Zug'], ['Uri']],
    };
    writeFileSync(at('ask.json'), JSON.stringify(feeds));
    const outside = answers.parse(python('.venv', 'answers.py', at('kind.onnx'), at('ask.json')));
    const inside = JSON.parse(ask('--input', at('ask.csv'), '--json').stdout).probabilities.flat();
    const numbers = (outside.kind_probabilities ?? []).flat().map(Number);
    expect(numbers).toHaveLength(9);
    for (const [i, v] of numbers.entries()) expect(Math.abs(v - inside[i])).toBeLessThan(1e-6);
  });

  it('takes stdin, and writes CSV, JSON Lines, JSON, text and .npy', () => {
    const json = JSON.parse(ask('--input', at('ask.csv'), '--json').stdout);
    const main = join(repo, 'dist/cli/main.js');
    const piped = spawnSync('node', [main, 'predict', 'kind', '--input', '-', '--format', 'jsonl', '-C', dir], {
      input: readFileSync(at('ask.csv')),
      encoding: 'utf8',
    });
    const lines = piped.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ name }) => name)).toEqual(json.names);
    expect(lines.map(({ label }) => label)).toEqual(json.labels);
    expect(lines.map(({ probabilities }) => probabilities)).toEqual(json.probabilities);
    for (const name of ['a.csv', 'a.jsonl', 'a.json', 'a.txt', 'a.npy'])
      expect(ask('--input', at('ask.csv'), '--output', at(name)).status).toBe(0);
    const table = readFileSync(at('a.csv'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(table[0]).toEqual(['label', 'probability_mid', 'probability_poor', 'probability_rich']);
    expect(table.slice(1).map(([label]) => label)).toEqual(json.names);
    expect(table.slice(1).map(([, ...p]) => p.map(Number))).toEqual(json.probabilities);
    expect(readFileSync(at('a.jsonl'), 'utf8')).toBe(piped.stdout);
    expect(JSON.parse(readFileSync(at('a.json'), 'utf8'))).toEqual(json);
    expect(readFileSync(at('a.txt'), 'utf8').split('\n')[0]).toMatch(/^poor: (\d\.\d{4} ?){3}$/);
    expect(readNpy(readFileSync(at('a.npy')), 'a.npy').numbers()).toEqual(json.probabilities.flat());
  });

  it('refuses what it cannot read', () => {
    writeFileSync(at('short.csv'), 'age,city\n1,Bern\n');
    expect(ask('--input', at('short.csv'))).toMatchObject({
      status: 2,
      stderr: `prognet: ${at('short.csv')}: the feature "income" is not in the header, which has "age", "city"\n`,
    });
    expect(ask('--input', at('ask.csv'), '--format', 'xml')).toMatchObject({
      status: 2,
      stderr: 'prognet: --format: found "xml", expected one of text, json, jsonl, csv, npy\n',
    });
    expect(ask('--input', at('ask.csv'), '--format', 'csv', '--json').status).toBe(2);
  });
});

it.each([
  [
    'a city that is not listed',
    { city: 'Uri' },
    'column 2 ("city") holds "Uri", expected one of ["Basel","Bern","Zug"]; the column holds ["Basel","Bern","Uri","Zug"]',
  ],
  [
    'a class that is not listed',
    { kind: 'odd' },
    ': row 42 holds "odd", expected one of the names ["mid","poor","rich"]; the column holds ["mid","odd","poor","rich"]',
  ],
  ['no class', { kind: '' }, ': row 42 is empty, expected one of the names'],
])('%s is refused with its row', (_, change, message) => {
  writeFileSync(at('people.csv'), csv(people.map((p, i) => (i === 40 ? { ...p, ...change } : p))));
  const { status, stderr } = prognet('eval', 'kind', '-C', dir);
  writeFileSync(at('people.csv'), csv(people));
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});
