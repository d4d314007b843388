// Numeric CSV (RFC 4180 without line breaks inside quotes): features as float32, one or more label columns.
// Rows and columns in messages count from 1, the row as an editor shows it, header and blank lines included.
import { Tensor } from '../onnx/core/tensor.js';
import { isNumber, looksLikeHeader } from './csv-header.js';
import { type Line, lines } from './csv-lines.js';
import { dataError, quote } from './data-error.js';

export interface CsvOptions {
  /** Label column, or several: a name of the header or an index from 0; negative indices count from the end. Default -1, the last. */
  readonly label?: string | number | readonly (string | number)[];
  /**
   * Whether the first row is a header. Default: it is when a label is named or when none of its cells is a number; a row that cannot decide it is
   * refused, such as 0,1,2.
   */
  readonly header?: boolean;
  /** One ASCII character, default a comma. */
  readonly delimiter?: string;
}

export interface CsvTable {
  /** float32 [rows, columns without labels]. */
  readonly features: Tensor;
  /** int64 [rows] when one label column holds integers only, else float32 [rows, label columns]. */
  readonly labels: Tensor;
  /** Names of the feature columns; `column 3` where there is no header. */
  readonly columns: readonly string[];
  /** Names of the label columns. */
  readonly labelColumns: readonly string[];
  /** What was taken for granted: a header or none, the label; undefined where the options say both. */
  readonly guess: string | undefined;
  /** The row of the file, as messages count it, that a row of the table stands in. */
  readonly rowOf: (row: number) => number;
}

/** Numbers that grow as the file is read, so that nothing is allocated on the word of the first row. */
class Growing<T extends Float32Array | Float64Array> {
  length = 0;
  constructor(
    private data: T,
    private readonly make: (length: number) => T,
  ) {}

