// What the columns of a CSV file with a header hold, without saying what they are for: numbers, texts, cells that are missing.
import { isAbsent, numberOf } from './csv-cells.js';
import { findDelimiter } from './csv-delimiter.js';
import { looksLikeHeader } from './csv-header.js';
import { lines } from './csv-lines.js';
import { dataError } from './data-error.js';

/** Different texts of a column that are kept at most. */
export const mostValues = 1000;

export interface ColumnProfile {
  readonly name: string;
  /** Cells that are numbers, that are texts, and that are missing. */
  readonly numbers: number;
  readonly texts: number;
  readonly missing: number;
  /** Cells among the texts that are numbers with the other decimal sign. */
  readonly otherDecimals: number;
  /** A number that begins with zeros, as codes do: "01067". */
  readonly padded: string | undefined;
  /** Whether all numbers are whole. */
  readonly whole: boolean;
  /** The different cells, missing ones left out, up to one more than `mostValues`. */
  readonly values: ReadonlySet<string>;
}

export interface CsvProfile {
  readonly rows: number;
  readonly delimiter: string;
  readonly columns: readonly ColumnProfile[];
}

interface Counting extends ColumnProfile {
  numbers: number;
  texts: number;
  missing: number;
  otherDecimals: number;
  padded: string | undefined;
  whole: boolean;
  readonly values: Set<string>;
}

const nothing = { numbers: 0, texts: 0, missing: 0, otherDecimals: 0, padded: undefined, whole: true };

/** Throws a DataError for a file without a header or rows, for rows of unequal length, and for two columns of one name. */
export function profileCsv(bytes: Uint8Array, decimal: '.' | ',', where: string, stated?: string): CsvProfile {
  const delimiter = stated ?? findDelimiter(bytes, decimal === ',', where);
  let columns: Counting[] | undefined;
  let rows = 0;
  for (const line of lines(bytes, delimiter, where)) {
    const cells = Array.from({ length: line.cells }, (_, cell) => line.text(cell));
    if (columns === undefined) {
      if (!looksLikeHeader(cells, line.row, where))
        throw dataError(where, `row ${line.row} holds numbers, expected the names of the columns`, { expected: 'a header' });
      const twice = cells.find((name, i) => cells.indexOf(name) !== i);
      if (twice !== undefined) throw dataError(where, `two columns are named ${JSON.stringify(twice)}, expected different names`);
      columns = cells.map((name) => ({ name, ...nothing, values: new Set() }));
      continue;
    }
    if (cells.length !== columns.length) {
      const [expected, got] = [`${columns.length} columns`, `${cells.length} columns`];
      throw dataError(where, `row ${line.row} has ${got}, expected ${columns.length}`, { expected, got });
    }
    rows++;
    columns.forEach((column, i) => {
      count(column, cells[i] ?? '', decimal);
    });
  }
  if (columns === undefined || rows === 0)
    throw dataError(where, 'has no rows of data', { expected: 'at least one row', got: '0 rows' });
  return { rows, delimiter, columns };
}

function count(column: Counting, text: string, decimal: '.' | ','): void {
  if (isAbsent(text)) {
    column.missing++;
    return;
  }
  const value = numberOf(text, decimal);
  if (value === undefined) {
    column.texts++;
    if (numberOf(text, decimal === '.' ? ',' : '.') !== undefined) column.otherDecimals++;
  } else {
    column.numbers++;
    if (/^0\d/.test(text)) column.padded ??= text;
    column.whole &&= Number.isSafeInteger(value);
  }
  if (column.values.size <= mostValues) column.values.add(text);
}
