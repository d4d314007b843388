// A column of texts beside columns of numbers in one table: each becomes an input of its own. Tables of every kind give what arrays of token ids give; a network
// over them is trained, proven, asked and served.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { inMemory } from '../../src/data/rows.js';
import { isRows } from '../../src/data/samples.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { loadTaskData } from '../../src/tasks/task-data.js';
import { parquetInGroups } from '../support/parquet.js';
import { ask, serve } from '../support/service.js';
import { expectRows } from '../support/stored-rows.js';
import { tokenizerText } from '../support/tokenizer.js';
import { okIn, prognet, workspace } from './support.js';

const rows = 20000;
const [words, cities] = [
  ['rain', 'wind', 'sun', 'fog'],
  ['Basel', 'Bern'],
];
const random = new Random(5, 'texts in tables');
const made = Array.from({ length: rows }, (_, i) => {
  const note = Array.from({ length: 1 + random.below(3) }, () => must(words[random.below(4)], 'word'));
  const [age, city] = [20 + random.below(50), random.below(2)];
  // Neither the text nor the numbers alone say it.
  return { note, age, city, wet: Number(note.includes('rain')) * 2 + Number(age > 45), i };
});
const blocks =
  'blocks: [[{ embedding: { size: 4 } }, mean_over_steps, { concat: person }, { dense: 8 }, relu]], head: { classify: 4 }, train: { epochs: 1, batch: 64, lr: 0.03 }';
const yaml = `prognet: 1
name: beside
input:
  - { name: person, features: [age, { city: [${cities}] }], prepare: [one_hot, standardise] }
  - { name: note, tokenizer: tokenizer.json, length: 6 }
  - { name: mask, mask: note }
columns:
  - { task: csv, data: { source: rows.csv, label: wet }, inputs: [note, mask, person], ${blocks.replace('mean_over_steps', '{ mean_over_steps: { mask: mask } }')} }
  - { task: parquet, data: { source: rows.parquet, label: wet }, inputs: [note, person], laterals: none, ${blocks} }
  - { task: stored, data: { source: rows.csv, label: wet, memory: 1.1MB }, inputs: [note, person], laterals: none, ${blocks} }
  - { task: groups, data: { source: rows.parquet, label: wet, memory: 1.1MB }, inputs: [note, person], laterals: none, ${blocks} }
  - { task: arrays, data: rows.npz, inputs: [note, person], laterals: none, ${blocks} }
`;

let dir = '';
const at = (name: string) => join(dir, name);
const csv = (some = made, named = ['age', 'note', 'skipped', 'city', 'wet']) => {
  const cells = { age: 0, note: 1, skipped: 2, city: 3, wet: 4 };
  const lines = some.map((r) => [r.age, `"${r.note.join(' ')}, it says"`, r.i, cities[r.city], r.wet]);
  return `${[named, ...lines.map((line) => named.map((name) => line[Reflect.get(cells, name)]))].join('\n')}\n`;
};

beforeAll(() => {
  dir = workspace(yaml);
  writeFileSync(at('tokenizer.json'), tokenizerText([...words, 'it', 'says']));
  writeFileSync(at('rows.csv'), csv());
  const text = (r: (typeof made)[number]) => `${r.note.join(' ')}, it says`;
  writeFileSync(
    at('rows.parquet'),
    parquetInGroups(
      1500,
      { name: 'note', data: made.map(text), type: 'STRING' },
      { name: 'age', data: made.map(({ age }) => age), type: 'DOUBLE' },
      { name: 'city', data: made.map(({ city }) => must(cities[city], 'city')), type: 'STRING' },
      { name: 'wet', data: made.map(({ wet }) => wet), type: 'INT32' },
    ),
  );
  // [CLS] words , it says [SEP], cut to six: the comma is unknown.
  const ids = ({ note }: (typeof made)[number]) => {
    const inner = [...note.map((word) => 4 + words.indexOf(word)), 1, 8, 9].slice(0, 4);
    return [2, ...inner, 3];
  };
  const numbers = Tensor.from(
    'float32',
    made.flatMap(({ age, city }) => [age, city]),
    [rows, 2],
  );
  const arrays = {
    note: Tensor.from('int64', made.flatMap(ids), [rows, 6]),
    person: numbers,
    y: Tensor.from(
      'int64',
      made.map(({ wet }) => wet),
      [rows],
    ),
  };
  writeFileSync(at('rows.npz'), writeNpz(new Map(Object.entries(arrays))));
});

