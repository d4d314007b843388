// Taps of frozen columns on disk, for data sets whose taps pass the memory budget: cache/<key>.taps, a row per sample, written once and read
// by the row; <key>.json beside it, written last, with its size and SHA-256. The key is a hash of all that the taps depend on, so what is
// found is right or, damaged, written anew. The loop's interface is train/taps/tapped-data.ts; nothing here knows what a row holds.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { PrognetError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { fill } from '../onnx/files/fill.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256, sha256Pattern, sha256Tensors } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { removeQuietly, removeStale, temporaryName } from '../onnx/files/temporary.js';
import { writeAll } from '../onnx/files/write-all.js';
import { parseJson, stableJson } from './json.js';

const noteSchema = z.strictObject({ format: z.literal(1), bytes: z.int().min(0), sha256: z.string().regex(sha256Pattern) });

/** Rows of one size in a file that is not changed any more. */
class StoredRows {
  constructor(
    private readonly fd: number,
    private readonly path: string,
    private readonly rowBytes: number,
  ) {}

  /** The rows at `indices`, one after another. */
  read(indices: ArrayLike<number>): Uint8Array {
    const { fd, rowBytes } = this;
    const out = new Uint8Array(indices.length * rowBytes);
    for (let i = 0; i < indices.length; ) {
      // Neighbours are read together.
      let n = 1;
      while (i + n < indices.length && indices[i + n] === (indices[i] ?? 0) + n) n++;
      readFully(fd, out.subarray(i * rowBytes, (i + n) * rowBytes), (indices[i] ?? 0) * rowBytes, this.path);
      i += n;
    }
    return out;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function readFully(fd: number, into: Uint8Array, position: number, path: string): void {
  if (fill(fd, into, position) < into.length) throw fileError('read', path, new Error('it is shorter than when it was opened'));
}

/**
 * Keeps taps in `folder`. `identity` is what they depend on beside the inputs: the frozen columns' hashes, the runtime, its threads.
 * @throws WorkspaceError where the folder cannot be written
 */
export class TapStore {
  constructor(
    private readonly folder: string,
    private readonly identity: string,
  ) {}

  /** Rows of these inputs, under the names that they are hashed by, written from `blocks` (whole rows, in order) unless an earlier training left them. `layout` says what a row holds. */
  async rows(
    inputs: Readonly<Record<string, Tensor | RowsByContent>>,
    layout: string,
    rowBytes: number,
    blocks: () => AsyncIterable<Uint8Array>,
  ): Promise<StoredRows & { readonly found: boolean }> {
    const key = sha256(`${this.identity}\n${layout}\n${hashOfInputs(inputs)}`).slice(0, 32);
    const path = join(this.folder, `${key}.taps`);
    const note = join(this.folder, `${key}.json`);
    const bytes = (Object.values(inputs)[0]?.dims[0] ?? 0) * rowBytes;
    try {
      const found = openChecked(path, note, bytes);
      if (found === undefined) await this.write(path, note, bytes, blocks());
      const fd = found ?? openSync(path, 'r');
      return Object.assign(new StoredRows(fd, path, rowBytes), { found: found !== undefined });
    } catch (cause) {
      throw cause instanceof PrognetError ? cause : fileError('write', path, cause);
    }
  }

  private async write(path: string, note: string, bytes: number, blocks: AsyncIterable<Uint8Array>): Promise<void> {
    makeFolder(this.folder);
    removeStale(this.folder);
    rmSync(note, { force: true });
    const temporary = join(this.folder, temporaryName('taps'));
    const hash = createHash('sha256');
    const fd = openSync(temporary, 'wx');
    try {
      for await (const block of blocks) {
        hash.update(block);
        writeAll(fd, block);
      }
      fsyncSync(fd);
      renameSync(temporary, path);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
    writeFileAtomic(note, new TextEncoder().encode(`${stableJson({ format: 1, bytes, sha256: hash.digest('hex') })}\n`));
  }

  /** Removes all that is kept, once a column is frozen: the next one reads other taps. What another training is writing stays. */
  clear(): void {
    removeStale(this.folder);
    for (const name of entriesOf(this.folder))
      if (/^[0-9a-f]{32}\.(taps|json)$/.test(name)) removeQuietly(join(this.folder, name));
  }
}

/** Rows that are told by a hash, since they are not in memory. */
interface RowsByContent {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly content: string;
}

function hashOfInputs(inputs: Readonly<Record<string, Tensor | RowsByContent>>): string {
  const tensors = new Map<string, Tensor>();
  const others: unknown[] = [];
  for (const [name, rows] of Object.entries(inputs))
    if ('content' in rows) others.push([name, rows.dtype, rows.dims, rows.content]);
    else tensors.set(name, rows);
  const hash = sha256Tensors(tensors);
  return others.length === 0 ? hash : JSON.stringify([hash, others]);
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The file, when it is whole: its note, its size and its hash are checked. */
function openChecked(path: string, note: string, bytes: number): number | undefined {
  let fd: number | undefined;
  try {
    const stated = noteSchema.parse(parseJson(readWhole(note), note));
    fd = openSync(path, 'r');
    if (stated.bytes === bytes && fstatSync(fd).size === bytes && hashOf(fd, bytes, path) === stated.sha256) return fd;
  } catch {
    // Absent or damaged: written anew.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

function hashOf(fd: number, bytes: number, path: string): string {
  const hash = createHash('sha256');
  const block = new Uint8Array(Math.min(bytes, 2 ** 24));
  for (let at = 0; at < bytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, bytes - at));
    readFully(fd, part, at, path);
    hash.update(part);
  }
  return hash.digest('hex');
}
