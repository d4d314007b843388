import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvOptions, readCsv } from '../../src/formats/csv.js';
import { expectDataError, onlyDataErrors } from './expect-data-error.js';

const csv = (text: string, options: CsvOptions = {}) => readCsv(Buffer.from(text), options, 'a.csv');

describe('readCsv', () => {
  test('header and integer labels in the last column by default', () => {
    const table = csv('width,height,kind\n1,2.5,0\n-3e1,.5,2\n');
    expect(table.features.dims).toEqual([2, 2]);
    expect(table.features.numbers()).toEqual([1, 2.5, -30, 0.5]);
    expect(table.labels?.dtype).toBe('int64');
    expect(table.labels?.numbers()).toEqual([0, 2]);
    expect(table.columns).toEqual(['width', 'height']);
  });

  test('no header, CRLF, byte order mark, blanks, quotes, blank lines, no newline at the end', () => {
    const table = csv('\ufeff 1 ,"2", 3\r\n\r\n4,5,6');
    expect(table.features.numbers()).toEqual([1, 2, 4, 5]);
    expect(table.labels?.numbers()).toEqual([3, 6]);
    expect(table.columns).toEqual(['column 1', 'column 2']);
  });

  test('label by name, index, negative index, several; delimiter; header forced', () => {
    expect(csv('"a, b";c\n1;2\n', { delimiter: ';', label: 'a, b' }).labels?.numbers()).toEqual([1]);
    expect(csv('1,2,3\n4,5,6\n', { label: 0 }).features.numbers()).toEqual([2, 3, 5, 6]);
    expect(csv('1,2,3\n', { label: -2 }).labels?.numbers()).toEqual([2]);
    const several = csv('a\tb\tc\n1\t0\t1\n', { delimiter: '\t', label: ['c', 'b'] });
    expect(several.labels?.dtype).toBe('float32');
    expect(several.labels?.dims).toEqual([1, 2]);
    expect(several.labels?.numbers()).toEqual([1, 0]);
    expect(csv('1,2\n3,4\n', { header: true }).features.numbers()).toEqual([3]);
    expect(csv('1990,1991\n3,4\n', { label: '1990' }).labels?.numbers()).toEqual([3]);
  });

  test.each([
    ['0,1,2\n5,6,7\n', 'row 1 is 0,1,2, data or the numbers of the columns'],
    ['\n0,1,2,3\n5,6,7,8\n', 'row 2 is 0,1,2,..., data or the numbers of the columns'],
    ['2019,2020,2021\n5,6,7\n', 'row 1 is 2019,2020,2021, data or the numbers of the columns'],
    ['0.0,1.0\n5,6\n', 'row 1 is 0.0,1.0, data or the numbers of the columns'],
    ['"0","1"\n5,6\n', 'row 1 is 0,1, data or the numbers of the columns'],
    [',0,1,2\n0,5,6,7\n', 'row 1 holds "" beside the number "0", data or names of columns'],
    ['1,2020,kind\n1,2,0\n', 'row 1 holds "kind" beside the number "1", data or names of columns'],
    ['nan,?,NA\n1,2,0\n', 'row 1 holds neither numbers nor names, "nan" first'],
    [',,\n1,2,0\n', 'row 1 holds neither numbers nor names, "" first'],
  ])('a first row that is data or a header is refused: %j', (text, what) => {
    expectDataError(() => csv(text), `a.csv: ${what}; "header" in the data entry decides, true or false`);
  });

  test('header: true or false decides, and what was guessed is told', () => {
    expect(csv('0,1,2\n5,6,7\n', { header: true }).features.numbers()).toEqual([5, 6]);
    expect(csv('0,1,2\n5,6,7\n', { header: false }).features.numbers()).toEqual([0, 1, 5, 6]);
    expect(csv('nan,?\n1,2\n', { header: true }).features.numbers()).toEqual([1]);
    expect(csv('\na,b\n1,2\n').notes).toEqual([
      'a.csv: row 2 taken as names of the columns, column 2 ("b") as the label; "header" and "label" in the data entry decide it',
    ]);
    expect(csv('3,4\n1,2\n', { label: 0 }).notes).toEqual([
      'a.csv: no row taken as names of the columns; "header" in the data entry decides it',
      'a.csv: the label is column 1',
    ]);
    expect(csv('a,b\n1,2\n', { header: true }).notes).toEqual([
      'a.csv: column 2 ("b") as the label; "label" in the data entry decides it',
    ]);
    expect(csv('a,b\n1,2\n', { label: 'a' }).notes).toEqual(['a.csv: the label is column 1 ("a")']);
    expect(csv('a,b\n1,2\n', { header: true, label: -1 }).notes).toEqual(['a.csv: the label is column 2 ("b")']);
  });

  test('a cell of many digits takes time by its length, not by its square', () => {
    const started = performance.now();
    for (const cell of ['1'.repeat(400_000), `${'1'.repeat(400_000)}x`, `.${'0'.repeat(400_000)}x`])
      expectDataError(
        () => csv(`a,b\n${cell},1\n`),
        `a.csv: row 2, column 1 ("a") holds "${cell.slice(0, 40)}...", expected a number`,
      );
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('a label that is no integer gives float32 [rows,1]', () => {
    const { labels } = csv('1,2\n1,2.5\n');
    expect([labels?.dtype, labels?.dims, labels?.numbers()]).toEqual(['float32', [2, 1], [2, 2.5]]);
  });

  test('errors name row and column', () => {
    expectDataError(() => csv('a,b\n1,2\n1,x\n'), 'a.csv: row 3, column 2 ("b") holds "x", expected a number');
    expectDataError(
      () => csv('1,2\n,2\n'),
      'a.csv: row 2, column 1 is empty, expected a number, or a step of "prepare" that fills it, such as { fill: median }',
    );
    expectDataError(
      () => csv('1,2\nNaN,2\n'),
      'a.csv: row 2, column 1 holds "NaN", expected a number, or a step of "prepare" that fills it, such as { fill: median }',
    );
    expectDataError(() => csv('1,2\n1e99,2\n'), 'a.csv: row 2, column 1 holds "1e99", expected a number');
    expectDataError(() => csv('1,2\n1,2,3\n'), 'a.csv: row 2 has 3 columns, expected 2');
    expectDataError(() => csv('1,"2\n'), 'a.csv: row 1, column 2 opens a quote and does not close it on its line');
    expectDataError(() => csv('"1"2,3\n'), 'a.csv: row 1, column 1 goes on after its closing quote');
    expectDataError(() => csv(''), 'a.csv: has no rows of data');
    expectDataError(() => csv('a,b\n'), 'a.csv: has no rows of data');
    expectDataError(() => csv('1\n2\n'), 'a.csv: has 1 column and no features beside the label');
    expectDataError(() => csv('a,b\n1,2\n', { label: 'c' }), 'a.csv: no column is named "c", expected one of "a", "b"');
    expectDataError(() => csv('a,a,b\n1,2,3\n', { label: 'a' }), 'a.csv: two columns are named "a", give the label\'s index');
    expectDataError(() => csv('1,2\n', { label: 2 }), 'a.csv: label column 2 is out of range, expected -2..1');
    expectDataError(
      () => csv('1,2\n', { label: 'a', header: false }),
      'a.csv: label "a" needs a header, the file is read without one',
    );
    expectDataError(() => csv('1,2\n', { label: [] }), 'a.csv: no label column is given, expected at least one');
    expectDataError(() => csv('1,2,3\n', { label: [0, -3] }), 'a.csv: a label column is given twice');
    expectDataError(
      () => csv('1,2\n', { delimiter: '::' }),
      'a.csv: delimiter "::" cannot be used, expected one ASCII character such as "," ";" or "\\t"',
    );
    expectDataError(() => readCsv(Buffer.from('\ufeff1,2', 'utf16le'), {}, 'a.csv'), 'a.csv: is UTF-16, expected UTF-8');
    const message = 'a.csv: row 2, column 2 is not valid UTF-8, expected a file in UTF-8';
    const latin = Buffer.from('x,name\n1,M\xfcller\n2,M\xf6ller\n', 'latin1');
    expectDataError(() => readCsv(latin, { texts: true }, 'a.csv'), message);
    expectDataError(() => readCsv(latin, { features: [{ name: 'name' }] }, 'a.csv'), message);
  });

  test('any float32 table round trips', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    const table = fc
      .integer({ min: 2, max: 5 })
      .chain((width) => fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 10 }));
    fc.assert(
      fc.property(table, (rows) => {
        const read = csv(rows.map((row) => row.join(',')).join('\n'));
        expect(read.features.numbers()).toEqual(rows.flatMap((row) => row.slice(0, -1).map((v) => Number(String(v)))));
      }),
    );
  });

  test('any text only ever throws DataError', () => {
    const piece = fc.constantFrom('1', '-2.5', ',', '\n', '"', '\r\n', 'x', '', ' ', '""', '\t', 'é', '\0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => onlyDataErrors(() => csv(pieces.join('')))),
      { numRuns: 3000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => onlyDataErrors(() => readCsv(bytes))));
  });
});
