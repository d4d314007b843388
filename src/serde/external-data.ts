// Models on disk (node only): loadModel and saveModel, with weights inside the file or beside it. ONNX, ExternalData.md.
// Reading never leaves the model's folder; writing leaves the old model or the new one, whenever it is stopped.

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep, win32 } from 'node:path';
import { ModelError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { allNodes, type Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { ExternalReference, LoadExternal } from './decoding.js';
import { fromBinary } from './from-binary.js';
import { onnx } from './generated/onnx.js';
import type { PlaceTensor } from './tensor-to-proto.js';
import { toPieces } from './to-binary.js';

/** Weights of more bytes than this go to a file of their own under `externalData: 'auto'`; protobuf ends at 2 GB. */
export const autoExternalBytes = 1.5e9;
/** One read or write call; node refuses 2 GB and more. */
const chunk = 2 ** 30;

export interface SaveOptions {
  /** true: weights beside the model; false: inside; 'auto' (default): beside when they are over 1.5 GB together. */
  readonly externalData?: boolean | 'auto';
  /** Smaller initializers stay inside, in bytes. Default 1024. */
  readonly sizeThreshold?: number;
}

/** `permission denied (EACCES)` of an error of node:fs. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const parts = /^([A-Z0-9]+): ([^,]+)/.exec(message);
  return parts ? `${parts[2]} (${parts[1]})` : message;
}

/** Reads exactly `length` bytes; `size` has been checked. */
function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const n = readSync(file, bytes, done, Math.min(chunk, length - done), offset + done);
    if (n === 0) throw new ModelError('its external data ended while it was read');
    done += n;
  }
  return bytes;
}

/** The real path of a location, which must be a file inside `folder` (a real path). */
function confine(folder: string, location: string): string {
  const quoted = JSON.stringify(location);
  if (isAbsolute(location) || win32.isAbsolute(location) || /^[A-Za-z]:/.test(location)) {
    throw new ModelError(`its external data ${quoted} is an absolute path; it must be relative to the model's folder`);
  }
  if (location.split(/[\\/]/).includes('..') || location.includes('\0')) {
    throw new ModelError(`its external data ${quoted} leads out of the model's folder`);
  }
  let real: string;
  try {
    real = realpathSync(join(folder, location));
  } catch (cause) {
    throw new ModelError(`its external data ${quoted} cannot be read: ${reason(cause)}`, { cause });
  }
  const inside = relative(folder, real);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new ModelError(`its external data ${quoted} leads out of the model's folder`);
  }
  return real;
}

/** A reader of external data for a model in `folder`. Its sizes are checked against the file before anything is allocated. */
export function externalReader(folder: string): LoadExternal {
  return ({ location, offset, length }: ExternalReference) => {
    const path = confine(realpathSync(folder), location);
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (cause) {
      throw new ModelError(`its external data ${JSON.stringify(location)} cannot be read: ${reason(cause)}`, { cause });
    }
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw new ModelError(`its external data ${JSON.stringify(location)} is not a file`);
      if (offset + length > stat.size) {
        const asked = `bytes ${offset} to ${offset + length}`;
        throw new ModelError(`its external data ${JSON.stringify(location)} has ${stat.size} bytes, ${asked} are asked for`);
      }
      return readAt(file, offset, length);
    } finally {
      closeSync(file);
    }
  };
}

/** Reads an ONNX file and the external data beside it. Throws ModelError for anything wrong with either. */
export function loadModel(path: string): Model {
  let bytes: Uint8Array;
  try {
    // Looked at before it is opened: a pipe would wait for its writer, a device never ends.
    if (!statSync(path).isFile()) throw new ModelError('it is no regular file');
    bytes = readFileSync(path);
  } catch (cause) {
    throw new ModelError(`${path}: cannot be read: ${reason(cause)}`, { path, cause });
  }
  return fromBinary(bytes, { file: path, loadExternal: externalReader(dirname(path)) });
}

/** Bytes of all initializers, those of subgraphs included. */
function weightBytes(graph: Graph): number {
  const graphs = [graph, ...Array.from(allNodes(graph), (n) => n.subgraphs).flat()];
  return graphs
    .flatMap((g) => g.initializers)
    .reduce((n, { constant }) => n + (constant && constant.dtype !== 'string' ? constant.bytes.length : 0), 0);
}

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Pieces that follow each other. */
function inOrder(pieces: readonly Uint8Array[]): Piece[] {
  let end = 0;
  return pieces.map((bytes) => {
    const offset = end;
    end += bytes.length;
    return { offset, bytes };
  });
}

