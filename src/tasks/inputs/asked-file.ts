// A file or stdin that holds inputs to be answered, and what it is: somebody says it, or its first bytes or its name do. Nothing here reads samples.
import { imageEndings } from '../../data/images/decode.js';
import { takesText } from '../../data/text/tokenizer.js';
import { lineBlocks } from '../../formats/csv-blocks.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { DataError } from '../../onnx/core/errors.js';
import { firstBytes } from '../../onnx/files/read-file.js';
import { bytesTogether } from './parts.js';
import { type Pause, Pipe } from './pipe.js';

/** What inputs can stand in, by the names that `--input-format` takes. */
export const inputFormats = ['npy', 'npz', 'idx', 'csv', 'tsv', 'txt', 'jsonl', 'parquet', 'image'] as const;
export type InputFormat = (typeof inputFormats)[number];

/** A file that is read part by part. */
export interface AskedFile {
  /** For messages. */
  readonly name: string;
  readonly format: InputFormat;
  /** Where its bytes stand. Throws WorkspaceError where stdin cannot be read. */
  readonly path: () => Promise<string>;
  /** Its lines, many together; to be called once. */
  readonly lines: () => AsyncIterable<Uint8Array | Pause> | Iterable<Uint8Array>;
  /** Called when all is read, or nothing more is to be. */
  readonly close: () => void;
}

/** The name that stands for stdin. */
export const stdin = '-';

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
/** Bytes of the longest of them. */
const longest = Math.max(...beginnings.map(([, pattern]) => pattern.split(' ').length));
const begins = (bytes: Uint8Array, pattern: string): boolean =>
  pattern.split(' ').every((byte, i) => byte === '..' || Number.parseInt(byte, 16) === bytes[i]);

function formatByName(file: string): InputFormat | undefined {
  if (imageEndings.test(file)) return 'image';
  const ending = /\.(npy|npz|csv|tsv|txt|jsonl|parquet)$/i.exec(file)?.[1]?.toLowerCase();
  return inputFormats.find((format) => format === ending);
}

/** Texts are told by their names alone: they may begin with anything. */
const isText = (format: InputFormat | undefined): boolean =>
  format === 'csv' || format === 'tsv' || format === 'txt' || format === 'jsonl';

const formats = '.npy, .npz, IDX, .csv, .jsonl, .parquet, an image or, of a network of text, .txt';

/** A file or stdin, and what it is. Throws DataError where nobody knows. */
export async function openAsked(
  file: string,
  format: InputFormat | undefined,
  inputs: readonly NetworkInput[],
  signal?: AbortSignal,
): Promise<AskedFile> {
  if (file === stdin) return await openStdin(format, inputs, signal);
  const called = formatByName(file);
  const first = firstBytes(file, longest);
  const found = format ?? (isText(called) ? called : undefined) ?? formatOf(first) ?? called;
  if (found === undefined) throw new DataError(`${file}: is none of ${formats}`, { path: file, expected: formats });
  return { name: file, format: found, path: async () => file, lines: () => lineBlocks(file, bytesTogether), close: () => {} };
}

const formatOf = (bytes: Uint8Array): InputFormat | undefined => beginnings.find(([, pattern]) => begins(bytes, pattern))?.[0];

async function openStdin(
  format: InputFormat | undefined,
  inputs: readonly NetworkInput[],
  signal: AbortSignal | undefined,
): Promise<AskedFile> {
  const pipe = new Pipe(process.stdin, signal);
  // Of a text in a pipe nothing says whether it is a table.
  const piped = inputs.length === 1 && takesText(inputs[0]) ? 'txt' : 'csv';
  const found = format ?? formatOf(await pipe.begin(longest)) ?? piped;
  return { name: 'stdin', format: found, path: () => pipe.file(), lines: () => pipe.lines(), close: () => pipe.close() };
}
