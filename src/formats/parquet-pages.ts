// What a Parquet file claims of its pages, looked through before they are read: a reader allocates what a header says. Reads headers alone.
import * as z from 'zod';
import { reason } from '../onnx/core/one-line.js';
import { dataError, quote } from './data-error.js';
import type { FileBytes } from './file-bytes.js';

const count = z.union([z.bigint(), z.number()]).transform(Number).pipe(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER));

/** What is used of a file's metadata. */
export const fileSchema = z.object({
  schema: z.array(z.object({ name: z.string(), num_children: z.number().optional(), repetition_type: z.string().optional() })),
  num_rows: count,
  key_value_metadata: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
  row_groups: z.array(
    z.object({
      num_rows: count,
      columns: z.array(
        z.object({
          file_path: z.undefined().optional(),
          meta_data: z.object({
            path_in_schema: z.array(z.string()).min(1),
            codec: z.string(),
            num_values: count,
            total_compressed_size: count,
            total_uncompressed_size: count,
            data_page_offset: count,
            dictionary_page_offset: count.optional(),
          }),
        }),
      ),
    }),
  ),
});
/** What is used of a file's metadata. */
export type ParquetFile = z.output<typeof fileSchema>;

const values = z.object({ num_values: z.int().min(0) });
const headerSchema = z.object({
  type: z.string(),
  uncompressed_page_size: z.int().min(0),
  compressed_page_size: z.int().min(0),
  data_page_header: values.optional(),
  data_page_header_v2: values.extend({ num_rows: z.int().min(0), num_nulls: z.int().min(0) }).optional(),
  dictionary_page_header: values.optional(),
});

/** Reads the header at a place and moves behind it. */
type ParseHeader = (reader: { view: DataView; offset: number }) => unknown;

type Group = ParquetFile['row_groups'][number];
type Chunk = Group['columns'][number]['meta_data'];

/** What is looked through: a file's bytes, what reads a header of them, and how it is called in errors. */
export interface Pages {
  readonly bytes: FileBytes;
  readonly parse: ParseHeader;
  readonly where: string;
}

function damaged(where: string, what: string): never {
  throw dataError(where, `is damaged, ${what}`, { expected: 'a whole Parquet file' });
}

/** Throws DataError unless all groups together hold the rows of the file, and each the columns of these paths. */
export function checkGroups({ num_rows: rows, row_groups: groups }: ParquetFile, paths: readonly string[], where: string): void {
  const sum = groups.reduce((total, { num_rows }) => total + num_rows, 0);
  if (sum !== rows) damaged(where, `its groups hold ${sum} rows of ${rows}`);
  for (const group of groups) {
    const found = group.columns.map(({ meta_data }) => meta_data.path_in_schema.join('.'));
    if (found.join('\n') !== paths.join('\n')) damaged(where, `a group holds the columns ${found.slice(0, 20).map(quote)}`);
  }
}

/** Throws DataError for more rows than can be values of 8 bytes within `maxBytes`. */
export function checkRows(rows: number, where: string, maxBytes: number): void {
  if (rows * 8 > maxBytes) damaged(where, `it claims ${rows} rows, more than ${Math.floor(maxBytes / 8)}`);
}

/** Throws DataError unless every page of these columns lies in the file, and all hold as many values as there are rows, within `maxBytes`. */
export function checkPages(
  pages: Pages,
  columns: readonly { readonly chunk: Chunk; readonly rows: number }[],
  maxBytes: number,
): void {
  let left = maxBytes;
  for (const { chunk, rows } of columns) {
    left -= unpackedBytes(pages, chunk, rows, left);
    if (left < 0) damaged(pages.where, `it claims more than ${maxBytes} bytes unpacked`);
  }
}

/** The bytes that a column's pages claim to take unpacked; looks no further where they are more than `most`. */
function unpackedBytes({ bytes, parse, where }: Pages, chunk: Chunk, rows: number, most: number): number {
  const fail = (what: string): never => damaged(where, what);
  const { total_compressed_size: size, dictionary_page_offset = 0, data_page_offset } = chunk;
  const name = quote(chunk.path_in_schema.join('.'));
  const start =
    dictionary_page_offset > 0 && dictionary_page_offset < data_page_offset ? dictionary_page_offset : data_page_offset;
  if (start + size > bytes.length) fail(`column ${name} ends at byte ${start + size} of ${bytes.length}`);
  if (chunk.num_values !== rows) fail(`column ${name} claims ${chunk.num_values} values for ${rows} rows`);
  const own = bytes.read(start, start + size);
  const reader = { view: new DataView(own.buffer, own.byteOffset, size), offset: 0 };
  let [held, unpacked] = [0, 0];
  while (held < rows && reader.offset < size - 1) {
    const header = headerSchema.safeParse(parsed());
    const data = header.data ?? fail(`column ${name} has a broken page header`);
    reader.offset += data.compressed_page_size;
    unpacked += data.uncompressed_page_size;
    if (reader.offset > size) fail(`a page of column ${name} ends behind the column`);
    if (unpacked > most) return unpacked;
    const entries = data.dictionary_page_header?.num_values ?? 0;
    if (entries > data.uncompressed_page_size) fail(`column ${name} claims ${entries} values in a dictionary`);
    const { data_page_header_v2: second } = data;
    if (second !== undefined && (second.num_rows !== second.num_values || second.num_nulls > second.num_values))
      fail(`a page of column ${name} claims ${second.num_values} values for ${second.num_rows} rows`);
    held += data.data_page_header?.num_values ?? second?.num_values ?? 0;
  }
  if (held !== rows) fail(`column ${name} has ${held} values for ${rows} rows`);
  return unpacked;

  function parsed(): unknown {
    try {
      return parse(reader);
    } catch (cause) {
      return fail(`a page header is broken, ${reason(cause)}`);
    }
  }
}
