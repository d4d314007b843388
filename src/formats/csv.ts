// CSV (RFC 4180 without line breaks inside quotes): features as float32, one or more label columns, numbers or one of texts.
// Rows and columns in messages count from 1, the row as an editor shows it, header and blank lines included.
import { Tensor } from '../onnx/core/tensor.js';
import { type CellOptions, type CsvFile, Interned, noCategory, noNumber, numberIn, numberOf } from './csv-cells.js';
import { type Chosen, type ColumnOptions, chooseColumns } from './csv-columns.js';
import { delimiterName, findDelimiter } from './csv-delimiter.js';
import { looksLikeHeader } from './csv-header.js';
import { type Line, lines } from './csv-lines.js';
import { dataError, quote } from './data-error.js';

export interface CsvOptions extends ColumnOptions {
  /**
   * Whether the first row is a header. Default: it is when a column is named or when none of its cells is a number; a row that cannot decide it is
   * refused, such as 0,1,2.
   */
  readonly header?: boolean;
  /** One ASCII character. Default: what stands equally often in each of the first lines, a comma where nothing does. */
  readonly delimiter?: string;
  /** The sign before the decimals; default a point. */
  readonly decimal?: '.' | ',';
  /** Whether an empty cell of a number is NaN; refused otherwise. */
  readonly missing?: boolean;
  /** Whether a single label column may hold texts. */
  readonly texts?: boolean;
  /** Whether a text that is no category is -1; refused otherwise. */
  readonly unknown?: boolean;
  /** How many cells a row has, where lines before have said it. */
  readonly cells?: number;
}

/** Texts of a column that are none of its categories. */
export interface UnknownCategory {
  /** The first of them, and how many there are. */
  readonly row: number;
  readonly text: string;
  readonly count: number;
}

/** What is said of them, once all rows are read. */
export class UnknownCategories {
  private readonly byColumn = new Map<string, UnknownCategory>();

  /** Those of a table that follows the ones before, by what their columns are called. */
  add(found: ReadonlyMap<string, UnknownCategory>): this {
    for (const [column, { row, text, count }] of found) {
      const known = this.byColumn.get(column);
      this.byColumn.set(column, known === undefined ? { row, text, count } : { ...known, count: known.count + count });
    }
    return this;
  }

  lines(where: string): string[] {
    return [...this.byColumn].map(([column, { row, text, count }]) => {
      const more = count === 2 ? '; so does one more row' : count > 2 ? `; so do ${count - 1} more rows` : '';
      return `${where}: row ${row}, ${column} holds ${quote(text)}, which is none of its categories and counts as none${more}`;
    });
  }
}

/** A label column of texts. */
export interface CsvTexts {
  /** Of each row the place of its text in `texts`. */
  readonly ids: readonly number[];
  /** The different texts, in the order in which they come. */
  readonly texts: readonly string[];
  /** The texts are all that there can be, and in the order in which they count. */
  readonly ordered?: boolean;
}

