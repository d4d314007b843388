// Tables to be answered, wherever they stand: the columns that the network takes, and texts that become token ids. What opens a table is csv-sheet.ts,
// read-inputs.ts and hub.ts.
import type { Samples } from '../../data/samples.js';
import { type TextInput, takesText, tokenizerOf } from '../../data/text/tokenizer.js';
import { type CsvOptions, type CsvTable, UnknownCategories } from '../../formats/csv.js';
import { quote } from '../../formats/data-error.js';
import { type GroupedTable, joinTables, tableOf, widthOf } from '../../formats/open-table.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { knownShape as knownBy } from '../../model/progressive/open-inputs.js';
import { DataError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { type Pause, pause } from './pipe.js';

/** The shape of a sample. Throws UsageError where it is open: a row does not say which of its numbers is the label. */
const knownShape = (input: NetworkInput): number[] => knownBy(input, 'a table to be answered', 'a .npy, .npz or .jsonl file');

/** A table that is not read yet. */
export interface Sheet {
  /** For messages. */
  readonly name: string;
  /** How its cells are read. */
  readonly how: CsvOptions;
  /** How many columns it has. */
  readonly width: () => Promise<number> | number;
  /** Its rows, as the tables that follow each other in it; to be called once. */
  readonly read: (options: CsvOptions) => AsyncIterable<CsvTable | Pause>;
}

/** A table of row groups, of which one is in memory at a time. */
export const groupedSheet = (name: string, table: GroupedTable): Sheet => ({
  name,
  how: {},
  width: () => widthOf(table),
  read: async function* (options) {
    // Without rows it is refused as a table is.
    if (table.rows === 0) yield await tableOf(joinTables(table, []), options, name);
    let first = 0;
    for (const group of table.groups) {
      yield await tableOf({ ...group.open(), first }, options, name);
      first += group.rows;
    }
  },
});

/** A table as the network's only input. Throws DataError. */
export async function* sheetParts(sheet: Sheet, input: NetworkInput, reading: ReadingInputs): InputParts {
  const { name } = sheet;
  const { options, samples } = takesText(input) ? await wordsOf(sheet, input, reading) : await numbersOf(sheet, input, reading);
  const unknown = new UnknownCategories();
  let first = true;
  for await (const table of sheet.read(options)) {
    if (table === pause) {
      yield pause;
      continue;
    }
    if (table.unknown !== undefined) unknown.add(table.unknown);
    yield samples(table, first);
    first = false;
  }
  for (const line of unknown.lines(name)) reading.onNote?.(line);
}

/** How a table is read, and what its rows are then. */
interface Way {
  readonly options: CsvOptions;
  readonly samples: (table: CsvTable, first: boolean) => Samples;
}

/** The column of texts: as in training, else the only one, else all but the label's. */
async function wordsOf({ name, how, width }: Sheet, input: TextInput, { data, onNote }: ReadingInputs): Promise<Way> {
  const tokenize = await tokenizerOf(input, name);
  const { columns, label, drop } = data ?? {};
  const several = columns === undefined && (await width()) > 1;
  const options: CsvOptions = {
    ...how,
    unlabelled: true,
    text: input.name,
    ...(columns !== undefined && { columns }),
    ...(several && { drop: [...(drop ?? []), ...[label ?? -1].flat()] }),
  };
  const samples = ({ notes, words, rowOf }: CsvTable, first: boolean): Samples => {
    if (first) for (const line of notes) onNote?.(line);
    return { [input.name]: tokenize(words ?? [], name, rowOf) };
  };
  return { options, samples };
}

async function numbersOf({ name, how, width: widthOf }: Sheet, input: NetworkInput, reading: ReadingInputs): Promise<Way> {
  const options = tableOptions(how, input, reading);
  const width = input.features === undefined ? await widthOf() : elementCount(knownShape(input));
  return {
    options: { ...options, ...widerOptions(width, input, reading) },
    samples: (table, first) => tableInputs(table, width, name, input, reading, first),
  };
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
function widerOptions(width: number, input: NetworkInput, { data }: ReadingInputs): CsvOptions {
  if (width === elementCount(knownShape(input))) return {};
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
  first: boolean,
): Samples {
  const { name } = input;
  const shape = knownShape(input);
  const size = elementCount(shape);
  if (first && width !== size && data?.columns === undefined) {
    const named = [data?.label ?? -1].flat().map((l) => (typeof l === 'string' ? quote(l) : String(l)));
    onNote?.(`${file}: not read, as the label: column ${named.join(', ')}`);
  }
  if (first) for (const line of table.notes) onNote?.(line);
  if (table.columns.length === size) return { [name]: table.features.reshape([table.features.dims[0] ?? 0, ...shape]) };
  const [expected, got] = [`${size}`, `${width}`];
  const message = `${file}: has ${got} columns, input "${name}" takes ${expected} numbers a row`;
  throw new DataError(message, { path: file, expected, got });
}
