// Rows of a table as a page reads them.
import { expect, it } from 'vitest';
import type { NetworkInfo } from '../../src/web/protocol.js';
import { tableRows } from '../../src/web/table-rows.js';

const input: NetworkInfo['input'] = {
  name: 'row',
  dtype: 'float32',
  shape: [3],
  features: [{ name: 'age' }, { name: 'city, old', categories: ['Basel', 'Bern'] }, { name: 'b' }],
};
const rows = (text: string) => tableRows(text, input);

it('reads rows in order and CSV by name, whatever parts the cells', () => {
  const expected = [30, 1, 2, Number.NaN, -1, 4];
  for (const text of ['30,Bern,2\n,Uri,4', '30;Bern;2\n;Uri;4\n', 'b\tage\t"city, old"\n2\t30\tBern\n4\t\tUri\n']) {
    const { inputs, notes } = rows(text);
    expect([inputs.dims, inputs.numbers()], text).toEqual([[2, 3], expected]);
    expect(notes.at(-1)).toContain('holds "Uri", which is none of its categories');
  }
});

it('refuses what is no row', () => {
  expect(() => rows('1,Bern')).toThrow('table: row 2 has 2 columns, expected 3');
  expect(() => rows('x,Bern,2')).toThrow('table: row 2, column 1 ("age") holds "x", expected a number');
  expect(() => rows('age,b\n1,2')).toThrow('table: the feature "city, old" is not in the header, which has "age", "b"');
  expect(() => tableRows('1,2,3', { name: 'x', dtype: 'float32', shape: [2] }, { where: 'a.csv' })).toThrow(
    'a.csv: has 3 columns, expected 2',
  );
  expect(() => tableRows('1', { name: 'x', dtype: 'float32', shape: [1, 8, 8] })).toThrow(
    'tableRows: the input of this network is [1,8,8], expected a row of numbers or features',
  );
});

it('reads rows of numbers, with decimal commas where the data have them', () => {
  const input = { name: 'x', dtype: 'float32' as const, shape: [2] };
  expect(tableRows('a,b\n1,2\n3,4\n', input).inputs.numbers()).toEqual([1, 2, 3, 4]);
  expect(tableRows('1,5;2\n', input, { decimal: ',' }).inputs.numbers()).toEqual([1.5, 2]);
});
