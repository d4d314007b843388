// Writes models to disk (node only), with weights inside the file or beside it. ONNX, ExternalData.md. Whenever it is stopped, the old model
// or the new one is there.

import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { anObject, given, instance, text } from '../core/given.js';
import type { Tensor } from '../core/tensor.js';
import { syncFolder, writeFileAtomic, writeNewFile } from '../files/atomic-file.js';
import { fileError } from '../files/file-error.js';
import { whileLocked } from '../files/lock-file.js';
import { beginPending, endPending, leftPending, pendingPath } from '../files/pending.js';
import { removeQuietly, removeStale, temporaryName } from '../files/temporary.js';
import { allNodes, type Graph } from '../ir/graph.js';
import { Model } from '../ir/model.js';
import { onnx } from './generated/onnx.js';
import type { PlaceTensor } from './tensor-to-proto.js';
import { toPieces } from './to-binary.js';

/** Weights of more bytes than this go to a file of their own under `externalData: 'auto'`; protobuf ends at 2 GB. */
export const autoExternalBytes = 1.5e9;
/** Where weights are written. */
export interface SaveOptions {
  /** true: weights beside the model; false: inside; 'auto' (default): beside when they are over 1.5 GB together. */
  readonly externalData?: boolean | 'auto';
  /** Smaller initializers stay inside, in bytes. Default 1024. */
  readonly sizeThreshold?: number;
}

/** Bytes of all initializers, those of subgraphs included. */
function weightBytes(graph: Graph): number {
  const graphs = [graph, ...Array.from(allNodes(graph), (n) => n.subgraphs).flat()];
  return graphs
    .flatMap((g) => g.initializers)
    .reduce((n, { constant }) => n + (constant && constant.dtype !== 'string' ? constant.bytes.length : 0), 0);
}

/** Lays tensors out in a data file, whose pieces follow each other: large ones at pages, so that they can be mapped, others at cache lines. */
function layout(location: string, threshold: number): { pieces: Uint8Array[]; place: PlaceTensor } {
  const pieces: Uint8Array[] = [];
  const known = new Map<Tensor, ReadonlyMap<string, string>>();
  let end = 0;
  const place: PlaceTensor = (tensor) => {
    const { bytes } = tensor;
    if (bytes.length < Math.max(threshold, 1)) return undefined;
    const before = known.get(tensor);
    if (before !== undefined) return before;
    const alignment = bytes.length >= 65536 ? 4096 : 64;
    const offset = Math.ceil(end / alignment) * alignment;
    pieces.push(new Uint8Array(offset - end), bytes);
    end = offset + bytes.length;
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

/** Whether a file beside the model at `path` is named as saveModel names its data. */
function isDataName(path: string, file: string): boolean {
  const name = basename(path);
  return file.startsWith(`${name}.`) && /^(\.\d+)?\.data$/.test(file.slice(name.length));
}

/** Of these names, those that the model at `path` reads. */
function readBy(path: string, files: readonly string[]): string[] {
  if (files.length === 0 || !existsSync(path)) return [];
  try {
    const { graph } = onnx.ModelProto.decode(readFileSync(path));
    const read = new Set((graph?.initializer ?? []).flatMap((t) => t.external_data ?? []).map((e) => e.value));
    return files.filter((f) => read.has(f));
  } catch {
    // Whatever stands there is no model of ours.
    return [];
  }
}

/** The data files that the model at `path` reads and that saveModel wrote for it: what a new model makes superfluous. */
function ownDataFiles(path: string): string[] {
  return readBy(
    path,
    readdirSync(dirname(path)).filter((file) => isDataName(path, file)),
  );
}

/** Removes what a killed save of this model left: of the data files it was about, those that the model which stands there does not read. */
function finishPending(path: string): void {
  const left = leftPending(path)?.filter((file) => isDataName(path, file));
  if (left === undefined) return;
  const read = readBy(path, left);
  for (const file of left) if (!read.includes(file)) rmSync(join(dirname(path), file), { force: true });
  endPending(path);
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
 * names it appears under `path` by a rename; an older data file of the same model is removed after that. Saves of one path wait for each
 * other; what a killed one leaves, the next removes. Throws WorkspaceError when the folder cannot be written.
 * @returns the data file, where there is one
 */
export function saveModel(model: Model, path: string, options: SaveOptions = {}): string | undefined {
  given('save', { model, path, options }, { model: instance(Model, 'a Model'), path: text, options: anObject });
  const there = existsSync(path);
  if (there && !statSync(path).isFile() && options.externalData !== true) {
    // A pipe or /dev/stdout; a folder is refused.
    writeFileAtomic(path, toPieces(model).pieces);
    return undefined;
  }
  // A link stays one: the file that it leads to is replaced, and the data lie beside that.
  const real = there ? realpathSync(path) : path;
  return whileLocked(real, () => saveLocked(model, real, options));
}

function saveLocked(model: Model, path: string, options: SaveOptions): string | undefined {
  const { externalData = 'auto', sizeThreshold = 1024 } = options;
  const external = externalData === 'auto' ? weightBytes(model.graph) > autoExternalBytes : externalData;
  const folder = dirname(path);
  let written: readonly string[] = [];
  let published = false;
  try {
    finishPending(path);
    const old = ownDataFiles(path);
    const location = freeDataName(path);
    const { pieces, place } = layout(location, sizeThreshold);
    const inside = external ? toPieces(model, place) : toPieces(model);
    const beside = pieces.length > 0;
    const touched = beside ? [location, ...old] : old;
    if (touched.length > 0) beginPending(path, touched);
    if (beside) {
      const temporary = join(folder, temporaryName(location));
      removeStale(folder, location);
      written = [temporary, join(folder, location)];
      writeNewFile(temporary, pieces);
      renameSync(temporary, join(folder, location));
      syncFolder(folder);
    }
    writeFileAtomic(path, inside.pieces);
    published = true;
    for (const file of old) rmSync(join(folder, file), { force: true });
    if (touched.length > 0) endPending(path);
    return beside ? join(folder, location) : undefined;
  } catch (cause) {
    if (!published) for (const file of [...written, pendingPath(path)]) removeQuietly(file);
    throw fileError('write', path, cause);
  }
}