it('tables of every kind, in memory and on disk, give what arrays of ids give', async () => {
  const loaded = loadWorkspace(dir);
  const arrays = await loadTaskData(loaded, 'arrays');
  for (const task of ['csv', 'parquet', 'stored', 'groups']) {
    const found = await loadTaskData(loaded, task);
    for (const part of ['train', 'test'] as const) {
      const [own, right] = [found[part], arrays[part]];
      if (isRows(own.inputs) || isRows(right.inputs)) throw new Error('several inputs by name');
      for (const name of ['note', 'person']) {
        const [a, b] = [must(own.inputs[name], name), must(right.inputs[name], name)];
        expect(inMemory(a), task).toBe(!['stored', 'groups'].includes(task));
        if (!inMemory(b)) throw new Error('arrays are in memory');
        expectRows(b, a);
      }
      expect(own.targets.bytes).toEqual(right.targets.bytes);
    }
  }
}, 120_000);

const answers = z.object({ labels: z.array(z.number()), probabilities: z.array(z.array(z.number())) });

it('is trained and proven, and answers a table, lines of JSON and the service alike', async () => {
  okIn(dir, 'train', 'csv', '--freeze', '--quiet', '--threads', '1');
  const evaluated = JSON.parse(okIn(dir, 'eval', 'csv', '--json')).tasks[0];
  expect(evaluated.measures.overall.accuracy).toBeGreaterThan(0.9);
  expect(JSON.parse(okIn(dir, 'verify', '--json')).tasks[0].identical).toBe(true);
  const some = made.slice(0, 7);
  writeFileSync(at('asked.csv'), csv(some, ['city', 'skipped', 'note', 'age']));
  const inputs = some.map((r) => ({ note: `${r.note.join(' ')}, it says`, person: { age: r.age, city: cities[r.city] } }));
  writeFileSync(at('asked.jsonl'), inputs.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const predicted = (name: string) =>
    answers.parse(JSON.parse(okIn(dir, 'predict', 'csv', '--input', at(name), '--json', '--quiet')));
  const table = predicted('asked.csv');
  expect(table.labels).toHaveLength(7);
  expect(predicted('asked.jsonl')).toEqual(table);
  okIn(dir, 'deploy', 'node', '--tasks', 'csv', '-o', at('service'), '--quiet');
  const url = await serve(at('service'));
  const body = JSON.stringify({ inputs: { note: inputs.map(({ note }) => note), person: inputs.map(({ person }) => person) } });
  const headers = { 'content-type': 'application/json' };
  const said = await (await ask(`${url}/predict/csv`, { method: 'POST', headers, body })).json();
  expect(answers.parse(said).probabilities).toEqual(table.probabilities);
}, 120_000);

it.each([
  ['age,city,wet\n3,Bern,0\n', /rows\.csv: the feature "note" is not in the header, which has "age", "city", "wet"$/],
  ['note,age,city,wet\nrain,x,Bern,0\n', /rows\.csv: row 2, column 2 \("age"\) holds "x", expected a number/],
])('%j is refused', (text, message) => {
  const bad = workspace(yaml);
  writeFileSync(join(bad, 'tokenizer.json'), tokenizerText(words));
  writeFileSync(join(bad, 'rows.csv'), text);
  const { status, stderr } = prognet('train', 'csv', '-C', bad);
  expect([status, stderr.trimEnd().split('\n').at(-1)]).toEqual([2, expect.stringMatching(message)]);
});
