// Data that are not to be in memory, kept on disk as a column reads them: cache/<key>.data holds train.rows, test.rows, their targets and data.json. It is written
// once under another name and then renamed, so that what is found is whole; its note says of which files it was made, and what those were then.
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { dataError } from '../../formats/data-error.js';
import { DataError, must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { errorCode, fileError } from '../../onnx/files/file-error.js';
import { makeFolder } from '../../onnx/files/folder.js';
import { removeQuietly, removeStale, temporaryName } from '../../onnx/files/temporary.js';
import type { Dataset, RowSet, Split } from '../dataset.js';
import { decodingSchema } from '../images/decoding.js';
import { type Rows, rowBytes, runsOf } from '../rows.js';
import type { Rewrite } from '../transforms/transform.js';
import { RowsFile, type RowsShape } from './rows-file.js';

/** Bytes that are read and written together. */
const bytesAtOnce = 2 ** 23;

/** What is kept, where, and how it is spoken of. */
export interface Keeping {
  /** The folder of all that is kept. */
  readonly cache: string;
  /** Bytes that reading the rows may take in memory. */
  readonly memory: number;
  /** All that the rows follow from, but for the files that they are read from. */
  readonly asked: unknown;
  /** Those files. */
  readonly files: readonly string[];
  /** Bytes that the rows take, as far as that is known before they are read. */
  readonly bytes: number;
  /** What the data are called in messages. */
  readonly where: string;
  /** What was said in reading them: told again when they are found. */
  readonly said: readonly string[];
  readonly onNote?: ((line: string) => void) | undefined;
}

/** Rows on disk while they are made. */
export interface Writer {
  /** The rows of a stream, one part after another. Throws DataError for parts that do not fit together. */
  write(parts: AsyncIterable<Dataset>): Promise<RowSet>;
  readonly rewrite: Rewrite;
}

const part = z.strictObject({
  dtype: z.enum(['uint8', 'float32']),
  dims: z.array(z.int().min(0)).min(1),
  content: z.string(),
  targets: z.strictObject({ dtype: z.enum(['int64', 'float32']), dims: z.array(z.int().min(0)).min(1), sha256: z.string() }),
  classes: z.int().exactOptional(),
  classNames: z.array(z.string()).exactOptional(),
  decoding: decodingSchema.exactOptional(),
});
type Part = z.output<typeof part>;
const noteSchema = z.strictObject({
  format: z.literal(1),
  source: z.string(),
  notes: z.array(z.string()),
  train: part,
  test: part,
});
type Note = z.output<typeof noteSchema>;

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const inWords = (bytes: number): string => (bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

/** What the files are: their paths, sizes and times of change. */
function sourceOf(files: readonly string[]): string {
  return sha256(
    JSON.stringify(
      files.map((path) => {
        const { size, mtimeMs, ino } = statSync(path);
        return [path, size, mtimeMs, ino];
      }),
    ),
  );
}

/**
 * Both parts with their rows on disk: what an earlier call left, if it is whole and its files are as they were; else what `make` makes, kept for the next call.
 * @throws DataError where the disk has no room, as `make`; WorkspaceError where the folder cannot be written
 */
export async function keptSplit(keeping: Keeping, make: (writer: Writer) => Promise<Split<RowSet>>): Promise<Split<RowSet>> {
  const { cache, memory, where, bytes, onNote } = keeping;
  const folder = join(cache, `${sha256(JSON.stringify(keeping.asked)).slice(0, 32)}.data`);
  const source = sourceOf(keeping.files);
  const size = `${inWords(bytes)} of rows, over the ${inWords(memory)} of "memory"`;
  const found = openKept(folder, source, memory);
  if (found !== undefined) {
    onNote?.(`${where}: ${size}: read from ${folder} in blocks`);
    for (const line of found.note.notes) onNote?.(line);
    return found.split;
  }
  const { bavail, bsize } = roomIn(cache);
  // Twice, since rows are written anew to part train and test, and for transforms.
  const needed = 2 * bytes;
  if (bavail * bsize < needed)
    throw dataError(
      where,
      `${size}: keeping them takes up to ${inWords(needed)} on the disk of ${cache}, which has ${inWords(bavail * bsize)}`,
      {
        expected: `${needed} bytes`,
        got: `${bavail * bsize} bytes`,
      },
    );
  onNote?.(
    `${where}: ${size}: written once to ${folder}, which takes up to ${inWords(needed)} of disk meanwhile, and read from there in blocks`,
  );
  const temporary = join(cache, temporaryName('data'));
  makeFolder(temporary);
  try {
    const writer = new Files(temporary, memory, where);
    const split = await make(writer);
    const note: Note = {
      format: 1,
      source,
      notes: [...keeping.said],
      train: writer.finish('train', split.train),
      test: writer.finish('test', split.test),
    };
    writer.clear();
    writeFileSync(join(temporary, 'data.json'), `${JSON.stringify(note)}\n`);
    if (sourceOf(keeping.files) !== source) throw dataError(where, 'was changed while it was read, begin again', {});
    putInPlace(temporary, folder);
  } catch (cause) {
    removeQuietly(temporary);
    throw cause instanceof DataError ? cause : fileError('write', folder, cause);
  }
  return must(openKept(folder, source, memory), folder).split;
}

/** Makes the folder, without what ended processes left there, and says what its disk has. */
function roomIn(cache: string): { readonly bavail: number; readonly bsize: number } {
  try {
    makeFolder(cache);
    removeStale(cache);
    return statfsSync(cache);
  } catch (cause) {
    throw fileError('write', cache, cause);
  }
}

/** Renames a folder; what stands there already goes. */
function putInPlace(temporary: string, folder: string): void {
  for (let tries = 0; ; tries++)
    try {
      renameSync(temporary, folder);
      return;
    } catch (cause) {
      if (tries > 2 || !['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(cause) ?? '')) throw cause;
      const aside = `${temporary}-old`;
      renameSync(folder, aside);
      removeQuietly(aside);
    }
}

/** What stands in a folder, if it is whole and of that source. */
function openKept(
  folder: string,
  source: string,
  memory: number,
): { readonly note: Note; readonly split: Split<RowSet> } | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, 'data.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const note = noteSchema.parse(JSON.parse(text));
    if (note.source !== source) return undefined;
    return {
      note,
      split: { train: openPart(folder, 'train', note.train, memory), test: openPart(folder, 'test', note.test, memory) },
    };
  } catch {
    // Damaged: written anew.
    return undefined;
  }
}

function openPart(
  folder: string,
  name: string,
  { dtype, dims, content, targets: stated, ...rest }: Part,
  memory: number,
): RowSet {
  const inputs = RowsFile.open(join(folder, `${name}.rows`), { dtype, dims }, memory);
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.targets`)));
  if (inputs.content !== content || sha256(bytes) !== stated.sha256) throw dataError(folder, 'is damaged', {});
  return { ...rest, inputs, targets: Tensor.fromBytes(stated.dtype, stated.dims, bytes) };
}

/** Files of rows in a folder. */
class Files implements Writer {
  private count = 0;
  private readonly made = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly memory: number,
    private readonly where: string,
  ) {}

  async write(parts: AsyncIterable<Dataset>): Promise<RowSet> {
    const file = new Appending(this.path());
    const targets: Tensor[] = [];
    let first: Dataset | undefined;
    try {
      for await (const part of parts) {
        first ??= part;
        file.add(part.inputs, this.where);
        targets.push(part.targets);
      }
      file.end();
    } finally {
      file.close();
    }
    return { ...must(first, 'part'), inputs: RowsFile.open(file.path, file.shape, this.memory), targets: joined(targets) };
  }

  readonly rewrite: Rewrite = (rows, each) => this.copy(rows, each);

  private copy(rows: Rows, each: (part: Tensor) => Tensor): RowsFile {
    const file = new Appending(this.path());
    try {
      for (const { part } of runsOf(rows, Math.max(1, Math.floor(bytesAtOnce / rowBytes(rows)))))
        file.add(each(part), this.where);
      file.end();
    } finally {
      file.close();
    }
    return RowsFile.open(file.path, file.shape, this.memory);
  }

  /** A part under its name, and what the note says of it. */
  finish(name: string, { inputs, targets, ...rest }: RowSet): Part {
    const own = inputs instanceof RowsFile && inputs.path !== undefined ? inputs : this.copy(inputs, (part) => part);
    const path = must(own.path, name);
    const { content } = own;
    renameSync(path, join(this.folder, `${name}.rows`));
    this.made.delete(path);
    writeFileSync(join(this.folder, `${name}.targets`), targets.bytes);
    const { dtype, dims } = targets;
    return part.parse({
      ...rest,
      dtype: own.dtype,
      dims: own.dims,
      content,
      targets: { dtype, dims, sha256: sha256(targets.bytes) },
    });
  }

  /** Removes what was made on the way. */
  clear(): void {
    for (const path of this.made) removeQuietly(path);
  }

  private path(): string {
    const path = join(this.folder, `${this.count++}.rows`);
    this.made.add(path);
    return path;
  }
}

/** A file that rows are added to. */
class Appending {
  private readonly fd: number;
  private first: Tensor | undefined;
  private rows = 0;

  constructor(readonly path: string) {
    this.fd = openSync(path, 'wx');
  }

  add(part: Tensor, where: string): void {
    this.first ??= part;
    const [a, b] = [this.first, part].map(({ dtype, dims }) => `${dtype} [${dims.slice(1)}]`);
    if (a !== b) throw dataError(where, `row ${this.rows} is ${b}, the first is ${a}`, { expected: `${a}`, got: `${b}` });
    const { bytes } = part;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at);
    this.rows += part.dims[0] ?? 0;
  }

  end(): void {
    fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }

  get shape(): RowsShape {
    const { dtype, dims } = must(this.first, 'row');
    return { dtype: dtype === 'uint8' ? 'uint8' : 'float32', dims: [this.rows, ...dims.slice(1)] };
  }
}

/** Tensors one after another. */
function joined(parts: readonly Tensor[]): Tensor {
  const { dtype, dims } = must(parts[0], 'part');
  const out = new Uint8Array(parts.reduce((n, { bytes }) => n + bytes.length, 0));
  let at = 0;
  for (const { bytes } of parts) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return Tensor.fromBytes(dtype, [parts.reduce((n, { dims: [rows = 0] }) => n + rows, 0), ...dims.slice(1)], out);
}
