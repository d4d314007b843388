// Inputs to be answered, from a file or from stdin: arrays (.npy, .npz, IDX), tables and texts (.csv, .parquet, lines). What it is, somebody says, or its
// first bytes or its name do. Images are decoding-of.ts's.
import { readFileSync } from 'node:fs';
import { datasetFrom } from '../data/from-arrays.js';
import { imageEndings } from '../data/images/decode.js';
import type { Samples } from '../data/samples.js';
import { type TextInput, takesText, tokenizerOf } from '../data/text/tokenizer.js';
import { type CsvOptions, csvWidth, readCsv } from '../formats/csv.js';
import { defaultMaxBytes, quote } from '../formats/data-error.js';
import { readIdx } from '../formats/gzip-idx.js';
import { readNpy } from '../formats/npy.js';
import { npzKeys, readNpz } from '../formats/npz.js';
import { parquetWidth, readParquet } from '../formats/parquet.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { DataError, must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type ReadingInputs, type Sheet, sheetInputs } from './sheets.js';

/** What inputs can stand in, by the names that `--input-format` takes. */
export const inputFormats = ['npy', 'npz', 'idx', 'csv', 'tsv', 'txt', 'parquet', 'image'] as const;
export type InputFormat = (typeof inputFormats)[number];

/** A file whose bytes are read. */
export interface AskedFile {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly format: InputFormat;
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

/** What a file begins with that says what it is; `..` stands for any byte. */
const beginnings: readonly (readonly [InputFormat, string])[] = [
  ['npy', '93 4e 55 4d'],
  ['npz', '50 4b 03 04'],
  ['npz', '50 4b 05 06'],
  ['parquet', '50 41 52 31'],
  ['image', '89 50 4e 47'],
  ['image', 'ff d8 ff'],
  ['image', '52 49 46 46 .. .. .. .. 57 45 42 50'],
  ['idx', '00 00'],
  ['idx', '1f 8b'],
];
const begins = (bytes: Uint8Array, pattern: string): boolean =>
  pattern.split(' ').every((byte, i) => byte === '..' || Number.parseInt(byte, 16) === bytes[i]);

function formatByName(file: string): InputFormat | undefined {
  if (imageEndings.test(file)) return 'image';
  const ending = /\.(npy|npz|csv|tsv|txt|parquet)$/i.exec(file)?.[1]?.toLowerCase();
  return inputFormats.find((format) => format === ending);
}

/** Texts are told by their names alone: they may begin with anything. */
const isText = (format: InputFormat | undefined): boolean => format === 'csv' || format === 'tsv' || format === 'txt';

/** A file or stdin, and what it is. Throws DataError where nobody knows. */
export function openAsked(file: string, format: InputFormat | undefined, inputs: readonly NetworkInput[]): AskedFile {
  const bytes = bytesOf(file);
  const name = file === stdin ? 'stdin' : file;
  // Of a text in a pipe nothing says whether it is a table.
  const piped = takesText(onlyOf(inputs)) ? 'txt' : 'csv';
  const called = file === stdin ? undefined : formatByName(file);
  const found =
    format ??
    (isText(called) ? called : undefined) ??
    beginnings.find(([, pattern]) => begins(bytes, pattern))?.[0] ??
    (file === stdin ? piped : called);
  if (found === undefined) throw new DataError(`${name}: is none of ${formats}`, { path: name, expected: formats });
  return { name, bytes, format: found };
}

const withoutOnes = (dims: readonly number[]): string => dims.filter((d) => d !== 1).join();
const formats = '.npy, .npz, IDX, .csv, .parquet, an image or, of a network of text, .txt';

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

const isArray = (format: InputFormat): boolean => format === 'npy' || format === 'npz' || format === 'idx';

function readArray({ bytes, name, format }: AskedFile, input: string): Tensor {
  if (format === 'npy') return readNpy(bytes, name);
  return format === 'npz' ? arrayOf(bytes, name, input) : readIdx(bytes, name);
}

/** How a CSV file is read, but for its columns. */
function csvHow({ format }: AskedFile, { features }: NetworkInput, { data }: ReadingInputs): CsvOptions {
  const { header, decimal } = data ?? {};
  return {
    ...(format === 'tsv' && { delimiter: '\t' }),
    ...(decimal !== undefined && { decimal }),
    ...(features === undefined && header !== undefined && { header }),
  };
}

/** A table by what opens it. */
function sheetOf(file: AskedFile, input: NetworkInput, reading: ReadingInputs): Sheet {
  const { bytes, name, format } = file;
  if (format === 'parquet')
    return { name, how: {}, width: () => parquetWidth(bytes, name), read: (options) => readParquet(bytes, options, name) };
  const how = csvHow(file, input, reading);
  return { name, how, width: () => csvWidth(bytes, how, name), read: (options) => readCsv(bytes, options, name) };
}

/** The lines of a text; the last may end without a line break. */
function linesOf({ bytes, name }: AskedFile): string[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${name}: not valid UTF-8, expected texts, one a line`, { path: name, expected: 'UTF-8', cause });
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Token ids [D, length] of texts, or of an array that has them already. */
async function readTexts(file: AskedFile, input: TextInput, reading: ReadingInputs): Promise<Samples> {
  if (!isArray(file.format)) {
    if (file.format !== 'txt') return await sheetInputs(sheetOf(file, input, reading), input, reading);
    return { [input.name]: (await tokenizerOf(input, file.name))(linesOf(file), file.name) };
  }
  const array = readArray(file, input.name);
  const { dtype, dims } = array;
  const wanted = `token ids, whole numbers [D,${input.shape}], or texts as .txt, .csv or .parquet`;
  if (!/^u?int/.test(dtype) || dims.at(-1) !== input.shape[0] || dims.length > 2)
    throw new DataError(`${file.name}: holds ${dtype} [${dims}], input "${input.name}" takes ${wanted}`, {
      path: file.name,
      expected: wanted,
      got: `${dtype} [${dims}]`,
    });
  const ids = BigInt64Array.from(array.numbers(), BigInt);
  return { [input.name]: new Tensor('int64', [ids.length / Number(input.shape[0]), ...input.shape], ids) };
}

/**
 * A file as the network's only input [D, ...shape]: axes of size 1 may be missing, and the batch of a single sample. Categories are indices, -1 for
 * a text that is none; texts are token ids. Throws DataError.
 */
export async function readInputs(file: AskedFile, inputs: readonly NetworkInput[], how: ReadingInputs = {}): Promise<Samples> {
  const input = onlyOf(inputs);
  if (takesText(input)) return await readTexts(file, input, how);
  return isArray(file.format) ? arrayInputs(file, input, how) : await sheetInputs(sheetOf(file, input, how), input, how);
}

function arrayInputs(file: AskedFile, { name, shape }: NetworkInput, { missing }: ReadingInputs): Samples {
  const called = file.name;
  const array = readArray(file, name);
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
  const where = { inputs: called, targets: called, missing };
  return { [name]: datasetFrom(samples, Tensor.zeros('int64', [count]), where).inputs.reshape([count, ...shape]) };
}
