// A CSV file or a pipe of such lines as a table to be answered, read by blocks of lines.
import { type CsvOptions, csvHasRows, csvWidth, readCsv } from '../../formats/csv.js';
import { CsvBlocks } from '../../formats/csv-blocks.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { joinBytes } from '../../onnx/core/join-bytes.js';
import type { AskedFile } from './asked-file.js';
import type { ReadingInputs } from './parts.js';
import { type Pause, pause } from './pipe.js';
import type { Sheet } from './sheets.js';

/** How a CSV file is read, but for its columns. */
function csvHow({ format }: AskedFile, { features }: NetworkInput, { data }: ReadingInputs): CsvOptions {
  const { header, delimiter, decimal } = data ?? {};
  return {
    ...(delimiter !== undefined && { delimiter }),
    ...(format === 'tsv' && { delimiter: '\t' }),
    ...(decimal !== undefined && { decimal }),
    ...(features === undefined && header !== undefined && { header }),
  };
}

async function* each<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** The table of a file or of stdin. */
export function csvSheet(file: AskedFile, input: NetworkInput, reading: ReadingInputs): Sheet {
  const { name } = file;
  const how = csvHow(file, input, reading);
  const blocks = each<Uint8Array | Pause>(file.lines());
  let begin = new Uint8Array();
  /** One block more in the beginning; false at the end. */
  const more = async (): Promise<boolean> => {
    const { done, value } = await blocks.next();
    if (done === true) return false;
    if (value !== pause) begin = joinBytes([begin, value]);
    return true;
  };
  return {
    name,
    how,
    width: async () => {
      let width = csvWidth(begin, how, name);
      while (width === 0 && (await more())) width = csvWidth(begin, how, name);
      return width;
    },
    read: async function* (options) {
      while (!csvHasRows(begin, options, name) && (await more()));
      const reader = new CsvBlocks(options, name);
      // A blank one is refused by readCsv.
      yield reader.read(begin) ?? readCsv(begin, options, name);
      for await (const block of blocks) {
        const read = block === pause ? pause : reader.read(block);
        if (read !== undefined) yield read;
      }
    },
  };
}
