// Writes models to disk (node only), with weights inside the file or beside it. ONNX, ExternalData.md. Whenever it is stopped, the old model
// or the new one is there.

import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { anObject, given, instance, text } from '../core/given.js';
import { bytePieces } from '../core/stored-tensor.js';
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
    .reduce((n, { constant }) => n + (constant && constant.dtype !== 'string' ? constant.byteLength : 0), 0);
}

interface Layout {
  readonly place: PlaceTensor;
  /** Where each tensor begins. */
  readonly offsets: ReadonlyMap<Tensor, number>;
  /** What the file holds. */
  readonly pieces: () => Iterable<Uint8Array>;
}

/**
 * Lays tensors out in a data file, one behind the other: large ones at pages, so that they can be mapped, others at cache lines. Nothing of
 * them is read before the file is written, and then one after the other.
 */
function layout(location: string, threshold: number): Layout {
  const offsets = new Map<Tensor, number>();
  const known = new Map<Tensor, ReadonlyMap<string, string>>();
  let end = 0;
  const place: PlaceTensor = (tensor) => {
    const { byteLength } = tensor;
    if (byteLength < Math.max(threshold, 1)) return undefined;
    const before = known.get(tensor);
    if (before !== undefined) return before;
    const alignment = byteLength >= 65536 ? 4096 : 64;
    const offset = Math.ceil(end / alignment) * alignment;
    offsets.set(tensor, offset);
    end = offset + byteLength;
    const entries = new Map([
      ['location', location],
      ['offset', String(offset)],
      ['length', String(byteLength)],
    ]);
    known.set(tensor, entries);
    return entries;
  };
  function* pieces() {
    let written = 0;
    for (const [tensor, offset] of offsets) {
      yield new Uint8Array(offset - written);
      yield* bytePieces(tensor);
      written = offset + tensor.byteLength;
    }
  }
  return { place, offsets, pieces };
}

/** Whether a file beside the model at `path` is named as saveModel names its data. */
function isDataName(path: string, file: string): boolean {
  const name = basename(path);
  return file.startsWith(`${name}.`) && /^(\.\d+)?\.data$/.test(file.slice(name.length));
}

/** What the model at `path` calls the files beside it that it reads; none where no model of ONNX stands there. */
export function dataFilesOf(path: string): ReadonlySet<string> {
  if (!existsSync(path) || !statSync(path).isFile()) return new Set();
  try {
    const { graph } = onnx.ModelProto.decode(readFileSync(path));
    return new Set(graph ? locations(graph) : []);
  } catch {
    return new Set();
  }
}

function* locations({ initializer, node }: onnx.GraphProto.$Properties): Generator<string> {
  for (const { external_data } of initializer ?? [])
    for (const { key, value } of external_data ?? []) if (key === 'location' && value) yield value;
  for (const { g, graphs } of (node ?? []).flatMap((n) => n.attribute ?? []))
    for (const sub of [...(g ? [g] : []), ...(graphs ?? [])]) yield* locations(sub);
}

/** Of these names, those that the model at `path` reads. */
function readBy(path: string, files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const read = dataFilesOf(path);
  return files.filter((f) => read.has(f));
}

/** Whether saveModel, over the model at `path`, removes the file of this name beside it once that reads it no more. */
export function isOwnData(path: string, file: string): boolean {
  return basename(file) === file && isDataName(path, file);
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
    const { place, offsets, pieces } = layout(location, sizeThreshold);
    const inside = external ? toPieces(model, place) : toPieces(model);
    const beside = offsets.size > 0;
    const touched = beside ? [location, ...old] : old;
    if (touched.length > 0) beginPending(path, touched);
    if (beside) {
      const temporary = join(folder, temporaryName(location));
      removeStale(folder, location);
      written = [temporary, join(folder, location)];
      writeNewFile(temporary, pieces());
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
