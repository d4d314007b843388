// What a Parquet file claims of its pages, looked through before they are read: a reader allocates what a header says. Reads headers alone.
import * as z from 'zod';
import { reason } from '../onnx/core/one-line.js';
import { dataError, quote } from './data-error.js';

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

/** Throws DataError unless every page lies in the file, and all hold as many values as there are rows, within `maxBytes`. */
export function checkPages(
  bytes: Uint8Array,
  file: ParquetFile,
  paths: readonly string[],
  parse: ParseHeader,
  where: string,
  maxBytes: number,
): void {
  const { num_rows: rows, row_groups: groups } = file;
  const fail = (what: string): never => {
    throw dataError(where, `is damaged, ${what}`, { expected: 'a whole Parquet file' });
  };
  if (rows * 8 > maxBytes) fail(`it claims ${rows} rows, more than ${Math.floor(maxBytes / 8)}`);
  const sum = groups.reduce((total, { num_rows }) => total + num_rows, 0);
  if (sum !== rows) fail(`its groups hold ${sum} rows of ${rows}`);
  let unpacked = 0;
  for (const group of groups) {
    const found = group.columns.map(({ meta_data }) => meta_data.path_in_schema.join('.'));
    if (found.join('\n') !== paths.join('\n')) fail(`a group holds the columns ${found.slice(0, 20).map(quote)}`);
    for (const { meta_data: chunk } of group.columns) {
      const { total_compressed_size: size, dictionary_page_offset = 0, data_page_offset } = chunk;
      const name = quote(chunk.path_in_schema.join('.'));
      const start =
        dictionary_page_offset > 0 && dictionary_page_offset < data_page_offset ? dictionary_page_offset : data_page_offset;
      if (start + size > bytes.length) fail(`column ${name} ends at byte ${start + size} of ${bytes.length}`);
      if (chunk.num_values !== group.num_rows)
        fail(`column ${name} claims ${chunk.num_values} values for ${group.num_rows} rows`);
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, size), offset: 0 };
      let held = 0;
      while (held < group.num_rows && reader.offset < size - 1) {
        const header = headerSchema.safeParse(parsed(reader));
        const data = header.data ?? fail(`column ${name} has a broken page header`);
        reader.offset += data.compressed_page_size;
        unpacked += data.uncompressed_page_size;
        if (reader.offset > size) fail(`a page of column ${name} ends behind the column`);
        if (unpacked > maxBytes) fail(`it claims more than ${maxBytes} bytes unpacked`);
        const entries = data.dictionary_page_header?.num_values ?? 0;
        if (entries > data.uncompressed_page_size) fail(`column ${name} claims ${entries} values in a dictionary`);
        const { data_page_header_v2: second } = data;
        if (second !== undefined && (second.num_rows !== second.num_values || second.num_nulls > second.num_values))
          fail(`a page of column ${name} claims ${second.num_values} values for ${second.num_rows} rows`);
        held += data.data_page_header?.num_values ?? second?.num_values ?? 0;
      }
      if (held !== group.num_rows) fail(`column ${name} has ${held} values for ${group.num_rows} rows`);
    }
  }

  function parsed(reader: { view: DataView; offset: number }): unknown {
    try {
      return parse(reader);
    } catch (cause) {
      return fail(`a page header is broken, ${reason(cause)}`);
    }
  }
}
