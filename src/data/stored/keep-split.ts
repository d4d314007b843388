// Data that are not to be in memory, kept on disk as a column reads them: cache/<key>.data holds train.rows, test.rows, their targets and data.json. It is written
// once under another name and then renamed, so that what is found is whole; its note says of which files it was made, and what those were then.
import { readFileSync, renameSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { dataError } from '../../formats/data-error.js';
import { InterruptedError, must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { errorCode, fileError } from '../../onnx/files/file-error.js';
import { makeFolder } from '../../onnx/files/folder.js';
import { sha256 } from '../../onnx/files/hash.js';
import { removeQuietly, removeStale, temporaryName } from '../../onnx/files/temporary.js';
import type { RowSet, Split } from '../dataset.js';
import type { Step } from '../reading.js';
import { inWords } from './memory.js';
import { RowsFile } from './rows-file.js';
import { type Part, partSchema, Writer } from './writing.js';

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
  /** Called after each part that is written or looked through. */
  readonly step: Step;
}

const noteSchema = z.strictObject({
  format: z.literal(1),
  source: z.string(),
  notes: z.array(z.string()),
  train: partSchema,
  test: partSchema,
});
type Note = z.output<typeof noteSchema>;

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
 * @throws DataError where the disk has no room, as `make`; WorkspaceError where the folder cannot be written; InterruptedError, with nothing left there
 */
export async function keptSplit(keeping: Keeping, make: (writer: Writer) => Promise<Split<RowSet>>): Promise<Split<RowSet>> {
  const { cache, memory, where, bytes, onNote, step } = keeping;
  const folder = join(cache, `${sha256(JSON.stringify(keeping.asked)).slice(0, 32)}.data`);
  const source = sourceOf(keeping.files);
  const size = `${inWords(bytes)} of rows, over the ${inWords(memory)} of "memory"`;
  const found = await openKept(folder, source, memory, step);
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
    const writer = new Writer(temporary, memory, where, step);
    const split = await make(writer);
    const note: Note = {
      format: 1,
      source,
      notes: [...keeping.said],
      train: await writer.finish('train', split.train),
      test: await writer.finish('test', split.test),
    };
    writer.clear();
    writeFileSync(join(temporary, 'data.json'), `${JSON.stringify(note)}\n`);
    if (sourceOf(keeping.files) !== source) throw dataError(where, 'was changed while it was read, begin again', {});
    putInPlace(temporary, folder);
  } catch (cause) {
    removeQuietly(temporary);
    throw fileError('write', folder, cause);
  }
  return must(await openKept(folder, source, memory, step), folder).split;
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
async function openKept(
  folder: string,
  source: string,
  memory: number,
  step: Step,
): Promise<{ readonly note: Note; readonly split: Split<RowSet> } | undefined> {
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
      split: {
        train: await openPart(folder, 'train', note.train, memory, step),
        test: await openPart(folder, 'test', note.test, memory, step),
      },
    };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    // Damaged: written anew.
    return undefined;
  }
}

async function openPart(
  folder: string,
  name: string,
  { dtype, dims, content, targets: stated, ...rest }: Part,
  memory: number,
  step: Step,
): Promise<RowSet> {
  const inputs = RowsFile.open(join(folder, `${name}.rows`), { dtype, dims }, memory);
  await inputs.hash(step);
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.targets`)));
  if (inputs.content !== content || sha256(bytes) !== stated.sha256) throw dataError(folder, 'is damaged', {});
  return { ...rest, inputs, targets: Tensor.fromBytes(stated.dtype, stated.dims, bytes) };
}
