// Tables to be answered, wherever they stand: the columns that the network takes, and texts that become token ids. What opens a table is read-inputs.ts and
// hub-inputs.ts.
import type { Samples } from '../data/samples.js';
import type { DataOptions } from '../data/schema.js';
import { type TextInput, takesText, tokenizerOf } from '../data/text/tokenizer.js';
import type { CsvOptions, CsvTable } from '../formats/csv.js';
import { quote } from '../formats/data-error.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import { DataError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';

/** What is known of the inputs beside the network's own. */
export interface ReadingInputs {
  /** Whether values may be missing, which the model fills. */
  readonly missing?: boolean;
  /** How the task's own table is read: its label column is passed over. */
  readonly data?: DataOptions;
  /** Hears what was taken for granted. */
  readonly onNote?: (line: string) => void;
}

/** A table that is not read yet. */
export interface Sheet {
  /** For messages. */
  readonly name: string;
  /** How its cells are read. */
  readonly how: CsvOptions;
  /** How many columns it has. */
  readonly width: () => Promise<number> | number;
  readonly read: (options: CsvOptions) => Promise<CsvTable> | CsvTable;
}

/** A table as the network's only input. Throws DataError. */
export async function sheetInputs(sheet: Sheet, input: NetworkInput, reading: ReadingInputs): Promise<Samples> {
  const { name, how } = sheet;
  if (takesText(input)) return { [input.name]: (await tokenizerOf(input, name))(await wordsIn(sheet, input, reading), name) };
  const options = tableOptions(how, input, reading);
  const width = input.features === undefined ? await sheet.width() : elementCount(input.shape);
  return tableInputs(await sheet.read({ ...options, ...widerOptions(width, input, reading) }), width, name, input, reading);
}

/** The column of texts: as in training, else the only one, else all but the label's. */
async function wordsIn(
  { how, width, read }: Sheet,
  input: TextInput,
  { data, onNote }: ReadingInputs,
): Promise<readonly string[]> {
  const { columns, label, drop } = data ?? {};
  const several = columns === undefined && (await width()) > 1;
  const table = await read({
    ...how,
    unlabelled: true,
    text: input.name,
    ...(columns !== undefined && { columns }),
    ...(several && { drop: [...(drop ?? []), ...[label ?? -1].flat()] }),
  });
  for (const line of table.notes) onNote?.(line);
  return table.words ?? [];
}

/** How it is read: by the names of the features; of a network without them all columns, but for the label's where it stands there too. */
function tableOptions(own: CsvOptions, { features }: NetworkInput, { missing }: ReadingInputs): CsvOptions {
  return {
    unlabelled: true,
    unknown: true,
    ...own,
    ...(missing !== undefined && { missing }),
    ...(features !== undefined && { features }),
  };
}

/** A file that is wider than the input is read as the one that was trained on, but for its label. */
function widerOptions(width: number, { shape }: NetworkInput, { data }: ReadingInputs): CsvOptions {
  if (width === elementCount(shape)) return {};
  const { label, drop, columns } = data ?? { source: '' };
  if (columns !== undefined) return { columns };
  return { drop: [...(drop ?? []), ...[label ?? -1].flat()] };
}

/** The numbers of a table that was read. */
function tableInputs(
  table: CsvTable,
  width: number,
  file: string,
  input: NetworkInput,
  { data, onNote }: ReadingInputs,
): Samples {
  const { name, shape } = input;
  const size = elementCount(shape);
  if (width !== size && data?.columns === undefined) {
    const named = [data?.label ?? -1].flat().map((l) => (typeof l === 'string' ? quote(l) : String(l)));
    onNote?.(`${file}: not read, as the label: column ${named.join(', ')}`);
  }
  for (const line of table.notes) onNote?.(line);
  if (table.columns.length === size) return { [name]: table.features.reshape([table.features.dims[0] ?? 0, ...shape]) };
  const [expected, got] = [`${size}`, `${width}`];
  const message = `${file}: has ${got} columns, input "${name}" takes ${expected} numbers a row`;
  throw new DataError(message, { path: file, expected, got });
}
