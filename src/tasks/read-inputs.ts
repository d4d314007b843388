// Inputs to be answered, from a file or from stdin: .npy, .npz, IDX or a table as CSV; what it is, its first bytes or its name say.
import { readFileSync } from 'node:fs';
import { datasetFrom } from '../data/from-arrays.js';
import type { Samples } from '../data/samples.js';
import type { DataOptions } from '../data/schema.js';
import { type CsvOptions, type CsvTable, csvWidth, readCsv } from '../formats/csv.js';
import { defaultMaxBytes, quote } from '../formats/data-error.js';
import { readIdx } from '../formats/gzip-idx.js';
import { readNpy } from '../formats/npy.js';
import { npzKeys, readNpz } from '../formats/npz.js';
import { parquetWidth, readParquet } from '../formats/parquet.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { DataError, must } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import { fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';

/** What is known of the inputs beside the network's own. */
export interface ReadingInputs {
  /** Whether values may be missing, which the model fills. */
  readonly missing?: boolean;
  /** How the task's own table is read: its label column is passed over. */
  readonly data?: DataOptions;
  /** Hears what was taken for granted. */
  readonly onNote?: (line: string) => void;
}

/** The name that stands for stdin. */
export const stdin = '-';

function bytesOf(file: string): Uint8Array {
  if (file !== stdin) return readWhole(file);
  try {
    return new Uint8Array(readFileSync(0));
  } catch (cause) {
    throw fileError('read', 'stdin', cause);
  }
}

const withoutOnes = (dims: readonly number[]): string => dims.filter((d) => d !== 1).join();
const formats = '.npy, .npz, IDX, .csv, .parquet or an image';

/** The only array of a .npz, or the one that is called as the input or x. */
function arrayOf(bytes: Uint8Array, file: string, input: string): Tensor {
  const keys = npzKeys(bytes, file);
  const [only] = keys;
  const key = [input, 'x'].find((name) => keys.includes(name)) ?? (keys.length === 1 ? only : undefined);
  if (key === undefined) {
    const expected = `an array ${[...new Set([input, 'x'])].map(quote).join(' or ')}`;
    const got = keys.slice(0, 20).map(quote).join(', ') || 'none';
    throw new DataError(`${file}: arrays are ${got}, expected ${expected}`, { path: file, expected, got });
  }
  return must(readNpz(bytes, file, defaultMaxBytes, (name) => name === key).get(key), key);
}

/** By what the file begins with: 0x93 NUMPY, PK of a .npz, 0 0 of IDX, or gzip's 0x1f 0x8b around that. Undefined: none of these. */
function readArray(bytes: Uint8Array, file: string, input: string): Tensor | undefined {
  const [a, b] = bytes;
  if (a === 0x93 || /\.npy$/i.test(file)) return readNpy(bytes, file);
  if ((a === 0x50 && b === 0x4b) || /\.npz$/i.test(file)) return arrayOf(bytes, file, input);
  if ((a === 0 && b === 0) || (a === 0x1f && b === 0x8b)) return readIdx(bytes, file);
  return undefined;
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

function readCsvInputs(bytes: Uint8Array, file: string, input: NetworkInput, reading: ReadingInputs): Samples {
  const { header, decimal } = reading.data ?? {};
  const own: CsvOptions = {
    ...(/\.tsv$/i.test(file) && { delimiter: '\t' }),
    ...(decimal !== undefined && { decimal }),
    ...(input.features === undefined && header !== undefined && { header }),
  };
  const how = tableOptions(own, input, reading);
  const width = input.features === undefined ? csvWidth(bytes, how, file) : elementCount(input.shape);
  return tableInputs(readCsv(bytes, { ...how, ...widerOptions(width, input, reading) }, file), width, file, input, reading);
}

/** A .parquet file as the network's only input, as `readInputs` reads a table. Throws DataError. */
export async function readParquetInputs(
  file: string,
  inputs: readonly NetworkInput[],
  reading: ReadingInputs = {},
): Promise<Samples> {
  const input = onlyOf(inputs);
  const bytes = readWhole(file);
  const how = tableOptions({}, input, reading);
  const width = input.features === undefined ? await parquetWidth(bytes, file) : elementCount(input.shape);
  const table = await readParquet(bytes, { ...how, ...widerOptions(width, input, reading) }, file);
  return tableInputs(table, width, file, input, reading);
}

/**
 * A file as the network's only input [D, ...shape]: axes of size 1 may be missing, and the batch of a single sample. Categories are indices, -1 for
 * a text that is none. Throws DataError.
 */
export function readInputs(file: string, inputs: readonly NetworkInput[], how: ReadingInputs = {}): Samples {
  const input = onlyOf(inputs);
  const { name, shape } = input;
  const bytes = bytesOf(file);
  const called = file === stdin ? 'stdin' : file;
  const array = readArray(bytes, called, name);
  if (array === undefined) {
    if (file !== stdin && !/\.(csv|tsv|txt)$/i.test(file))
      throw new DataError(`${called}: is none of ${formats}`, { path: called, expected: formats });
    return readCsvInputs(bytes, called, input, how);
  }
  const { dims } = array;
  const batched = dims.length > 0 && withoutOnes(dims.slice(1)) === withoutOnes(shape);
  const single = dims.join() === shape.join() || (!batched && withoutOnes(dims) === withoutOnes(shape));
  // [1,28,28] for [1,28,28] is a sample rather than a batch of images without channels; both are the same bytes.
  const count = single ? 1 : (dims[0] ?? 0);
  if (!batched && !single) {
    const expected = `[D${shape.map((d) => `,${d}`).join('')}]`;
    throw new DataError(`${called}: holds shape [${dims}], expected ${expected}`, { path: called, expected, got: `[${dims}]` });
  }
  const samples = array.reshape([count, ...shape]);
  const where = { inputs: called, targets: called, missing: how.missing };
  return { [name]: datasetFrom(samples, Tensor.zeros('int64', [count]), where).inputs.reshape([count, ...shape]) };
}