  push(value: number): void {
    if (this.length === this.data.length) {
      const bigger = this.make(this.data.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.length++] = value;
  }

  values(): T {
    const out = this.make(this.length);
    out.set(this.data.subarray(0, this.length));
    return out;
  }
}

function labelColumns(options: CsvOptions, names: readonly string[] | undefined, width: number, where: string): number[] {
  const wanted = options.label ?? -1;
  const found = (typeof wanted === 'object' ? wanted : [wanted]).map((label) => {
    if (typeof label === 'number') {
      const index = label < 0 ? label + width : label;
      if (Number.isInteger(label) && index >= 0 && index < width) return index;
      throw dataError(where, `label column ${label} is out of range, expected ${-width}..${width - 1}`, {
        expected: `${-width}..${width - 1}`,
        got: String(label),
      });
    }
    if (names === undefined) throw dataError(where, `label ${quote(label)} needs a header, the file is read without one`);
    const index = names.indexOf(label);
    if (index < 0) {
      const listed = names.slice(0, 20).map(quote).join(', ');
      throw dataError(where, `no column is named ${quote(label)}, expected one of ${listed}`, { expected: listed, got: label });
    }
    if (names.lastIndexOf(label) !== index)
      throw dataError(where, `two columns are named ${quote(label)}, give the label's index`);
    return index;
  });
  if (found.length === 0) throw dataError(where, 'no label column is given, expected at least one');
  if (new Set(found).size !== found.length) throw dataError(where, 'a label column is given twice');
  return found;
}

/** The finite number in a cell; runs of up to 15 digits are read without making a string. */
function cellValue(line: Line, cell: number, names: readonly string[] | undefined, where: string): number {
  const start = line.starts[cell] as number;
  const end = line.ends[cell] as number;
  if (end > start && end - start <= 15) {
    let value = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = (line.bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end) return value;
  }
  const text = line.text(cell);
  const value = isNumber(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(Math.fround(value))) return value;
  const name = names === undefined ? '' : ` (${quote(names[cell] ?? '')})`;
  const what = text === '' ? 'is empty' : `holds ${quote(text)}`;
  throw dataError(where, `row ${line.row}, column ${cell + 1}${name} ${what}, expected a number`, {
    expected: 'a number',
    got: text,
  });
}

/** `a.csv: row 1 taken as a header, column 5 ("kind") as the label; "header" and "label" in the data entry decide` */
function guessOf(
  { header, label }: CsvOptions,
  names: { readonly row: number } | undefined,
  labels: readonly number[],
  columns: readonly string[],
  where: string,
): string | undefined {
  const named = (Array.isArray(label) ? label : [label]).some((l) => typeof l === 'string');
  const taken = [
    ...(header === undefined && !named
      ? [['header', names ? `row ${names.row} taken as names of the columns` : 'no row taken as names of the columns']]
      : []),
    ...(label === undefined
      ? [['label', `column ${(labels[0] ?? 0) + 1}${names ? ` (${quote(columns[labels[0] ?? 0] ?? '')})` : ''} as the label`]]
      : []),
  ];
  if (taken.length === 0) return undefined;
  const options = taken.map(([option]) => `"${option}"`).join(' and ');
  return `${where}: ${taken.map(([, what]) => what).join(', ')}; ${options} in the data entry decide${taken.length === 1 ? 's' : ''} it`;
}

/**
 * Reads a numeric CSV file in UTF-8.
 * @param where names the file in errors
 * @throws DataError naming row and column of a cell that is no finite float32, rows of unequal length, unknown label columns
 */
export function readCsv(bytes: Uint8Array, options: CsvOptions = {}, where = 'CSV data'): CsvTable {
  const wanted = options.label ?? -1;
  const named = typeof wanted === 'object' ? wanted.some((l) => typeof l === 'string') : typeof wanted === 'string';
  const features = new Growing(new Float32Array(1024), (n) => new Float32Array(n));
  const targets = new Growing(new Float64Array(1024), (n) => new Float64Array(n));
  const lineRows = new Growing(new Float64Array(1024), (n) => new Float64Array(n));
  let names: string[] | undefined;
  let headerRow: { readonly row: number } | undefined;
  let width = -1;
  let labels: number[] = [];
  let isLabel = new Uint8Array();
  let rows = 0;
  let integers = true;
  for (const line of lines(bytes, options.delimiter ?? ',', where)) {
    if (width < 0) {
      width = line.cells;
      const texts = Array.from({ length: width }, (_, cell) => line.text(cell));
      const header = options.header ?? (named || looksLikeHeader(texts, line.row, where));
      if (header) [names, headerRow] = [texts, { row: line.row }];
      labels = labelColumns(options, names, width, where);
      if (labels.length === width) {
        throw dataError(where, `has ${width} column${width === 1 ? '' : 's'} and no features beside the label`, {
          expected: 'at least one feature column',
          got: `${width} columns`,
        });
      }
      isLabel = new Uint8Array(width);
      for (const label of labels) isLabel[label] = 1;
      if (header) continue;
    }
    if (line.cells !== width) {
      throw dataError(where, `row ${line.row} has ${line.cells} columns, expected ${width}`, {
        expected: `${width} columns`,
        got: `${line.cells} columns`,
      });
    }
    for (let cell = 0; cell < width; cell++) if (isLabel[cell] === 0) features.push(cellValue(line, cell, names, where));
    for (const label of labels) {
      const value = cellValue(line, label, names, where);
      integers &&= Number.isSafeInteger(value);
      targets.push(value);
    }
    lineRows.push(line.row);
    rows++;
  }
  if (rows === 0) throw dataError(where, 'has no rows of data', { expected: 'at least one row', got: '0 rows' });
  const y = targets.values();
  const rowNumbers = lineRows.values();
  const columns = Array.from({ length: width }, (_, cell) => names?.[cell] ?? `column ${cell + 1}`);
  return {
    features: new Tensor('float32', [rows, width - labels.length], features.values()),
    labels:
      labels.length === 1 && integers
        ? new Tensor('int64', [rows], BigInt64Array.from(y, BigInt))
        : new Tensor('float32', [rows, labels.length], Float32Array.from(y)),
    columns: columns.filter((_, cell) => isLabel[cell] === 0),
    labelColumns: labels.map((cell) => columns[cell] ?? ''),
    guess: guessOf(options, headerRow, labels, columns, where),
    rowOf: (row) => rowNumbers[row] ?? row + 1,
  };
}
