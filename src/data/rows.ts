// Rows whose first axis counts samples: a tensor, or rows that stay on disk and are read by number. Nothing here reads a file: what keeps rows on disk is
// stored/.
import type { InputDtype } from '../model/progressive/inputs.js';
import { byteLength } from '../onnx/core/dtype.js';
import { must } from '../onnx/core/errors.js';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';

/** Rows that are read as they are asked for. */
export interface RowsOnDisk {
  /** The type of their elements. */
  readonly dtype: InputDtype;
  /** [D, ...shape of a row] */
  readonly dims: readonly number[];
  /** SHA-256 of all that they hold: what tells them from others without reading them again. */
  readonly content: string;
  /** Bytes that reading them may take in memory. */
  readonly memory: number;
  /** How they are shuffled, since reading them in any order would be slow. */
  readonly shuffle: BlockShuffle;
  /** The rows at these numbers, in this order. */
  read(numbers: ArrayLike<number>): Tensor;
  /** The same of neighbours: rows [from, to). */
  slice(from: number, to: number): Tensor;
  /** Some of them, in this order, as rows of their own. */
  select(numbers: Uint32Array): RowsOnDisk;
}

/** What the elements of rows on disk may be. */
export type StoredType = RowsOnDisk['dtype'];
/** What the elements of rows on disk may be. */
export const storedTypes = ['uint8', 'float32', 'int64', 'int32', 'float16', 'bool'] as const satisfies readonly StoredType[];

/** Blocks of neighbours come in any order, and so do the rows of as many blocks as are in memory together. */
export interface BlockShuffle {
  /** Rows of a block. */
  readonly block: number;
  /** Blocks that are in memory together. */
  readonly together: number;
}

/** An input in rows of bytes that hold several, one after another. */
export interface PackedInput {
  readonly name: string;
  readonly dtype: StoredType;
  /** Of one sample. */
  readonly shape: readonly number[];
}

/** Rows in memory or on disk. */
export type Rows = Tensor | RowsOnDisk;

/** Whether rows are in memory. */
export const inMemory = (rows: Rows): rows is Tensor => 'data' in rows;

/** Rows [from, to): of a tensor a view, of texts a copy. */
export function sliceRows(rows: Rows, from: number, to: number): Tensor {
  if (!inMemory(rows)) return rows.slice(from, to);
  const { data, dims, dtype } = rows;
  const width = elementCount(dims.slice(1));
  const [begin, end] = [from * width, to * width];
  const part = ArrayBuffer.isView(data) ? data.subarray(begin, end) : data.slice(begin, end);
  return new Tensor(dtype, [to - from, ...dims.slice(1)], part);
}

/** The rows at `numbers`, copied. */
export function gatherRows(rows: Rows, numbers: Uint32Array): Tensor {
  if (!inMemory(rows)) return rows.read(numbers);
  const { bytes, dims, dtype } = rows;
  const width = bytes.length / (dims[0] ?? 1);
  const out = new Uint8Array(width * numbers.length);
  numbers.forEach((row, i) => {
    out.set(bytes.subarray(row * width, (row + 1) * width), i * width);
  });
  return Tensor.fromBytes(dtype, [numbers.length, ...dims.slice(1)], out);
}

/** Rows in runs of at most `size`, in order. */
export function* runsOf(rows: Rows, size: number): Generator<{ readonly from: number; readonly part: Tensor }> {
  const count = rows.dims[0] ?? 0;
  for (let from = 0; from < count; from += size) yield { from, part: sliceRows(rows, from, Math.min(from + size, count)) };
}

/** Bytes of a row. */
export function rowBytes({ dims, dtype }: Pick<Rows, 'dims' | 'dtype'>): number {
  return byteLength(dtype, elementCount(dims.slice(1)));
}

/** Rows of tensors one after another, of at least one tensor. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const { dtype, dims } = must(parts[0], 'part');
  const count = parts.reduce((n, { dims: [rows = 0] }) => n + rows, 0);
  return Tensor.fromBytes(dtype, [count, ...dims.slice(1)], joinBytes(parts.map(({ bytes }) => bytes)));
}