export interface CsvTable {
  /** float32 [rows, features]: numbers, indices of categories, NaN for what is missing. Without features where a column is read as text. */
  readonly features: Tensor;
  /** Of each row the text, where one column is read as such. */
  readonly words?: readonly string[];
  /** The texts of the features that are read as such, by their names. */
  readonly texts?: ReadonlyMap<string, readonly string[]>;
  /** int64 [rows] when one label column holds integers only, else float32 [rows, label columns]; undefined where they hold other texts. */
  readonly labels: Tensor | undefined;
  /** The single label column as it is written, where texts were allowed. */
  readonly labelTexts: CsvTexts | undefined;
  /** Names of the feature columns; `column 3` where there is no header. */
  readonly columns: readonly string[];
  /** Names of the label columns. */
  readonly labelColumns: readonly string[];
  /** What was taken for granted: delimiter, header, label, columns that nothing reads; a line each. */
  readonly notes: readonly string[];
  /** Texts that are no categories, by what their columns are called: `column 3 ("town")`. */
  readonly unknown?: ReadonlyMap<string, UnknownCategory>;
  /** How it was read, so that the rest of the file is read likewise; absent where there is no such thing. */
  readonly read?: { readonly delimiter: string; readonly header: boolean; readonly cells: number };
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

/** `a.csv: row 1 taken as names of the columns, column 5 ("kind") as the label; "header" and "label" in the data entry decide it` */
export function takenNotes(
  options: CsvOptions,
  guessed: { readonly delimiter: string | undefined; readonly header: boolean },
  header: { readonly row: number } | undefined,
  { labels, unused }: Chosen,
  columns: readonly string[],
  where: string,
): string[] {
  const called = (cell: number) => `column ${cell + 1}${header ? ` (${quote(columns[cell] ?? '')})` : ''}`;
  const list = (cells: readonly number[]) => cells.map(called).join(', ');
  const label = options.label === undefined && labels.length > 0;
  const taken = [
    ...(guessed.delimiter === undefined ? [] : [['delimiter', `cells parted at ${delimiterName(guessed.delimiter)}`]]),
    ...(guessed.header ? [['header', `${header ? `row ${header.row}` : 'no row'} taken as names of the columns`]] : []),
    ...(label ? [['label', `${list(labels)} as the label`]] : []),
  ];
  const decide = taken.map(([option]) => `"${option}"`).join(' and ');
  const said = `${taken.map(([, what]) => what).join(', ')}; ${decide} in the data entry decide${taken.length === 1 ? 's' : ''} it`;
  return [
    ...(taken.length === 0 ? [] : [`${where}: ${said}`]),
    ...(options.label !== undefined && options.unlabelled !== true ? [`${where}: the label is ${list(labels)}`] : []),
    ...(unused.length === 0 ? [] : [`${where}: not read: ${list(unused.slice(0, 20))}${unused.length > 20 ? ', ...' : ''}`]),
  ];
}

/** Categories by their texts, for each feature that has some. */
const indexed = ({ features }: Chosen) =>
  features.map(({ cell, categories, text }) => ({
    cell,
    categories,
    own: text === true ? ([] as string[]) : undefined,
    index: categories && new Map(categories.map((text, i) => [text, i])),
  }));

/** Whether any column is told by its name. */
function namesColumns({ label, features, columns = [], drop = [] }: CsvOptions): boolean {
  const labels = typeof label === 'object' ? label : [label];
  return features !== undefined || [...labels, ...columns, ...drop].some((column) => typeof column === 'string');
}

/** What is read row by row, once the columns are known. */
class Reader {
  readonly features = new Growing(new Float32Array(1024), (n) => new Float32Array(n));
  readonly targets = new Growing(new Float64Array(1024), (n) => new Float64Array(n));
  readonly rows = new Growing(new Float64Array(1024), (n) => new Float64Array(n));
  readonly interned = new Interned();
  readonly ids: number[] = [];
  readonly words: string[] = [];
  integers = true;
  /** Texts that are no categories, by column. */
  readonly unknown = new Map<number, { row: number; text: string; count: number }>();
  private readonly cells: ReturnType<typeof indexed>;

  constructor(
    private readonly file: CsvFile,
    private readonly chosen: Chosen,
    private readonly options: CsvOptions,
    private readonly how: CellOptions,
  ) {
    this.cells = indexed(chosen);
  }

  /** The texts of the columns that are read as such, by the columns. */
  get textColumns(): ReadonlyMap<number, readonly string[]> {
    return new Map(this.cells.flatMap(({ cell, own }) => (own === undefined ? [] : [[cell, own]])));
  }

  get texts(): boolean {
    return this.options.texts === true && this.chosen.labels.length === 1;
  }

  read(line: Line): void {
    const { file, how } = this;
    for (const { cell, categories, index, own } of this.cells)
      if (this.options.text !== undefined) this.words.push(line.text(cell));
      else if (own !== undefined) own.push(line.text(cell));
      else if (index !== undefined) this.features.push(index.get(line.text(cell)) ?? this.missed(line, cell, categories ?? []));
      else {
        const value = numberIn(line, cell, how);
        if (value === undefined) throw noNumber(file, line, cell, how, 'feature');
        this.features.push(value);
      }
    this.readLabels(line);
    this.rows.push(line.row);
  }

  private missed(line: Line, cell: number, categories: readonly string[]): number {
    if (this.options.unknown !== true) throw noCategory(this.file, line, cell, categories);
    const known = this.unknown.get(cell);
    if (known !== undefined) known.count++;
    else this.unknown.set(cell, { row: line.row, text: line.text(cell), count: 1 });
    return -1;
  }

  private readLabels(line: Line): void {
    for (const label of this.chosen.labels)
      if (this.texts) this.ids.push(this.interned.id(line.text(label)));
      else {
        const value = numberIn(line, label, { ...this.how, missing: false });
        if (value === undefined) throw noNumber(this.file, line, label, this.how, 'label');
        this.integers &&= Number.isSafeInteger(value);
        this.targets.push(value);
      }
  }

  /** Texts that all write finite numbers are numbers. */
  private numbersOfTexts(): Float64Array | undefined {
    const numbers = this.interned.texts.map((text) => numberOf(text, this.how.decimal));
    if (numbers.some((value) => value === undefined || !Number.isFinite(Math.fround(value)))) return undefined;
    this.integers = numbers.every(Number.isSafeInteger);
    return Float64Array.from(this.ids, (id) => numbers[id] ?? Number.NaN);
  }

