// Rows of one size in a file that is not changed any more, read by number (node only). Rows in the order of an epoch are read by blocks, of which as
// many are kept as the shuffle takes together; neighbours are read as they stand.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { dataError } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { fileError } from '../../onnx/files/file-error.js';
import { fill } from '../../onnx/files/fill.js';
import type { Step } from '../reading.js';
import { type BlockShuffle, type RowsOnDisk, rowBytes, type StoredType } from '../rows.js';

/** What is read although nobody asked for it, where rows stand apart: one large read is quicker than many small ones. */
const widestGap = 2 ** 16;
/** Read at once when a whole file is hashed. */
const hashedAtOnce = 2 ** 24;
/** A quarter of the memory that is allowed, and no more than this, holds blocks. */
const mostForBlocks = 2 ** 28;
const blocksTogether = 32;

/** What rows are, but for where they stand. */
export interface RowsShape {
  readonly dtype: StoredType;
  readonly dims: readonly number[];
}

/** Follows from the description alone, not from the machine: the order of rows does. */
export function shuffleOf(shape: RowsShape, memory: number): BlockShuffle {
  const width = rowBytes(shape);
  const buffer = Math.min(memory / 4, mostForBlocks);
  const block = Math.max(1, Math.floor(buffer / blocksTogether / width));
  return { block, together: Math.max(1, Math.floor(buffer / (block * width))) };
}

/** The file behind rows: it must stay what it was when it was opened. */
class WholeFile {
  private readonly seen: string;

  constructor(readonly path: string) {
    const fd = this.open();
    try {
      this.seen = seenOf(fd);
    } finally {
      closeSync(fd);
    }
  }

  private open(): number {
    try {
      return openSync(this.path, 'r');
    } catch (cause) {
      throw fileError('read', this.path, cause);
    }
  }

  /** Fills each piece from its place. */
  read(pieces: readonly { readonly at: number; readonly into: Uint8Array }[]): void {
    const fd = this.open();
    try {
      if (this.seen !== seenOf(fd)) throw dataError(this.path, 'was written anew while it was read, begin again', {});
      for (const { at, into } of pieces)
        if (fill(fd, into, at) < into.length) throw dataError(this.path, 'is shorter than when it was opened, begin again', {});
    } catch (cause) {
      throw fileError('read', this.path, cause);
    } finally {
      closeSync(fd);
    }
  }
}

function seenOf(fd: number): string {
  const { ino, size, mtimeMs } = fstatSync(fd);
  return [ino, size, mtimeMs].join();
}

/** Rows in a file, or some of them. */
export class RowsFile implements RowsOnDisk {
  readonly dims: readonly number[];
  readonly shuffle: BlockShuffle;
  private readonly width: number;
  /** By their numbers, the one that was read longest ago first. */
  private readonly blocks = new Map<number, Uint8Array>();

  private begun: Hash | undefined;
  /** The whole file, of some of its rows. */
  private whole: RowsFile | undefined;

  private constructor(
    private readonly file: WholeFile,
    private readonly shape: RowsShape,
    readonly memory: number,
    private readonly chosen?: Uint32Array,
  ) {
    this.dims = [chosen?.length ?? shape.dims[0] ?? 0, ...shape.dims.slice(1)];
    this.width = rowBytes(shape);
    this.shuffle = shuffleOf(shape, memory);
  }

  /** The rows of a whole file. */
  static open(path: string, shape: RowsShape, memory: number): RowsFile {
    return new RowsFile(new WholeFile(path), shape, memory);
  }

  /** Of a whole file: the hash over what the rows are and what they hold, not ended yet; the one that `fingerprint` begins with. Undefined for some of its rows. */
  hashed(): Hash | undefined {
    if (this.chosen !== undefined) return undefined;
    if (this.begun === undefined) {
      const parts = hashRows(this.file, this.shape);
      let part = parts.next();
      while (part.done !== true) part = parts.next();
      this.begun = part.value;
    }
    return this.begun.copy();
  }

