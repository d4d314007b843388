// Customers as tables: the columns of the same numbers as arrays, read as the fleet's own column was, and refused in one line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { listCustomers, readCustomer } from '../../src/fleet/customer-data.js';
import { readTraining } from '../../src/fleet/training-folder.js';
import { readNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { trainFleet } from '../../src/tasks/train-fleet.js';
import { environment, python } from '../python/python.js';
import { parquet } from '../support/parquet.js';
import { runtime } from '../support/run.js';
import { customers, fleetOf, plain, trainingWorkspace } from './customers.js';
import { description, frozenWorkspace } from './fleet.js';
import { begin, columnsIn, weightsOf } from './training-command.js';

let dir = '';
let arrays = '';
let fleet = '';
let whole = '';
let rows: (readonly [...number[]])[] = [];
const named = ['one', 'two', 'three'];
beforeAll(async () => {
  dir = await trainingWorkspace();
  arrays = customers(1);
  [fleet, whole] = [fleetOf(dir), fleetOf(dir)];
  await trainFleet(runtime, whole, arrays);
  const found = readNpz(readFileSync(join(arrays, 'c0.npz')));
  const [x, labels] = ['x', 'targets'].map((name) => [...must(found.get(name), name).numbers()]);
  rows = (labels ?? []).map((label, i) => [...(x ?? []).slice(i * 4, i * 4 + 4), label]);
}, 60_000);

const folder = () => mkdtempSync(join(tmpdir(), 'prognet-fleet-tables-'));
const text = (lines: readonly (readonly (string | number)[])[], delimiter = ','): string =>
  lines.map((line) => line.join(delimiter)).join('\n');
/** A folder with this one file. */
const table = (name: string, content: string | Uint8Array): string => {
  const data = folder();
  writeFileSync(join(data, name), content);
  return data;
};
const header = ['a', 'b', 'c', 'd', 'kind'];
/** With the label first, and columns that nothing reads. */
const turned = (label: (value: number) => string | number = (value) => value) => [
  ['kind', 'd', 'b', 'spare', 'a', 'c'],
  ...rows.map(([a = 0, b = 0, c = 0, d = 0, kind = 0]) => [label(kind), d, b, 9, a, c]),
];
/** A fleet whose column has this data entry, input and head. */
const fleetWith = async (entry: string, input = '{ name: x, shape: [4] }', head = '{ classify: { classes: 3 } }') => {
  const written = description(['ann'], { ...plain, input, head }).replaceAll(
    'epochs: 2, batch: 8, seed: 2',
    'epochs: 12, batch: 8, seed: 2',
  );
  return fleetOf(await frozenWorkspace(written.replace('task: ann,', `task: ann, ${entry},`)));
};

describe('customers as tables', () => {
  it('gives the column of the same numbers as arrays, from .csv, .tsv and .parquet', async () => {
    const columns = header.map((name, i) => ({
      name,
      data: rows.map((row) => row[i] ?? 0),
      type: i === 4 ? 'INT32' : 'DOUBLE',
    }));
    const notes: string[] = [];
    for (const [name, content] of [
      ['c0.csv', text(rows)],
      ['c0.tsv', text([header, ...rows], '\t')],
      ['c0.parquet', parquet(...columns)],
    ] as const) {
      const own = fleetOf(dir);
      const found = await trainFleet(runtime, own, table(name, content), { onNote: (line) => notes.push(`${name} ${line}`) });
      expect(found.trained.map((each) => each.name)).toEqual(['c0']);
      expect(weightsOf(own, 'c0')).toBe(weightsOf(whole, 'c0'));
    }
    expect(notes.map((note) => note.replace(/ \/.*\//, ' '))).toEqual([
      'c0.csv c0.csv: no row taken as names of the columns, column 5 as the label; "header" and "label" in the data entry decide it',
      'c0.tsv c0.tsv: row 1 taken as names of the columns, column 5 ("kind") as the label; "header" and "label" in the data entry decide it',
      'c0.parquet c0.parquet: column 5 ("kind") as the label; "label" in the data entry decides it',
    ]);
  }, 60_000);

  it('says once what it takes for granted in tables that are alike', async () => {
    const data = folder();
    for (const name of ['c0', 'c1', 'c2']) writeFileSync(join(data, `${name}.csv`), text([header, ...rows]));
    for (const jobs of [1, 2]) {
      const notes: string[] = [];
      await trainFleet(runtime, fleetOf(dir), data, { jobs, onNote: (line) => notes.push(line) });
      expect(notes).toHaveLength(1);
    }
  }, 60_000);

  it('reads as the data entry of the column says, features by their names, and as it is asked', async () => {
    const features = '{ name: x, shape: [4], features: [a, b, c, d] }';
    const columns = 'data: { source: ann.csv, label: kind, columns: [a, b, c, d] }';
    for (const own of [
      await fleetWith('data: { source: ann.csv, label: kind }', features),
      await fleetWith(columns),
      await fleetWith('data: { source: ann.csv, header: true, label: 0, columns: [4, 2, 5, 1] }'),
    ]) {
      await trainFleet(runtime, own, table('c0.csv', text(turned())));
      expect(weightsOf(own, 'c0')).toBe(weightsOf(whole, 'c0'));
    }
    const semicolons = await fleetWith("data: { source: ann.csv, delimiter: ';', decimal: ',', drop: [spare, kind] }");
    const decimals = [[...header, 'spare', 'own'], ...rows.map((row) => [...row, 0, row[4] ?? 0])].map((line) =>
      line.map((cell) => String(cell).replace('.', ',')),
    );
    await trainFleet(runtime, semicolons, table('c0.csv', text(decimals, ';')));
    expect(weightsOf(semicolons, 'c0')).toBe(weightsOf(whole, 'c0'));
    const asked = fleetOf(dir);
    const first = text(
      [['2', '1', '3', '4', '0'], ...rows].map(([a, b, c, d, kind]) => [kind ?? 0, a ?? 0, b ?? 0, c ?? 0, d ?? 0]),
    );
    await trainFleet(runtime, asked, table('c0.csv', first), { table: { label: 0, header: true } });
    expect(weightsOf(asked, 'c0')).toBe(weightsOf(whole, 'c0'));
  }, 60_000);

  it('takes names of classes where the fleet has them', async () => {
    const names = await fleetWith(
      'data: { source: ann.csv, label: kind, columns: [a, b, c, d] }',
      undefined,
      `{ classify: { classes: 3, names: [${named}] } }`,
    );
    await trainFleet(runtime, names, table('c0.csv', text(turned((kind) => must(named[kind], 'name')))));
    expect(weightsOf(names, 'c0')).toBe(weightsOf(whole, 'c0'));
    const wrong = text(turned((kind) => (kind === 2 ? 'four' : must(named[kind], 'name'))));
    await expect(trainFleet(runtime, names, table('c1.csv', wrong))).rejects.toThrow(
      /c1\.csv: label column "kind": row \d+ holds "four", expected one of the names \["one","two","three"\]; the column holds \["four","one","two"\]$/,
    );
  }, 60_000);

  it('refuses in one line what does not fit', async () => {
    const training = readTraining(fleet);
    const read = async (content: string, of = training, name = 'c0.csv') =>
      await readCustomer(must(listCustomers(table(name, content))[0], 'customer'), of);
    const changed = (row: number, cell: number, to: string | number) =>
      text(rows.map((line, i) => (i === row ? line.map((each, j) => (j === cell ? to : each)) : line)));
    for (const [content, message] of [
      [text(rows.map((row) => [1, ...row])), /c0\.csv: has 5 columns beside the label, expected 4, as "x" has$/],
      [`${text(rows)}\n1,2,3,0`, /c0\.csv: row 61 has 4 columns, expected 5$/],
      [changed(6, 2, ''), /c0\.csv: row 7, column 3.* is empty/],
      [changed(6, 2, 'wet'), /c0\.csv: row 7, column 3.*"wet"/],
      [changed(6, 4, 7), /c0\.csv: label column "column 5": label 7 at row 7 is out of range, expected 0\.\.2$/],
      [
        changed(6, 4, 0.5),
        /c0\.csv: label column "column 5": holds 0\.5 at row 7, a classify head of 3 needs whole numbers 0\.\.2/,
      ],
      [
        text([header, ...rows.map((row) => [...row.slice(0, 4), named[row[4] ?? 0] ?? ''])]),
        /c0\.csv: the label column holds the names \["one","three","two"\], expected whole numbers 0\.\.2: the fleet's columns name no classes$/,
      ],
      [text(rows.slice(0, 9)), /c0\.csv: has 9 rows, expected 10 or more, a fifth of which are held back as test data$/],
      [
        text([[0, 1, 2, 3, 4], ...rows]),
        /c0\.csv: row 1 is 0,1,2,\.\.\., data or the numbers of the columns; "header" in the data entry decides, true or false$/,
      ],
      ['', /c0\.csv: /],
    ] as const)
      await expect(read(content)).rejects.toThrow(message);
    const [input] = training.inputs;
    const several = { ...training, inputs: [must(input, 'input'), { ...must(input, 'input'), name: 'y' }] };
    await expect(read(text(rows), several)).rejects.toThrow(
      /c0\.csv: a table gives one input, and this fleet takes 2, expected arrays, NAME\.npz or a folder NAME of \.npy files$/,
    );
    const image = { ...training, inputs: [{ ...must(input, 'input'), shape: [1, 2, 2] }] };
    await expect(read(text(rows), image)).rejects.toThrow(
      /has 4 columns beside the label, expected arrays, .*: "x" is \[1, 2, 2\]$/,
    );
    const other = readTraining(await fleetWith('data: { source: ann.csv, transform: [{ noise: { std: 0.1 } }] }'));
    await expect(read(text(rows), other)).rejects.toThrow(
      /c0\.csv: the column that the fleet was exported with has "transform" beside its table, expected arrays/,
    );
    await expect(read('nonsense', training, 'c0.parquet')).rejects.toThrow(/c0\.parquet: /);
  }, 60_000);

  it('refuses two files of one customer', async () => {
    const data = table('c0.csv', text(rows));
    writeFileSync(join(data, 'c0.npz'), readFileSync(join(arrays, 'c0.npz')));
    await expect(trainFleet(runtime, fleet, data)).rejects.toThrow(
      /c0\.\w+: "c0" is there as c0\.\w+ as well, expected one of them$/,
    );
    const wrong: unknown = { table: { header: 'no' } };
    await expect(trainFleet(runtime, fleet, data, wrong as object)).rejects.toThrow(
      'trainFleet: table: header is "no", expected true or false',
    );
    rmSync(join(data, 'c0.npz'));
    writeFileSync(join(data, '1.csv'), text(rows));
    await expect(trainFleet(runtime, fleet, data)).rejects.toThrow('1.csv: "1" is no name of a column');
  });

  it('prognet fleet train takes --label and --header, in processes of their own too', async () => {
    const own = fleetOf(dir);
    const data = table('c0.csv', text(rows.map(([a, b, c, d, kind]) => [kind ?? 0, a ?? 0, b ?? 0, c ?? 0, d ?? 0])));
    writeFileSync(join(data, 'c1.csv'), readFileSync(join(data, 'c0.csv')));
    const { said, ended } = begin(own, data, '--jobs', '2', '--label', '0', '--header', 'false');
    expect(await ended).toBe(0);
    expect(said.err).not.toContain('data entry');
    expect(columnsIn(own)).toEqual(['c0.safetensors', 'c1.safetensors']);
    expect(weightsOf(own, 'c0')).toBe(weightsOf(whole, 'c0'));
    const wrong = begin(own, data, '--header', 'yes');
    expect(await wrong.ended).toBe(2);
    expect(wrong.said.err).toMatch(/^prognet: --header: .*"yes".*true.*false\n$/);
  }, 60_000);
});

const plainPython = environment('.venv');
it.skipIf(plainPython.missing)(`Python refuses tables, which it does not read${plainPython.note}`, () => {
  const data = table('c0.csv', text(rows));
  expect(() => python('.venv', 'ray/train.py', fleet, data, '--alone')).toThrow(
    /c0\.csv: tables are read by prognet fleet train alone, expected NAME\.npz, or a folder NAME of \.npy files/,
  );
});
