// Writes a file so that at any kill there is the old one or the new one: temporary file beside it, fsync, rename, fsync of the folder.
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { WorkspaceError } from '../core/errors.js';
import { errorCode, fileError } from './file-error.js';
import { removeQuietly, removeStale, temporaryName } from './temporary.js';

/** One piece, or several that follow each other in the file. */
export type FileBytes = Uint8Array | readonly Uint8Array[];

/** Bytes given to the system at once; one call may not pass 2 GiB. */
const chunk = 256 * 2 ** 20;

function writeAll(fd: number, bytes: FileBytes): void {
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
    let at = 0;
    while (at < part.length) at += writeSync(fd, part, at, Math.min(chunk, part.length - at));
  }
}

/** Makes the names in a folder survive a power cut. Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some network file systems refuse to sync a folder.
    if (errorCode(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes a new file (an existing one is an error) and its bytes to the disk. The mode is exact, whatever the umask, if given. */
export function writeNewFile(path: string, bytes: FileBytes, mode?: number): void {
  const fd = openSync(path, 'wx');
  try {
    writeAll(fd, bytes);
    if (mode !== undefined) fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Where a symbolic link leads, so that the link stays one; a dangling link is replaced. */
function target(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : path;
  } catch {
    return path;
  }
}

/**
 * Replaces or makes the file `path`. Its mode is kept when it existed. What is no file (a pipe, /dev/stdout) is written to, never replaced.
 * @throws WorkspaceError `cannot write <path>: <why>`; the old file is then untouched
 */
export function writeFileAtomic(path: string, bytes: FileBytes): void {
  const final = target(path);
  const old = statOf(final);
  const folder = dirname(final);
  const name = basename(final);
  let temporary: string | undefined;
  try {
    if (old?.isDirectory())
      throw new WorkspaceError(`cannot write ${path}: it is a folder, expected a file`, { path, got: 'EISDIR' });
    if (old !== undefined && !old.isFile()) {
      const fd = openSync(final, 'w');
      try {
        writeAll(fd, bytes);
      } finally {
        closeSync(fd);
      }
      return;
    }
    removeStale(folder, name);
    const made = join(folder, temporaryName(name));
    temporary = made;
    writeNewFile(made, bytes, old === undefined ? undefined : old.mode & 0o7777);
    renameSync(made, final);
    temporary = undefined;
    syncFolder(folder);
  } catch (cause) {
    if (temporary !== undefined) removeQuietly(temporary);
    throw fileError('write', path, cause);
  }
}
