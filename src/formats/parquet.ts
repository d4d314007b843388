// Parquet files as tables.
import type { CsvOptions, CsvTable } from './csv.js';
import { defaultMaxBytes } from './data-error.js';
import { tableOf } from './open-table.js';
import { openParquet } from './parquet-file.js';

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
  return await tableOf(await openParquet(bytes, where, maxBytes), options, where, maxBytes);
}
