// Files of columns, Parquet and Arrow, as tables: numbers, bools and texts, chosen and typed as those of a CSV file. What opens a file is parquet-file.ts and
// arrow-file.ts. Rows in messages count from 1.
import { Tensor } from '../onnx/core/tensor.js';
import { type CsvOptions, type CsvTable, takenNotes, type UnknownCategory } from './csv.js';
import { Interned } from './csv-cells.js';
import { type Chosen, chooseColumns } from './csv-columns.js';
import { dataError, defaultMaxBytes, quote } from './data-error.js';

/** A column that pandas writes for its index where that is more than a count. */
const isIndex = (name: string): boolean => /^__index_level_\d+__$/.test(name);

/** A file of columns whose claims have been looked through. */
export interface OpenTable {
  readonly rows: number;
  /** Rows that come before these, where they are a part of others: messages count them. */
  readonly first?: number;
  /** Columns in the order of the file. */
  readonly names: readonly string[];
  /** Texts that its writer added, by their keys. */
  readonly notes: ReadonlyMap<string, string>;
  /** Hands on the values of a column, row by row. Throws DataError for a damaged one, and what `each` throws. */
  readonly column: (name: string, each: (value: unknown, row: number) => void) => Promise<void>;
}

/** A file of columns in runs of rows that are opened one by one: row groups of Parquet, record batches of Arrow. */
export interface GroupedTable extends Pick<OpenTable, 'rows' | 'names' | 'notes'> {
  readonly groups: readonly RowGroup[];
}

/** A run of rows. */
export interface RowGroup {
  readonly rows: number;
  /** Bytes that these columns take unpacked, as the file claims. */
  readonly bytes: (names: readonly string[]) => number;
  /** Throws DataError for a damaged one. */
  readonly open: () => OpenTable;
}

/** Tables of the same columns, one after another. */
export function joinTables({ names, notes }: Pick<OpenTable, 'names' | 'notes'>, tables: readonly OpenTable[]): OpenTable {
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    names,
    notes,
    column: async (name, each) => {
      let before = 0;
      for (const { rows, column } of tables) {
        const from = before;
        await column(name, (value, row) => each(value, from + row));
        before += rows;
      }
    },
  };
}

/** Columns that are read for what is asked. Throws DataError for columns that are not there. */
export function columnsRead(
  { names: all }: Pick<OpenTable, 'names'>,
  options: CsvOptions,
  where: string,
): { features: string[]; labels: string[] } {
  const names = all.filter((name) => !isIndex(name));
  const { features, labels } = chooseColumns(names, names.length, options, where);
  return { features: features.map(({ cell }) => names[cell] ?? ''), labels: labels.map((cell) => names[cell] ?? '') };
}

/** How many columns of values a table has. */
export const widthOf = ({ names }: Pick<OpenTable, 'names'>): number => names.filter((name) => !isIndex(name)).length;

/**
 * The columns that are asked for, as `readCsv` reads them of a text: null and NaN are values that are missing, true and false are 1 and 0.
 * @param where names the file in errors
 * @param maxBytes bound on what the table takes
 * @param labelsAlone leaves the features out: as many rows of no columns
 * @throws DataError naming row and column of a value that is not what it must be, and for columns that are not there
 */
