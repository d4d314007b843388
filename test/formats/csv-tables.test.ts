// CSV as tables are written: features by name, categories, missing cells, decimal commas, delimiters that are looked for, labels of texts.
import { describe, expect, test } from 'vitest';
import { type CsvOptions, readCsv, UnknownCategories } from '../../src/formats/csv.js';
import { expectDataError } from './expect-data-error.js';

const csv = (text: string, options: CsvOptions = {}) => readCsv(Buffer.from(text), options, 'a.csv');
const people = 'id,city,age,"income, net",left\n1,Bern,30,"1.5",yes\n2,"Basel",,2,no\n';
const features = [{ name: 'age' }, { name: 'city', categories: ['Basel', 'Bern'] }, { name: 'income, net' }];

describe('features by name', () => {
  test('stand in the order of the network, categories as indices, missing cells as NaN, and what is not read is said', () => {
    const table = csv(people, { features, missing: true, texts: true });
    expect(table.columns).toEqual(['age', 'city', 'income, net']);
    expect(table.features.numbers()).toEqual([30, 1, 1.5, Number.NaN, 0, 2]);
    expect(table.labelTexts).toEqual({ ids: [0, 1], texts: ['yes', 'no'] });
    expect(table.labels).toBeUndefined();
    expect(table.notes).toEqual([
      'a.csv: column 5 ("left") as the label; "label" in the data entry decides it',
      'a.csv: not read: column 1 ("id")',
    ]);
  });

  test('the one column that is no feature is the label, wherever it stands', () => {
    const table = csv('a,y,b\n1,0,2\n', { features: [{ name: 'b' }, { name: 'a' }] });
    expect([table.labelColumns, table.features.numbers()]).toEqual([['y'], [2, 1]]);
  });

  test('several targets by the names of the head', () => {
    const table = csv('u,a,v\n1,2,3\n', { features: [{ name: 'a' }], targets: ['v', 'u'] });
    expect([table.labels?.dims, table.labels?.numbers()]).toEqual([
      [1, 2],
      [3, 1],
    ]);
  });

  test('what does not fit is refused by name', () => {
    expectDataError(
      () => csv(people, { features: [...features, { name: 'height' }, { name: 'weight' }] }),
      'a.csv: the features "height", "weight" are not in the header, which has "id", "city", "age", "income, net", "left"',
    );
    expectDataError(
      () => csv('1,2\n', { features, header: false }),
      'a.csv: feature "age" needs a header, the file is read without one',
    );
    expectDataError(
      () => csv('a,a,b\n1,2,3\n', { features: [{ name: 'a' }] }),
      'a.csv: two columns are named "a", give the feature\'s index',
    );
    expectDataError(
      () => csv('a,b\n1,2\n', { features: [{ name: 'a' }], label: 'a' }),
      'a.csv: column 1 ("a") is a feature and the label, expected another label',
    );
    expectDataError(
      () => csv('y,z,a\n1,2,3\n', { features: [{ name: 'a' }] }),
      'a.csv: the last column is a feature, "label" in the data entry says which column is the label',
    );
    expectDataError(
      () => csv('a\n1\n', { features: [{ name: 'a' }] }),
      'a.csv: every column is a feature, "label" in the data entry says which column is the label',
    );
    expectDataError(
      () => csv(people, { features, texts: true }),
      'a.csv: row 3, column 3 ("age") is empty, expected a number, or a step of "prepare" that fills it, such as { fill: median }',
    );
    expectDataError(
      () => csv('city,y\nBern,0\nZug,1\nUri,0\n', { features: [{ name: 'city', categories: ['Bern'] }] }),
      'a.csv: row 3, column 1 ("city") holds "Zug", expected one of ["Bern"]; the column holds ["Bern","Uri","Zug"]',
    );
    expectDataError(
      () => csv('city,y\nBern,0\nZug,1\n,0\n'),
      'a.csv: row 2, column 1 ("city") holds "Bern", expected a number; a column of texts is a category, {"city":["Bern","Zug"]} among the "features" of the input',
    );
  });

  test('to be answered: no label is needed, one is passed over, unknown categories are -1 and said', () => {
    const ask = (text: string) => csv(text, { features, missing: true, unknown: true, unlabelled: true });
    const table = ask('city,age,"income, net",left\nZug,1,2,yes\n,1,2,yes\n');
    expect(table.features.numbers()).toEqual([1, -1, 2, 1, -1, 2]);
    expect(table.labels).toBeUndefined();
    expect(table.notes).toEqual(['a.csv: not read: column 4 ("left")']);
    const unknown = new UnknownCategories().add(table.unknown ?? new Map());
    expect(unknown.lines('a.csv')).toEqual([
      'a.csv: row 2, column 1 ("city") holds "Zug", which is none of its categories and counts as none; so does one more row',
    ]);
    const more = ask('city,age,"income, net"\nZug,1,2\n');
    expect(unknown.add(more.unknown ?? new Map()).lines('a.csv')[0]).toMatch(/^a\.csv: row 2, .*; so do 2 more rows$/);
    expect(ask('age,"income, net",city\n1,2,Bern\n').features.numbers()).toEqual([1, 1, 2]);
  });
});