  labels(): Tensor | undefined {
    if (this.options.unlabelled === true) return undefined;
    const y = this.texts ? this.numbersOfTexts() : this.targets.values();
    if (y === undefined) return undefined;
    const { length: rows } = this.rows;
    return this.chosen.labels.length === 1 && this.integers
      ? new Tensor('int64', [rows], BigInt64Array.from(y, BigInt))
      : new Tensor('float32', [rows, this.chosen.labels.length], Float32Array.from(y));
  }
}

const textsOf = (line: Line): string[] => Array.from({ length: line.cells }, (_, cell) => line.text(cell));

/** Whether the first line is a header. Throws a DataError where nobody can tell. */
function isHeader(line: Line, options: CsvOptions, where: string): boolean {
  if (options.header !== undefined) return options.header;
  if (namesColumns(options)) return true;
  const texts = textsOf(line);
  const plain = options.decimal === ',' ? texts.map((text) => text.replace(',', '.')) : texts;
  return looksLikeHeader(plain, line.row, where);
}

const delimiterIn = (bytes: Uint8Array, { delimiter, decimal }: CsvOptions, where: string): string =>
  delimiter ?? findDelimiter(bytes, decimal === ',', where);

/** How many cells the first row has; 0 of an empty file. Throws a DataError where nobody can tell what parts them. */
export function csvWidth(bytes: Uint8Array, options: CsvOptions, where = 'CSV data'): number {
  for (const line of lines(bytes, delimiterIn(bytes, options, where), where)) return line.cells;
  return 0;
}

/** Whether there is a row of data, beside a header. Throws a DataError as `readCsv` does. */
export function csvHasRows(bytes: Uint8Array, options: CsvOptions, where = 'CSV data'): boolean {
  let count = 0;
  for (const line of lines(bytes, delimiterIn(bytes, options, where), where))
    if (++count === 2 || !isHeader(line, options, where)) return true;
  return false;
}

/**
 * Reads a CSV file in UTF-8.
 * @param where names the file in errors
 * @param before lines of the file that come before `bytes`
 * @throws DataError naming row and column of a cell that is not what it must be, rows of unequal length, columns that are not there
 */
export function readCsv(bytes: Uint8Array, options: CsvOptions = {}, where = 'CSV data', before = 0): CsvTable {
  const how: CellOptions = { decimal: options.decimal ?? '.', missing: options.missing ?? false };
  const delimiter = delimiterIn(bytes, options, where);
  if (delimiter === how.decimal)
    throw dataError(where, `"${delimiter}" parts cells and decimals, expected another delimiter`, { expected: 'delimiter' });
  const named = namesColumns(options);
  let names: string[] | undefined;
  let header: { readonly row: number } | undefined;
  let width = -1;
  let reader: Reader | undefined;
  let chosen: Chosen | undefined;
  for (const line of lines(bytes, delimiter, where, before)) {
    if (reader === undefined) {
      width = options.cells ?? line.cells;
      const first = isHeader(line, options, where);
      if (first) [names, header] = [textsOf(line), { row: line.row }];
      chosen = chooseColumns(names, width, options, where);
      reader = new Reader({ bytes, delimiter, where, names, before, firstRow: line.row + (first ? 1 : 0) }, chosen, options, how);
      if (first) continue;
    }
    if (line.cells !== width) {
      throw dataError(where, `row ${line.row} has ${line.cells} columns, expected ${width}`, {
        expected: `${width} columns`,
        got: `${line.cells} columns`,
      });
    }
    reader.read(line);
  }
  const rows = reader?.rows.length ?? 0;
  if (reader === undefined || chosen === undefined || rows === 0)
    throw dataError(where, 'has no rows of data', { expected: 'at least one row', got: '0 rows' });
  const rowNumbers = reader.rows.values();
  const columns = Array.from({ length: width }, (_, cell) => names?.[cell] ?? `column ${cell + 1}`);
  const guessed = {
    delimiter: options.delimiter === undefined && delimiter !== ',' ? delimiter : undefined,
    header: (options.header === undefined || options.unlabelled === true) && !named,
  };
  const unknown = [...reader.unknown].map(
    ([cell, found]) => [`column ${cell + 1} (${quote(columns[cell] ?? '')})`, found] as const,
  );
  return {
    features: new Tensor('float32', [rows, reader.features.length / rows], reader.features.values()),
    ...(options.text !== undefined && { words: reader.words }),
    texts: new Map([...reader.textColumns].map(([cell, texts]) => [columns[cell] ?? '', texts])),
    labels: reader.labels(),
    labelTexts: reader.texts ? { ids: reader.ids, texts: reader.interned.texts } : undefined,
    columns: chosen.features.map(({ cell }) => columns[cell] ?? ''),
    labelColumns: chosen.labels.map((cell) => columns[cell] ?? ''),
    notes: takenNotes(options, guessed, header, chosen, columns, where),
    unknown: new Map(unknown),
    read: { delimiter, header: header !== undefined, cells: width },
    rowOf: (row) => rowNumbers[row] ?? row + 1,
  };
}
