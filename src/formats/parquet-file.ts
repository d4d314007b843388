// A Parquet file opened: its columns by name. The package hyparquet, an optional peer, decodes them; what the file claims is looked through before that
// (parquet-pages.ts), for hyparquet believes every size. What the values mean, parquet.ts and others say.
import { reason } from '../onnx/core/one-line.js';
import { valueAt } from '../onnx/core/value-at.js';
import { importPackage } from '../onnx/files/optional-package.js';
import { dataError, defaultMaxBytes, quote } from './data-error.js';
import { bytesInMemory, type FileBytes } from './file-bytes.js';
import { type GroupedTable, joinTables, type OpenTable, type RowGroup } from './open-table.js';
import { checkGroups, checkPages, checkRows, fileSchema, type Pages, type ParquetFile } from './parquet-pages.js';

type Column = ArrayLike<unknown>;
/** What is used of hyparquet. */
interface Hyparquet {
  parquetMetadata(bytes: ArrayBuffer, options: { geoparquet: false }): unknown;
  parquetRead(options: {
    file: { byteLength: number; slice(start: number, end?: number): ArrayBuffer };
    metadata: object;
    columns: string[];
    compressors: Readonly<Record<string, Unpack>>;
    geoparquet: false;
    utf8: boolean;
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

/**
 * Opens a file that is in memory. Without `records` its columns must hold single values, and bytes are texts; with them a column may be a record, whose
 * fields may be bytes.
 * @throws DataError for damaged files, lists, and what claims more than `maxBytes`
 */
export async function openParquet(bytes: Uint8Array, where: string, maxBytes: number, records = false): Promise<OpenTable> {
  const opened = await openFile(bytesInMemory(bytes), where, maxBytes, records);
  const { file, pages } = opened;
  checkRows(file.num_rows, where, maxBytes);
  const all = file.row_groups.flatMap(({ columns, num_rows: rows }) => columns.map(({ meta_data: chunk }) => ({ chunk, rows })));
  checkPages(pages, all, maxBytes);
  const tables = file.row_groups.map((_, i) => tableAt(opened, i));
  return joinTables(opened, tables);
}

/**
 * Opens a file whose row groups are read one by one, each column when it is asked for. `records` as for `openParquet`.
 * @throws DataError for damaged files and lists, and on reading for a column of a group that claims more than `maxBytes`
 */
export async function openParquetGroups(
  bytes: FileBytes,
  where: string,
  maxBytes: number,
  records = false,
): Promise<GroupedTable> {
  const opened = await openFile(bytes, where, maxBytes, records);
  const { names, notes, file, pages } = opened;
  let before = 0;
  const groups = file.row_groups.map(({ num_rows: rows, columns }, i): RowGroup => {
    const first = before;
    before += rows;
    const chunks = (wanted: readonly string[]) =>
      columns.flatMap(({ meta_data: chunk }) => (wanted.includes(chunk.path_in_schema[0] ?? '') ? [{ chunk, rows }] : []));
    return {
      rows,
      bytes: (wanted) => chunks(wanted).reduce((sum, { chunk }) => sum + chunk.total_uncompressed_size, 0),
      open: () => {
        checkRows(rows, where, maxBytes);
        const table = tableAt(opened, i);
        const column: OpenTable['column'] = async (name, each) => {
          checkPages(pages, chunks([name]), maxBytes);
          await table.column(name, each);
        };
        return { ...table, first, column };
      },
    };
  });
  return { rows: file.num_rows, names, notes, groups: groups.filter(({ rows }) => rows > 0) };
}

/** A file whose metadata have been read. */
interface Opened extends Pick<OpenTable, 'names' | 'notes'> {
  readonly file: ParquetFile;
  /** The same as the library has it. */
  readonly metadata: object;
  readonly library: Hyparquet;
  readonly compressors: Readonly<Record<string, Unpack>>;
  readonly pages: Pages;
  readonly utf8: boolean;
}

async function openFile(bytes: FileBytes, where: string, maxBytes: number, records: boolean): Promise<Opened> {
  const pick = (module: object) => (isHyparquet(module) ? module : undefined);
  const library = await needed('hyparquet', where, 'Parquet is read', pick);
  const metadata = Object(broken(where, () => library.parquetMetadata(footerOf(bytes), { geoparquet: false })));
  const file = fileSchema.safeParse(metadata).data;
  if (file === undefined)
    throw dataError(where, 'is no whole Parquet file, its metadata are broken', { expected: 'a Parquet file' });
  const [root, ...elements] = file.schema;
  const nested = elements.find(
    ({ num_children = 0, repetition_type }) => (num_children > 0 && !records) || repetition_type === 'REPEATED',
  );
  if (nested !== undefined) {
    const expected = records ? 'columns of single values and records' : 'columns of single values';
    const text = `column ${quote(nested.name)} holds lists${records ? '' : ' or records'}, expected ${expected}`;
    throw dataError(where, text, { expected });
  }
  const { names, paths } = pathsOf(elements, root?.num_children ?? 0, where);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw dataError(where, `two columns are named ${quote(twice)}, expected each name once`);
  const parse = await needed('hyparquet/src/column.js', where, 'Parquet is read', headerOf);
  checkGroups(file, paths, where);
  return {
    file,
    metadata,
    names,
    notes: new Map(file.key_value_metadata?.map(({ key, value = '' }) => [key, value])),
    library,
    compressors: await compressorsOf(library, file, where, maxBytes),
    pages: { bytes, parse, where },
    utf8: !records,
  };
}

/** The end of a file: metadata, their length, a mark. */
function footerOf({ length, read }: FileBytes): ArrayBuffer {
  const end = read(Math.max(0, length - 8), length);
  const claimed = end.length < 8 ? 0 : new DataView(end.buffer, end.byteOffset, 8).getUint32(0, true) + 8;
  if (claimed > defaultMaxBytes) throw new RangeError(`metadata of ${claimed} bytes`);
  return copied(read(Math.max(0, length - Math.max(8, claimed)), length));
}

/** Records in records; the walk below calls itself. */
const deepest = 16;

/** The columns, and the paths of the values that they are made of, as elements in depth-first order say. */
function pathsOf(elements: ParquetFile['schema'], count: number, where: string): { names: string[]; paths: string[] } {
  const paths: string[] = [];
  let at = 0;
  const take = (children: number, above: readonly string[]): string[] =>
    Array.from({ length: Math.min(children, elements.length) }, () => {
      const { name, num_children = 0 } = elements[at++] ?? { name: '' };
      const path = [...above, name];
      if (path.length > deepest) throw dataError(where, `has records more than ${deepest} deep`);
      if (num_children > 0) take(num_children, path);
      else paths.push(path.join('.'));
      return name;
    });
  return { names: take(count, []), paths };
}

function headerOf(module: object): ((reader: { view: DataView; offset: number }) => unknown) | undefined {
  const found: unknown = Reflect.get(module, 'parquetHeader');
  return typeof found === 'function' ? (reader) => Reflect.apply(found, undefined, [reader]) : undefined;
}

async function compressorsOf(
  library: Hyparquet,
  opened: ParquetFile,
  where: string,
  maxBytes: number,
): Promise<Readonly<Record<string, Unpack>>> {
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
  return Object.fromEntries(Object.entries({ ...others, SNAPPY: snappy }).map(([name, unpack]) => [name, bounded(unpack)]));
}

/** A row group as a table of its own. */
function tableAt({ names, notes, file, metadata, library, compressors, pages, utf8 }: Opened, group: number): OpenTable {
  const { bytes, where } = pages;
  const rows = file.row_groups[group]?.num_rows ?? 0;
  const own = { ...metadata, num_rows: BigInt(rows), row_groups: [valueAt(metadata, ['row_groups', group])] };
  const buffer = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) => copied(bytes.read(start, end)),
  };
  const column: OpenTable['column'] = async (name, each) => {
    let read = 0;
    let thrown: unknown;
    try {
      await library.parquetRead({
        file: buffer,
        metadata: own,
        columns: [name],
        compressors,
        geoparquet: false,
        utf8,
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
    if (read !== rows)
      throw dataError(where, `column ${quote(name)} has ${read} values for ${rows} rows`, {
        expected: `${rows} values`,
        got: `${read} values`,
      });
  };
  return { rows, names, notes, column };
}

/** Bytes as memory of their own. */
function copied(bytes: Uint8Array): ArrayBuffer {
  const out = new ArrayBuffer(bytes.length);
  new Uint8Array(out).set(bytes);
  return out;
}

function broken<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw dataError(where, `is no whole Parquet file, ${reason(cause)}`, { cause, expected: 'a Parquet file' });
  }
}