describe('columns and drop', () => {
  const text = 'id,a,b,y\n7,1,2,0\n';
  test('choose and leave out by name or index', () => {
    expect(csv(text, { columns: ['b', 1] }).features.numbers()).toEqual([2, 1]);
    expect(csv(text, { drop: ['id'] }).features.numbers()).toEqual([1, 2]);
    expect(csv(text, { drop: [0, -2], label: 'y' }).features.numbers()).toEqual([1]);
    expect(csv(text, { columns: ['a'], drop: ['id'] }).notes.at(-1)).toBe('a.csv: not read: column 3 ("b")');
  });
  test('are refused where they are not there', () => {
    expectDataError(() => csv(text, { drop: ['c'] }), 'a.csv: no column is named "c", expected one of "id", "a", "b", "y"');
    expectDataError(() => csv(text, { columns: ['a', 'a'] }), 'a.csv: a feature column is given twice');
    expectDataError(() => csv(text, { drop: ['id', 'a', 'b'] }), 'a.csv: has 4 columns and no features beside the label');
  });
});

describe('delimiters and decimals', () => {
  test.each([
    [';', '";"'],
    ['\t', 'tabs'],
    ['|', '"|"'],
  ])('%j is found and said', (delimiter, name) => {
    const table = csv('a,b,"y,z"\n1,2,0\n'.replaceAll(/,(?!z)/g, delimiter));
    expect(table.features.numbers()).toEqual([1, 2]);
    expect(table.notes[0]).toContain(`a.csv: cells parted at ${name}, row 1 taken as names`);
  });

  test('decimal commas', () => {
    const text = 'a;b;y\n1,5;-2;0\n;,25;1\n';
    const table = csv(text, { decimal: ',', missing: true });
    expect(table.features.numbers()).toEqual([1.5, -2, Number.NaN, 0.25]);
    expect(csv('1,5;2,5;1\n2;3;0\n', { decimal: ',' }).features.numbers()).toEqual([1.5, 2.5, 2, 3]);
    expectDataError(
      () => csv(text, { missing: true }),
      `a.csv: row 2, column 1 ("a") holds "1,5", expected a number; decimal: ',' in the data entry reads decimal commas`,
    );
    expectDataError(() => csv('a;y\n1.5;0\n', { decimal: ',' }), 'a.csv: row 2, column 1 ("a") holds "1.5", expected a number');
    expectDataError(
      () => csv('a,y\n1,0\n', { decimal: ',', delimiter: ',' }),
      'a.csv: "," parts cells and decimals, expected another delimiter',
    );
  });

  test('two that fit are refused', () => {
    expectDataError(
      () => csv('1,5;2,5\n3,1;4,2\n'),
      'a.csv: its lines can be parted at "," or ";"; "delimiter" in the data entry decides',
    );
  });
});

test('labels of texts that all write numbers are numbers', () => {
  const table = csv('a,y\n1,2\n3,0\n', { texts: true });
  expect(table.labels?.dtype).toBe('int64');
  expect(table.labels?.numbers()).toEqual([2, 0]);
  expect(table.labelTexts?.texts).toEqual(['2', '0']);
  expectDataError(() => csv('a,y\n1,no\n'), 'a.csv: row 2, column 2 ("y") holds "no", expected a number');
});