export async function tableOf(
  { names: all, rows, column, first = 0 }: OpenTable,
  options: CsvOptions,
  where: string,
  maxBytes = defaultMaxBytes,
  labelsAlone = false,
): Promise<CsvTable> {
  const [names, indices] = [all.filter((name) => !isIndex(name)), all.filter(isIndex)];
  if (rows === 0) throw dataError(where, 'has no rows of data', { expected: 'at least one row', got: '0 rows' });
  const chosen = chooseColumns(names, names.length, options, where);
  const size = rows * chosen.features.length * 4;
  if (size > maxBytes)
    throw dataError(
      where,
      `${rows} rows of ${chosen.features.length} features take ${size} bytes, more than the limit of ${maxBytes}`,
      {
        expected: `at most ${maxBytes} bytes`,
        got: `${size} bytes`,
      },
    );
  const wanted = labelsAlone ? [] : chosen.features.filter(({ text }) => text !== true);
  const texts = new Map<string, string[]>();
  for (const { cell, text } of labelsAlone ? [] : chosen.features) {
    if (text !== true) continue;
    const [place, own] = [{ where, cell, name: names[cell] ?? '', first }, [] as string[]];
    await column(place.name, (value, row) => own.push(textOf(value, row, place)));
    texts.set(place.name, own);
  }
  const width = options.text === undefined ? wanted.length : 0;
  const words: string[] = [];
  const features = new Float32Array(rows * width);
  const unknown = new Map<string, UnknownCategory>();
  for (const [i, { cell, categories }] of wanted.entries()) {
    const place = { where, cell, name: names[cell] ?? '', first };
    const index = categories && new Map(categories.map((text, id) => [text, id]));
    const called = columnName(place);
    await column(place.name, (value, row) => {
      if (options.text !== undefined) words.push(textOf(value, row, place));
      else if (index === undefined) features[row * width + i] = numberOf(value, row, place, options.missing === true);
      else {
        const id = typeof value === 'string' || typeof value === 'number' ? index.get(String(value)) : undefined;
        if (id === undefined && options.unknown !== true) throw noCategory(value, row, place, [...index.keys()]);
        if (id === undefined) {
          const text = typeof value === 'string' ? value : shown(value);
          const found = unknown.get(called) ?? { row: first + row + 1, text, count: 0 };
          unknown.set(called, { ...found, count: found.count + 1 });
        }
        features[row * width + i] = id ?? -1;
      }
    });
  }
  const labels = await readLabels(chosen, options, { rows, column, first }, names, where);
  const skipped = indices.length === 0 ? [] : [`${where}: not read, an index of pandas: ${indices.map(quote).join(', ')}`];
  const guessed = { delimiter: undefined, header: false };
  return {
    features: new Tensor('float32', [rows, width], features),
    ...(options.text !== undefined && { words }),
    texts,
    ...labels,
    columns: chosen.features.map(({ cell }) => names[cell] ?? ''),
    labelColumns: chosen.labels.map((cell) => names[cell] ?? ''),
    notes: [...takenNotes(options, guessed, { row: 0 }, chosen, names, where), ...skipped],
    unknown,
    rowOf: (row) => first + row + 1,
  };
}

interface Cell {
  readonly where: string;
  readonly cell: number;
  readonly name: string;
  /** Rows before the table. */
  readonly first: number;
}

async function readLabels(
  { labels }: Chosen,
  options: CsvOptions,
  { rows, column, first }: Required<Pick<OpenTable, 'rows' | 'column' | 'first'>>,
  names: readonly string[],
  where: string,
): Promise<Pick<CsvTable, 'labels' | 'labelTexts'>> {
  if (options.unlabelled === true) return { labels: undefined, labelTexts: undefined };
  const texts = options.texts === true && labels.length === 1;
  const values = new Float64Array(rows * labels.length);
  const interned = new Interned();
  const ids: number[] = [];
  let numbers = true;
  for (const [i, cell] of labels.entries()) {
    const place = { where, cell, name: names[cell] ?? '', first };
    await column(place.name, (value, row) => {
      if (texts && typeof value === 'string') {
        numbers = false;
        ids.push(interned.id(value));
        return;
      }
      const number = numberOf(value, row, place, false);
      values[row * labels.length + i] = number;
      if (texts) ids.push(interned.id(String(number)));
    });
  }
  const integers = labels.length === 1 && values.every(Number.isSafeInteger);
  const tensor = integers
    ? new Tensor('int64', [rows], BigInt64Array.from(values, BigInt))
    : new Tensor('float32', [rows, labels.length], Float32Array.from(values));
  return { labels: numbers ? tensor : undefined, labelTexts: texts ? { ids, texts: interned.texts } : undefined };
}

const columnName = ({ cell, name }: Cell): string => `column ${cell + 1} (${quote(name)})`;
const cellName = (row: number, place: Cell): string => `${place.where}: row ${place.first + row + 1}, ${columnName(place)}`;
function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || value === undefined) return 'null';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' ? 'bytes or a record' : String(value);
}

function numberOf(value: unknown, row: number, place: Cell, missing: boolean): number {
  const absent = value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value));
  if (absent && missing) return Number.NaN;
  const number =
    typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
  if (Number.isFinite(Math.fround(number))) return number;
  const advice = absent
    ? ', or a step of "prepare" that fills it, such as { fill: median }'
    : typeof value === 'string'
      ? `; a column of texts is a category among the "features" of the input`
      : '';
  throw dataError(cellName(row, place), `holds ${shown(value)}, expected a number${advice}`, {
    expected: 'a number',
    got: shown(value),
  });
}

function textOf(value: unknown, row: number, place: Cell): string {
  if (typeof value === 'string') return value;
  throw dataError(cellName(row, place), `holds ${shown(value)}, expected a text`, { expected: 'a text', got: shown(value) });
}

function noCategory(value: unknown, row: number, place: Cell, categories: readonly string[]): Error {
  const expected = `one of ${JSON.stringify(categories.slice(0, 100))}`;
  return dataError(cellName(row, place), `holds ${shown(value)}, expected ${expected}`, { expected, got: shown(value) });
}
