// Files and folders as sources see them: what is there, and its bytes, within the limit.
import { readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dataError, defaultMaxBytes } from '../../formats/data-error.js';
import { DataError } from '../../onnx/core/errors.js';
import { reason } from '../../onnx/core/one-line.js';

/** Whether a path is a file or a folder; undefined when there is neither. */
export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a file of at most 2 GiB. Throws DataError. */
export async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > defaultMaxBytes) {
      throw dataError(file, `has ${size} bytes, more than the limit of ${defaultMaxBytes}`, {
        expected: `at most ${defaultMaxBytes} bytes`,
        got: `${size} bytes`,
      });
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw dataError(file, `cannot be read, ${reason(cause)}`, { cause });
  }
}

/** The first of these files that is there. */
export async function firstFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if ((await kindOf(join(folder, name))) === 'file') return join(folder, name);
  return undefined;
}

/** The paths of what stands in a folder under names that `wanted` accepts. Throws what Node says of the folder. */
export function pathsIn(folder: string, wanted: (name: string) => boolean): string[] {
  return readdirSync(folder)
    .filter(wanted)
    .map((name) => join(folder, name));
}
