// Reads regular files, whole and of any size, or how they begin: Node's own readFile ends at 2 GiB.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { WorkspaceError } from '../core/errors.js';
import { fileError } from './file-error.js';
import { fill } from './fill.js';

/**
 * The bytes of a regular file, in memory of their own, so that views on them are aligned as the file is.
 * @throws WorkspaceError when there is no such file, or it is none, or it changes size meanwhile
 */
export function readWhole(path: string): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openFile(path);
    const bytes = new Uint8Array(fstatSync(fd).size);
    const at = fill(fd, bytes, 0);
    if (at < bytes.length) {
      throw new WorkspaceError(`cannot read ${path}: it ended at byte ${at} of ${bytes.length}, another program is writing it`, {
        path,
        expected: `${bytes.length} bytes`,
        got: `${at} bytes`,
      });
    }
    return bytes;
  } catch (cause) {
    throw fileError('read', path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The first bytes of a regular file, `count` at most. Throws as `readWhole`. */
export function firstBytes(path: string, count: number): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openFile(path);
    const bytes = new Uint8Array(count);
    return bytes.subarray(0, fill(fd, bytes, 0));
  } catch (cause) {
    throw fileError('read', path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openFile(path: string): number {
  // Looked at before it is opened: opening a pipe waits for its writer.
  const stat = statSync(path);
  if (!stat.isFile()) {
    throw new WorkspaceError(`cannot read ${path}: it is ${stat.isDirectory() ? 'a folder' : 'a device'}, expected a file`, {
      path,
      expected: 'a file',
    });
  }
  return openSync(path, 'r');
}