  /** The same of a whole file, told as it goes; it is not hashed again after that. */
  async hash(step: Step): Promise<void> {
    const parts = hashRows(this.file, this.shape);
    let part = parts.next();
    while (part.done !== true) {
      await step('rows looked through', part.value, this.shape.dims[0] ?? 0);
      part = parts.next();
    }
    this.begun = part.value;
  }

  get content(): string {
    const { chosen, file, shape } = this;
    const own = this.hashed();
    if (chosen === undefined || own !== undefined) return must(own, 'hash').digest('hex');
    this.whole ??= new RowsFile(file, shape, this.memory);
    const numbers = new Uint8Array(chosen.buffer, chosen.byteOffset, chosen.byteLength);
    return createHash('sha256').update(this.whole.content).update(numbers).digest('hex');
  }

  /** Where a whole file of rows stands; undefined for some of its rows. */
  get path(): string | undefined {
    return this.chosen === undefined ? this.file.path : undefined;
  }

  get dtype(): StoredType {
    return this.shape.dtype;
  }

  read(numbers: ArrayLike<number>): Tensor {
    const { width } = this;
    const { block } = this.shuffle;
    const out = new Uint8Array(numbers.length * width);
    for (let i = 0; i < numbers.length; i++) {
      const row = Number(numbers[i]);
      const from = (row % block) * width;
      out.set(this.blockOf(Math.floor(row / block)).subarray(from, from + width), i * width);
    }
    return this.tensor(out);
  }

  slice(from: number, to: number): Tensor {
    const out = new Uint8Array((to - from) * this.width);
    this.fill(out, from, to);
    return this.tensor(out);
  }

  select(numbers: Uint32Array): RowsFile {
    const { chosen, whole } = this;
    const own = chosen === undefined ? numbers : numbers.map((number) => chosen[number] ?? 0);
    const selected = new RowsFile(this.file, this.shape, this.memory, own);
    selected.whole = chosen === undefined ? this : whole;
    return selected;
  }

  private tensor(bytes: Uint8Array): Tensor {
    return Tensor.fromBytes(this.dtype, [bytes.length / this.width, ...this.dims.slice(1)], bytes);
  }

  private blockOf(number: number): Uint8Array {
    const known = this.blocks.get(number);
    if (known !== undefined) return known;
    const { block, together } = this.shuffle;
    const [oldest] = this.blocks.size < together ? [] : this.blocks;
    if (oldest !== undefined) this.blocks.delete(oldest[0]);
    // Its memory is used again: what is given back is not free at once.
    const own = oldest?.[1] ?? new Uint8Array(block * this.width);
    const [from, to] = [number * block, Math.min((number + 1) * block, this.dims[0] ?? 0)];
    this.fill(own.subarray(0, (to - from) * this.width), from, to);
    this.blocks.set(number, own);
    return own;
  }

  /** Rows [from, to), one after another. */
  private fill(out: Uint8Array, from: number, to: number): void {
    const { width, chosen, file } = this;
    if (chosen === undefined) {
      file.read([{ at: from * width, into: out }]);
      return;
    }
    for (let i = from; i < to; ) {
      const first = chosen[i] ?? 0;
      let last = first;
      let end = i + 1;
      for (; end < to; end++) {
        const next = chosen[end] ?? 0;
        if (next <= last || (next - last) * width > widestGap + width || (next - first) * width > hashedAtOnce) break;
        last = next;
      }
      const span = new Uint8Array((last - first + 1) * width);
      file.read([{ at: first * width, into: span }]);
      for (; i < end; i++) {
        const at = ((chosen[i] ?? 0) - first) * width;
        out.set(span.subarray(at, at + width), (i - from) * width);
      }
    }
  }
}

/** Gives the rows that are hashed so far, and at the end the hash. */
function* hashRows(file: WholeFile, { dtype, dims }: RowsShape): Generator<number, Hash> {
  const hash = createHash('sha256').update(`${JSON.stringify([dtype, dims])}\n`);
  const width = rowBytes({ dtype, dims });
  const size = (dims[0] ?? 0) * width;
  const block = new Uint8Array(Math.min(size, hashedAtOnce));
  for (let at = 0; at < size; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, size - at));
    file.read([{ at, into: part }]);
    hash.update(part);
    yield Math.floor((at + part.length) / width);
  }
  return hash;
}