/** Lays tensors out in a data file: large ones at pages, so that they can be mapped, others at cache lines. */
function layout(location: string, threshold: number): { pieces: Piece[]; place: PlaceTensor } {
  const pieces: Piece[] = [];
  const known = new Map<Tensor, ReadonlyMap<string, string>>();
  let end = 0;
  const place: PlaceTensor = (tensor) => {
    const { bytes } = tensor;
    if (bytes.length < Math.max(threshold, 1)) return undefined;
    const before = known.get(tensor);
    if (before !== undefined) return before;
    const alignment = bytes.length >= 65536 ? 4096 : 64;
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + bytes.length;
    pieces.push({ offset, bytes });
    const entries = new Map([
      ['location', location],
      ['offset', String(offset)],
      ['length', String(bytes.length)],
    ]);
    known.set(tensor, entries);
    return entries;
  };
  return { pieces, place };
}

/** Writes a new file and syncs it; on failure nothing stays behind. Gaps between pieces read as zeros. */
function writeTemporary(path: string, pieces: readonly Piece[]): void {
  const file = openSync(path, 'wx');
  try {
    for (const { offset, bytes } of pieces) {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, Math.min(chunk, bytes.length - done), offset + done);
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes renames durable; Windows cannot sync a folder and needs not. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The data files that the model at `path` reads and that saveModel wrote for it: what a new model makes superfluous. */
function ownDataFiles(path: string): string[] {
  const name = basename(path);
  const ours = readdirSync(dirname(path)).filter(
    (f) => f.startsWith(`${name}.`) && /^(\.\d+)?\.data$/.test(f.slice(name.length)),
  );
  if (ours.length === 0 || !existsSync(path)) return [];
  try {
    const { graph } = onnx.ModelProto.decode(readFileSync(path));
    const read = new Set((graph?.initializer ?? []).flatMap((t) => t.external_data ?? []).map((e) => e.value));
    return ours.filter((f) => read.has(f));
  } catch {
    // Whatever stands there is no model of ours.
    return [];
  }
}

/** `model.onnx.data`, or the first free of `model.onnx.1.data`, ...: a file that an old model still reads is never overwritten. */
function freeDataName(path: string): string {
  const name = basename(path);
  for (let i = 0; ; i++) {
    const candidate = i === 0 ? `${name}.data` : `${name}.${i}.data`;
    if (!existsSync(join(dirname(path), candidate))) return candidate;
  }
}

/**
 * Writes a model, and its weights beside it where `externalData` says so. The data file is complete and synced before the model that
 * names it appears under `path` by a rename; an older data file of the same model is removed after that. Throws ModelError when the
 * folder cannot be written.
 */
export function saveModel(model: Model, path: string, options: SaveOptions = {}): void {
  const { externalData = 'auto', sizeThreshold = 1024 } = options;
  const external = externalData === 'auto' ? weightBytes(model.graph) > autoExternalBytes : externalData;
  const folder = dirname(path);
  const location = freeDataName(path);
  const { pieces, place } = layout(location, sizeThreshold);
  const inside = external ? toPieces(model, place) : toPieces(model);
  const unique = `${process.pid}.${randomUUID()}.tmp`;
  const made: string[] = [];
  const temporary = (name: string, content: readonly Piece[]): string => {
    const file = join(folder, `.${name}.${unique}`);
    made.push(file);
    writeTemporary(file, content);
    return file;
  };
  let old: string[];
  try {
    old = ownDataFiles(path);
    const written = temporary(basename(path), inOrder(inside.pieces));
    if (pieces.length > 0) {
      const data = temporary(location, pieces);
      made.push(join(folder, location));
      renameSync(data, join(folder, location));
      syncFolder(folder);
    }
    renameSync(written, path);
  } catch (cause) {
    for (const file of made) rmSync(file, { force: true });
    throw new ModelError(`${path}: cannot be written: ${reason(cause)}`, { path, cause });
  }
  syncFolder(folder);
  for (const file of old) rmSync(join(folder, file), { force: true });
}
