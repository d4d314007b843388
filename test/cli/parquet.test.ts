// The same table as CSV and as Parquet: the same data, bit for bit, and the same answers of `predict`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Random } from '../../src/onnx/core/random.js';
import { parquetInGroups } from '../support/parquet.js';
import { okIn, prognet, workspace } from './support.js';

const column = (task: string, data: string, more = '') =>
  `  - { task: ${task}, data: ${data}${more}, head: { classify: { classes: 2, names: [no, yes] } }, train: { epochs: 3, batch: 16, lr: 0.02, seed: 1 } }\n`;
const yaml = `prognet: 1
name: people
input: { name: row, features: [age, { city: [Basel, Bern] }, member], prepare: [{ fill: median }, standardise, one_hot] }
columns:
${column('a', 'people.csv', ', blocks: [[{ dense: 8 }, relu]]')}${column('b', 'people.parquet', ', like: a, laterals: none')}`;
const random = new Random(3, 'people');
const people = Array.from({ length: 120 }, (_, i) => {
  const age = i % 9 === 0 ? undefined : 18 + random.below(60);
  const city = random.below(2) === 0 ? 'Basel' : 'Bern';
  return { age, city, member: random.below(2) === 1, kind: (age ?? 40) > 45 ? 'yes' : 'no' };
});
const table = (rows: typeof people, together = 1000) =>
  parquetInGroups(
    together,
    { name: 'age', data: rows.map(({ age }) => age ?? null), type: 'DOUBLE' },
    { name: 'city', data: rows.map(({ city }) => city), type: 'STRING' },
    { name: 'member', data: rows.map(({ member }) => member), type: 'BOOLEAN' },
    { name: 'kind', data: rows.map(({ kind }) => kind), type: 'STRING' },
  );

let dir = '';
const at = (...names: string[]) => join(dir, ...names);
const ok = (...args: string[]) => okIn(dir, ...args);

beforeAll(() => {
  dir = workspace(yaml);
  const csv = people.map((p) => [p.age ?? '', p.city, p.member ? 1 : 0, p.kind].join());
  writeFileSync(at('people.csv'), `age,city,member,kind\n${csv.join('\n')}\n`);
  writeFileSync(at('people.parquet'), table(people));
});

it('trains on the same data', () => {
  for (const task of ['a', 'b']) ok('train', task, '--freeze', '--quiet', '--threads', '1');
  const [a, b] = ['a', 'b'].map((task) => JSON.parse(readFileSync(at('columns', task, 'column.json'), 'utf8')));
  expect(b.data).toEqual(a.data);
  expect(b.metrics.accuracy).toBeGreaterThan(0.6);
});

it('predict reads it, with its label or without, as it reads CSV', () => {
  const answers = (file: string) => JSON.parse(ok('predict', 'a', '--input', at(file), '--json')).probabilities;
  expect(answers('people.parquet')).toEqual(answers('people.csv'));
  expect(answers('people.parquet')).toHaveLength(120);
});

it('predict reads it row group by row group, and says rows as the file counts them', () => {
  writeFileSync(at('groups.parquet'), table(people, 7));
  const answers = (file: string) => ok('predict', 'a', '--input', at(file), '--format', 'csv');
  expect(answers('groups.parquet')).toBe(answers('people.csv'));
  const strange = people.map((p, i) => (i === 49 || i > 99 ? { ...p, city: 'Uri' } : p));
  writeFileSync(at('strange.parquet'), table(strange, 7));
  expect(prognet('predict', 'a', '--input', at('strange.parquet'), '--format', 'csv', '-C', dir).stderr).toContain(
    'strange.parquet: row 50, column 2 ("city") holds "Uri", which is none of its categories and counts as none; so do 20 more rows\n',
  );
  writeFileSync(
    at('bad.parquet'),
    table(
      people.map((p, i) => (i === 99 ? { ...p, age: Number.POSITIVE_INFINITY } : p)),
      7,
    ),
  );
  const { status, stderr } = prognet('predict', 'a', '--input', at('bad.parquet'), '--output', at('bad.csv'), '-C', dir);
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining('bad.parquet: row 100, column 1 ("age"): holds Infinity, expected a number'),
  ]);
  expect(existsSync(at('bad.csv'))).toBe(false);
});
