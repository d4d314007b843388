// Parquet files as tables: columns of numbers, bools and texts, chosen and typed as those of a CSV file. The package hyparquet, an optional peer, decodes
// them; what a file claims is looked through before that, for it believes every size. Rows in messages count from 1.
import { reason } from '../onnx/core/one-line.js';
import { Tensor } from '../onnx/core/tensor.js';
import { importPackage } from '../onnx/files/optional-package.js';
import { type CsvOptions, type CsvTable, takenNotes } from './csv.js';
import { Interned } from './csv-cells.js';
import { type Chosen, chooseColumns } from './csv-columns.js';
import { dataError, defaultMaxBytes, quote } from './data-error.js';
import { checkPages, fileSchema, type ParquetFile } from './parquet-pages.js';

type Column = ArrayLike<unknown>;
/** What is used of hyparquet. */
interface Hyparquet {
  parquetMetadata(bytes: ArrayBuffer, options: { geoparquet: false }): unknown;
  parquetRead(options: {
    file: { byteLength: number; slice(start: number, end?: number): ArrayBuffer };
    columns: string[];
    compressors: Readonly<Record<string, Unpack>>;
    geoparquet: false;
    onChunk(chunk: { columnData: Column; rowStart: number; rowEnd: number }): void;
  }): Promise<void>;
  snappyUncompress(packed: Uint8Array, out: Uint8Array): void;
}
type Unpack = (packed: Uint8Array, length: number) => Uint8Array;

const isHyparquet = (value: object): value is Hyparquet =>
  ['parquetMetadata', 'parquetRead', 'snappyUncompress'].every((name) => typeof Reflect.get(value, name) === 'function');
const isCompressors = (value: unknown): value is Readonly<Record<string, Unpack>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'function');

async function needed<T>(name: string, where: string, what: string, pick: (module: object) => T | undefined): Promise<T> {
  let cause: unknown;
  try {
    const found = pick(await importPackage(name));
    if (found !== undefined) return found;
  } catch (error) {
    cause = error;
  }
  throw dataError(where, `${what} by the npm package ${name}, which is not installed`, {
    remedy: { kind: 'install', package: name },
    cause,
  });
}

/** A column that pandas writes for its index where that is more than a count. */
const isIndex = (name: string): boolean => /^__index_level_\d+__$/.test(name);

interface Opened extends ParquetFile {
  readonly library: Hyparquet;
  /** Columns of single values, in the order of the file. */
  readonly names: readonly string[];
  /** Columns that are an index of pandas. */
  readonly indices: readonly string[];
}

async function open(bytes: Uint8Array, where: string, maxBytes: number): Promise<Opened> {
  const pick = (module: object) => (isHyparquet(module) ? module : undefined);
  const library = await needed('hyparquet', where, 'Parquet is read', pick);
  const file = fileSchema.safeParse(broken(where, () => library.parquetMetadata(copied(bytes, 0), { geoparquet: false })));
  if (!file.success) throw dataError(where, 'is no whole Parquet file, its metadata are broken', { expected: 'a Parquet file' });
  const [root, ...elements] = file.data.schema;
  const nested = elements.find(({ num_children = 0, repetition_type }) => num_children > 0 || repetition_type === 'REPEATED');
  if (nested !== undefined || root?.num_children !== elements.length) {
    const text = `column ${quote(nested?.name ?? '')} holds lists or records, expected columns of single values`;
    throw dataError(where, text, { expected: 'columns of single values' });
  }
  const names = elements.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw dataError(where, `two columns are named ${quote(twice)}, expected each name once`);
  const parse = await needed('hyparquet/src/column.js', where, 'Parquet is read', headerOf);
  checkPages(bytes, file.data, names, parse, where, maxBytes);
  return { ...file.data, library, names: names.filter((name) => !isIndex(name)), indices: names.filter(isIndex) };
}

function headerOf(module: object): ((reader: { view: DataView; offset: number }) => unknown) | undefined {
  const found: unknown = Reflect.get(module, 'parquetHeader');
  return typeof found === 'function' ? (reader) => Reflect.apply(found, undefined, [reader]) : undefined;
}

/** How many columns of values a file has. Throws DataError as `readParquet`. */
export async function parquetWidth(bytes: Uint8Array, where = 'Parquet data', maxBytes = defaultMaxBytes): Promise<number> {
  return (await open(bytes, where, maxBytes)).names.length;
}

/**
 * Reads a Parquet file as `readCsv` reads one of text: null and NaN are values that are missing, true and false are 1 and 0.
 * @param where names the file in errors
 * @param maxBytes bound on the unpacked size, and on what the table takes
 * @throws DataError naming row and column of a value that is not what it must be, for damaged files, nested columns, columns that are not there
 */
