// A file's bytes by their places, read as they are asked for. Node only.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { DataError } from '../onnx/core/errors.js';
import { reason } from '../onnx/core/one-line.js';
import { fill } from '../onnx/files/fill.js';
import { dataError } from './data-error.js';
import type { FileBytes } from './file-bytes.js';

/** Throws DataError for a file that cannot be read, or has become shorter. */
export function bytesOnDisk(path: string): FileBytes {
  return {
    length: reading(path, (fd) => fstatSync(fd).size),
    read: (from, to) =>
      reading(path, (fd) => {
        const out = new Uint8Array(to - from);
        if (fill(fd, out, from) < out.length) throw dataError(path, 'is shorter than when it was opened, begin again', {});
        return out;
      }),
  };
}

function reading<T>(path: string, read: (fd: number) => T): T {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return read(fd);
  } catch (cause) {
    throw cause instanceof DataError ? cause : dataError(path, `cannot be read, ${reason(cause)}`, { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
