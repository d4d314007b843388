// Files of a workspace that are written before work that may fail: what stood there comes back where it does. A kill leaves old or new files whole.
import { existsSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic, writeNewFile } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { beginPending, endPending, leftPending } from '../onnx/files/pending.js';
import { readWhole } from '../onnx/files/read-file.js';
import { removeQuietly, temporaryName } from '../onnx/files/temporary.js';

/**
 * Writes the files, then works. `noted`: those of which a kill is to leave word, so that who comes next may write over them.
 * @throws WorkspaceError for what the disk does not take; what `work` throws, the files as they were
 */
export async function writtenTogether<T>(
  files: ReadonlyMap<string, Uint8Array>,
  noted: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const there = new Map([...files.keys()].map((path) => [path, existsSync(path) ? readWhole(path) : undefined]));
  const copies = new Map<string, string>();
  const pending = noted.filter((path) => leftPending(path) !== undefined);
  try {
    // Copies first: a full disk leaves no room for them once it is known to be full.
    for (const [path, bytes] of there) if (bytes !== undefined) copies.set(path, copyBeside(path, bytes));
    for (const path of noted) beginPending(path, [basename(path)]);
    for (const [path, bytes] of files) writeFileAtomic(path, bytes);
    for (const path of noted) endPending(path);
    return await work();
  } catch (error) {
    for (const [path, bytes] of files) restore(path, bytes, copies.get(path));
    for (const path of noted) if (!pending.includes(path) || !existsSync(path)) endPending(path);
    throw error;
  } finally {
    for (const copy of copies.values()) removeQuietly(copy);
  }
}

/** A folder and those above it, as far as they are not there. */
export function missingFolders(folder: string): string[] {
  return existsSync(folder) ? [] : [folder, ...missingFolders(dirname(folder))];
}

/** Removes a folder unless somebody has put something into it. */
export function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not empty, or never made.
  }
}

/** A copy of a file beside it, from which a rename restores it. One that a kill leaves goes with the next write of the file. */
function copyBeside(path: string, bytes: Uint8Array): string {
  const copy = join(dirname(path), temporaryName(basename(path)));
  try {
    writeNewFile(copy, bytes, statSync(path).mode & 0o7777);
  } catch (cause) {
    removeQuietly(copy);
    throw fileError('write', path, cause);
  }
  return copy;
}

/** Brings a file back to what it was, unless somebody has changed it meanwhile. */
function restore(path: string, written: Uint8Array, copy: string | undefined): void {
  if (!existsSync(path) || Buffer.compare(readWhole(path), written) !== 0) return;
  if (copy === undefined) rmSync(path, { force: true });
  else renameSync(copy, path);
}
