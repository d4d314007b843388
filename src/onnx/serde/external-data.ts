// Reads models on disk (node only), with weights inside the file or beside it. ONNX, ExternalData.md. Reading never leaves the model's folder:
// the one that it is named in and, where it is a link, the one that it lies in.

import { closeSync, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep, win32 } from 'node:path';
import { ModelError } from '../core/errors.js';
import { aFunction, given, text } from '../core/given.js';
import { fill } from '../files/fill.js';
import { inChunks, StoredFile, seenOf } from '../files/stored-file.js';
import type { Model } from '../ir/model.js';
import type { ExternalReference, LoadExternal } from './decoding.js';
import { fromBinary } from './from-binary.js';

/** Of tensors that may stay in the file: those of more bytes do. */
const readAtOnce = 2 ** 16;

/** `permission denied (EACCES)` of an error of node:fs. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const parts = /^([A-Z0-9]+): ([^,]+)/.exec(message);
  return parts ? `${parts[2]} (${parts[1]})` : message;
}

/** Reads exactly as many bytes as there is room for; `size` has been checked. */
function readAt(file: number, offset: number, bytes: Uint8Array): Uint8Array {
  if (fill(file, bytes, offset) < bytes.length) throw new ModelError('its external data ended while it was read');
  return bytes;
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** The real path of a location in the first of the folders that has it. */
function realOf(folders: readonly string[], location: string): string {
  let missing: unknown;
  for (const folder of folders) {
    try {
      return realpathSync(join(folder, location));
    } catch (cause) {
      missing ??= cause;
    }
  }
  throw new ModelError(`its external data ${JSON.stringify(location)} cannot be read: ${reason(missing)}`, { cause: missing });
}

/** The real path of a location of a model in these folders (real paths), which must be a file inside one of them. */
function confine(folders: readonly string[], location: string): string {
  const quoted = JSON.stringify(location);
  if (isAbsolute(location) || win32.isAbsolute(location) || /^[A-Za-z]:/.test(location)) {
    throw new ModelError(`its external data ${quoted} is an absolute path; it must be relative to the model's folder`);
  }
  if (location.split(/[\\/]/).includes('..') || location.includes('\0')) {
    throw new ModelError(`its external data ${quoted} leads out of the model's folder`);
  }
  const real = realOf(folders, location);
  if (!folders.some((folder) => isInside(folder, real))) {
    throw new ModelError(`its external data ${quoted} leads out of the model's folder`);
  }
  return real;
}

/**
 * A reader of external data for a model in `folder`; `onRead` hears each file, and what the model calls it. Its sizes are checked against the file before anything is
 * allocated. Links may lead into `folder`, and into `realFolder`, where the model itself is a link into it (as caches of downloads keep both). With
 * `stored` what is large is read when it is asked for.
 */
export function externalReader(
  folder: string,
  onRead: (path: string, location: string) => void = () => {},
  realFolder: string = folder,
  stored = false,
): LoadExternal {
  return ({ location, offset, length }: ExternalReference) => {
    const path = confine([realpathSync(folder), realpathSync(realFolder)], location);
    onRead(path, location);
    return inFile(path, location, (file, stat) => {
      if (!stat.isFile()) throw new ModelError(`its external data ${JSON.stringify(location)} is not a file`);
      if (offset + length > stat.size) {
        const asked = `bytes ${offset} to ${offset + length}`;
        throw new ModelError(`its external data ${JSON.stringify(location)} has ${stat.size} bytes, ${asked} are asked for`);
      }
      if (!stored || length <= readAtOnce) return readAt(file, offset, new Uint8Array(length));
      const seen = seenOf(stat);
      const into = (bytes: Uint8Array, from: number) =>
        inFile(path, location, (again, now) => {
          if (seenOf(now) === seen) return readAt(again, from, bytes);
          throw new ModelError(`its external data ${JSON.stringify(location)} was written anew meanwhile, begin again`);
        });
      return {
        read: () => into(new Uint8Array(length), offset),
        pieces: () => inChunks(length, (piece, at) => into(piece, offset + at)),
        at: { path, offset },
      };
    });
  };
}

/** Something read in a file, which the model calls `location`. */
function inFile<T>(path: string, location: string, read: (file: number, stat: Stats) => T): T {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new ModelError(`its external data ${JSON.stringify(location)} cannot be read: ${reason(cause)}`, { cause });
  }
  try {
    return read(file, fstatSync(file));
  } finally {
    closeSync(file);
  }
}

/**
 * Reads an ONNX file and the external data beside it; `onRead` hears the files, those beside it with what the model calls them. With `stored` weights
 * beside the model (with 'all' those inside as well) are read when their elements are asked for, and must not change until then. Throws ModelError
 * for anything wrong with either.
 */
export function loadModel(
  path: string,
  onRead: (path: string, location?: string) => void = () => {},
  stored: boolean | 'all' = false,
): Model {
  given('load', { path, onRead }, { path: text, onRead: aFunction });
  onRead(path);
  let bytes: Uint8Array;
  try {
    // Looked at before it is opened: a pipe would wait for its writer, a device never ends.
    if (!statSync(path).isFile()) throw new ModelError('it is no regular file');
    bytes = readFileSync(path);
  } catch (cause) {
    throw new ModelError(`${path}: cannot be read: ${reason(cause)}`, { path, cause });
  }
  const real = realpathSync(path);
  const loadExternal = externalReader(dirname(path), onRead, dirname(real), stored !== false);
  if (stored !== 'all') return fromBinary(bytes, { file: path, loadExternal, owned: true });
  const own = new StoredFile(real);
  return fromBinary(bytes, { file: path, loadExternal, loadInside: (offset, length) => own.part(offset, length) });
}
