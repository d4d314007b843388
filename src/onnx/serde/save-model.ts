// Writes models to disk (node only), with weights inside the file or beside it. ONNX, ExternalData.md. Whenever it is stopped, the old model
// or the new one is there.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Tensor } from '../core/tensor.js';
import { syncFolder, writeFileAtomic, writeNewFile } from '../files/atomic-file.js';
import { fileError } from '../files/file-error.js';
import { removeQuietly, removeStale, temporaryName } from '../files/temporary.js';
import { allNodes, type Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { onnx } from './generated/onnx.js';
import type { PlaceTensor } from './tensor-to-proto.js';
import { toPieces } from './to-binary.js';

/** Weights of more bytes than this go to a file of their own under `externalData: 'auto'`; protobuf ends at 2 GB. */
export const autoExternalBytes = 1.5e9;
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
 * names it appears under `path` by a rename; an older data file of the same model is removed after that. Throws WorkspaceError when the
 * folder cannot be written.
 * @returns the data file, where there is one
 */
export function saveModel(model: Model, path: string, options: SaveOptions = {}): string | undefined {
  const { externalData = 'auto', sizeThreshold = 1024 } = options;
  const external = externalData === 'auto' ? weightBytes(model.graph) > autoExternalBytes : externalData;
  const folder = dirname(path);
  const location = freeDataName(path);
  const { pieces, place } = layout(location, sizeThreshold);
  const inside = external ? toPieces(model, place) : toPieces(model);
  const data = join(folder, location);
  const temporary = join(folder, temporaryName(location));
  let old: string[];
  try {
    old = existsSync(folder) ? ownDataFiles(path) : [];
    if (pieces.length > 0) {
      removeStale(folder, location);
      writeNewFile(temporary, pieces);
      renameSync(temporary, data);
      syncFolder(folder);
    }
    writeFileAtomic(path, inside.pieces);
  } catch (cause) {
    if (pieces.length > 0) for (const file of [temporary, data]) removeQuietly(file);
    throw fileError('write', path, cause);
  }
  for (const file of old) rmSync(join(folder, file), { force: true });
  return pieces.length > 0 ? data : undefined;
}
