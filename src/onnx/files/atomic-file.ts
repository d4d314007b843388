// Writes a file so that at any kill there is the old one or the new one: temporary file beside it, fsync, rename, fsync of the folder.
import { closeSync, fchmodSync, fsyncSync, lstatSync, openSync, realpathSync, renameSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { must, WorkspaceError } from '../core/errors.js';
import { errorCode, fileError } from './file-error.js';
import { removeQuietly, removeStale, temporaryName } from './temporary.js';
import { type BytePieces, writeAll } from './write-all.js';

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
export function writeNewFile(path: string, bytes: BytePieces, mode?: number): void {
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

/** How a file is written. */
export interface FileOptions {
  /** One of many in a folder: the caller removes what is stale there (`removeStale`) and syncs the names (`syncFolder`), once for all of them. */
  readonly oneOfMany?: boolean;
}

/**
 * A file that is written piece by piece and takes its name when it is whole. Its mode is kept when it existed. What is no file (a pipe, /dev/stdout) is
 * written to as it comes, never replaced.
 * @throws WorkspaceError in each of its calls, `cannot write <path>: <why>`; the old file is then untouched
 */
export class GrowingFile {
  private fd: number | undefined;
  /** Where it stands until it is whole; undefined for what is no file. */
  private readonly temporary: string | undefined;
  private readonly final: string;

  constructor(
    private readonly path: string,
    private readonly options: FileOptions = {},
  ) {
    this.final = target(path);
    const old = statOf(this.final);
    const [folder, name] = [dirname(this.final), basename(this.final)];
    try {
      if (old?.isDirectory())
        throw new WorkspaceError(`cannot write ${path}: it is a folder, expected a file`, { path, got: 'EISDIR' });
      if (old !== undefined && !old.isFile()) {
        this.fd = openSync(this.final, 'w');
        return;
      }
      if (options.oneOfMany !== true) removeStale(folder, name);
      this.temporary = join(folder, temporaryName(name));
      this.fd = openSync(this.temporary, 'wx');
      if (old !== undefined) fchmodSync(this.fd, old.mode & 0o7777);
    } catch (cause) {
      this.abandon();
      throw fileError('write', path, cause);
    }
  }

  /** Whether what was written can be written over. */
  get replaceable(): boolean {
    return this.temporary !== undefined;
  }

  /** Adds bytes at the end. */
  write(bytes: BytePieces): void {
    this.trying((fd) => writeAll(fd, bytes));
  }

  /** Writes over the first bytes. */
  replaceStart(bytes: Uint8Array): void {
    this.trying((fd) => writeAll(fd, bytes, 0));
  }

  /** The file is whole and takes its name. */
  commit(): void {
    const { temporary, final } = this;
    this.trying((fd) => {
      if (temporary !== undefined) {
        fsyncSync(fd);
        renameSync(temporary, final);
        if (this.options.oneOfMany !== true) syncFolder(dirname(final));
      }
      this.fd = undefined;
      closeSync(fd);
    });
  }

  /** Nothing of it stays. Does nothing after `commit`. */
  abandon(): void {
    const { fd, temporary } = this;
    if (fd === undefined) return;
    this.fd = undefined;
    closeSync(fd);
    if (temporary !== undefined) removeQuietly(temporary);
  }

  private trying(work: (fd: number) => void): void {
    try {
      work(must(this.fd, 'open file'));
    } catch (cause) {
      this.abandon();
      throw fileError('write', this.path, cause);
    }
  }
}

/**
 * Replaces or makes the file `path`, as a GrowingFile does.
 * @throws WorkspaceError `cannot write <path>: <why>`; the old file is then untouched
 */
export function writeFileAtomic(path: string, bytes: BytePieces, options: FileOptions = {}): void {
  const file = new GrowingFile(path, options);
  file.write(bytes);
  file.commit();
}