export async function readParquet(
  bytes: Uint8Array,
  options: CsvOptions = {},
  where = 'Parquet data',
  maxBytes = defaultMaxBytes,
): Promise<CsvTable> {
  const opened = await open(bytes, where, maxBytes);
  const { names, num_rows: rows, indices } = opened;
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
  const column = await columnReader(bytes, opened, where, maxBytes);
  const width = chosen.features.length;
  const features = new Float32Array(rows * width);
  const unknown: string[] = [];
  for (const [i, { cell, categories }] of chosen.features.entries()) {
    const place = { where, cell, name: names[cell] ?? '' };
    const index = categories && new Map(categories.map((text, id) => [text, id]));
    let none = 0;
    await column(place.name, (value, row) => {
      if (index === undefined) features[row * width + i] = numberOf(value, row, place, options.missing === true);
      else {
        const id = typeof value === 'string' || typeof value === 'number' ? index.get(String(value)) : undefined;
        if (id === undefined && options.unknown !== true) throw noCategory(value, row, place, [...index.keys()]);
        if (id === undefined && none++ === 0)
          unknown.push(`${cellName(row, place)} holds ${shown(value)}, which is none of its categories and counts as none`);
        features[row * width + i] = id ?? -1;
      }
    });
  }
  const labels = await readLabels(chosen, options, rows, names, column, where);
  const skipped = indices.length === 0 ? [] : [`${where}: not read, an index of pandas: ${indices.map(quote).join(', ')}`];
  const guessed = { delimiter: undefined, header: false };
  return {
    features: new Tensor('float32', [rows, width], features),
    ...labels,
    columns: chosen.features.map(({ cell }) => names[cell] ?? ''),
    labelColumns: chosen.labels.map((cell) => names[cell] ?? ''),
    notes: [...takenNotes(options, guessed, { row: 0 }, chosen, names, where), ...skipped, ...unknown],
    rowOf: (row) => row + 1,
  };
}

interface Cell {
  readonly where: string;
  readonly cell: number;
  readonly name: string;
}
type Each = (value: unknown, row: number) => void;
type ReadColumn = (name: string, each: Each) => Promise<void>;

async function readLabels(
  { labels }: Chosen,
  options: CsvOptions,
  rows: number,
  names: readonly string[],
  column: ReadColumn,
  where: string,
): Promise<Pick<CsvTable, 'labels' | 'labelTexts'>> {
  if (options.unlabelled === true) return { labels: undefined, labelTexts: undefined };
  const texts = options.texts === true && labels.length === 1;
  const values = new Float64Array(rows * labels.length);
  const interned = new Interned();
  const ids: number[] = [];
  let numbers = true;
  for (const [i, cell] of labels.entries()) {
    const place = { where, cell, name: names[cell] ?? '' };
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

/** Hands on the values of a column, row by row. */
async function columnReader(
  bytes: Uint8Array,
  { library, ...opened }: Opened,
  where: string,
  maxBytes: number,
): Promise<ReadColumn> {
  const codecs = new Set(opened.row_groups.flatMap(({ columns }) => columns.map(({ meta_data: { codec } }) => codec)));
  const plain = [...codecs].every((codec) => codec === 'UNCOMPRESSED' || codec === 'SNAPPY');
  const pick = (module: object) => {
    const found: unknown = Reflect.get(module, 'compressors');
    return isCompressors(found) ? found : undefined;
  };
  const others = plain ? {} : await needed('hyparquet-compressors', where, `${[...codecs].join(', ')} is unpacked`, pick);
  const snappy: Unpack = (packed, length) => {
    const out = new Uint8Array(length);
    library.snappyUncompress(packed, out);
    return out;
  };
  const bounded =
    (unpack: Unpack): Unpack =>
    (packed, length) => {
      if (!(length >= 0 && length <= maxBytes)) throw new RangeError(`a page of ${length} bytes`);
      const out = unpack(packed, length);
      if (out.length !== length) throw new RangeError(`a page of ${out.length} bytes that claims ${length}`);
      return out;
    };
  const compressors = Object.fromEntries(
    Object.entries({ ...others, SNAPPY: snappy }).map(([name, unpack]) => [name, bounded(unpack)]),
  );
  const file = { byteLength: bytes.length, slice: (start: number, end?: number) => copied(bytes, start, end) };
  return async (name, each) => {
    let read = 0;
    let thrown: unknown;
    try {
      await library.parquetRead({
        file,
        columns: [name],
        compressors,
        geoparquet: false,
        onChunk: ({ columnData, rowStart }) => {
          if (thrown !== undefined) return;
          try {
            for (let i = 0; i < columnData.length; i++) each(columnData[i], rowStart + i);
          } catch (error) {
            thrown = error;
          }
          read += columnData.length;
        },
      });
    } catch (cause) {
      throw dataError(where, `column ${quote(name)} is damaged, ${reason(cause)}`, { cause });
    }
    if (thrown !== undefined) throw thrown;
    if (read !== opened.num_rows)
      throw dataError(where, `column ${quote(name)} has ${read} values for ${opened.num_rows} rows`, {
        expected: `${opened.num_rows} values`,
        got: `${read} values`,
      });
  };
}

const cellName = (row: number, { where, cell, name }: Cell): string =>
  `${where}: row ${row + 1}, column ${cell + 1} (${quote(name)})`;
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

function noCategory(value: unknown, row: number, place: Cell, categories: readonly string[]): Error {
  const expected = `one of ${JSON.stringify(categories.slice(0, 100))}`;
  return dataError(cellName(row, place), `holds ${shown(value)}, expected ${expected}`, { expected, got: shown(value) });
}

/** A part of bytes as memory of its own. */
function copied(bytes: Uint8Array, start: number, end?: number): ArrayBuffer {
  const part = bytes.subarray(start, end);
  const out = new ArrayBuffer(part.length);
  new Uint8Array(out).set(part);
  return out;
}

function broken<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw dataError(where, `is no whole Parquet file, ${reason(cause)}`, { cause, expected: 'a Parquet file' });
  }
}
