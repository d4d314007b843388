// A file whose parts are read when somebody asks for them, and which must not change until then. What its bytes mean is for others to say.
import { closeSync, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { WorkspaceError } from '../core/errors.js';
import type { StoredBytes } from '../core/stored-tensor.js';
import { fileError } from './file-error.js';
import { fill } from './fill.js';

/** Parts that may stay in the file: those of more bytes do. */
const readAtOnce = 2 ** 16;
/** Bytes of one piece. */
const chunk = 2 ** 22;

/** So many bytes in pieces that share their memory, each filled from where it stands among them. */
export function* inChunks(length: number, fillFrom: (piece: Uint8Array, at: number) => void): Generator<Uint8Array> {
  const into = new Uint8Array(Math.min(chunk, length));
  for (let at = 0; at < length; at += chunk) {
    const piece = into.subarray(0, Math.min(chunk, length - at));
    fillFrom(piece, at);
    yield piece;
  }
}

/** What tells a file from another, and from itself once it was written anew. */
export const seenOf = ({ ino, size, mtimeMs }: Stats): string => [ino, size, mtimeMs].join();

/** A regular file as it stood when this was made. Throws WorkspaceError in each of its calls, `cannot read <path>: <why>`. */
export class StoredFile {
  readonly size: number;
  private readonly seen: string;

  constructor(readonly path: string) {
    try {
      const stat = statSync(path);
      if (!stat.isFile()) {
        throw new WorkspaceError(`cannot read ${path}: it is ${stat.isDirectory() ? 'a folder' : 'a device'}, expected a file`, {
          path,
          expected: 'a file',
        });
      }
      this.size = stat.size;
      this.seen = seenOf(stat);
    } catch (cause) {
      throw fileError('read', path, cause);
    }
  }

  /** All of it, or so many bytes, in pieces that share their memory: each is good until the next. */
  pieces(offset = 0, length = this.size): Iterable<Uint8Array> {
    return inChunks(length, (piece, at) => this.into(piece, offset + at));
  }

  /** So many bytes, in memory of their own. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.into(bytes, offset);
    return bytes;
  }

  /** The bytes, or where there are many what reads them later. */
  part(offset: number, length: number): Uint8Array | StoredBytes {
    if (length <= readAtOnce) return this.read(offset, length);
    return {
      read: () => this.read(offset, length),
      pieces: () => this.pieces(offset, length),
      at: { path: this.path, offset },
    };
  }

  private into(bytes: Uint8Array, offset: number): void {
    const { path } = this;
    let fd: number | undefined;
    try {
      fd = openSync(path, 'r');
      if (seenOf(fstatSync(fd)) !== this.seen || fill(fd, bytes, offset) < bytes.length)
        throw new WorkspaceError(`cannot read ${path}: it was written anew meanwhile, begin again`, { path });
    } catch (cause) {
      throw fileError('read', path, cause);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
