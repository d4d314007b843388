// One array in a file, read by parts of its first axis: .npy and IDX, plain or packed by gzip, and .npy inside a .npz (zip-file.ts). For arrays that are not to
// be in memory whole. Node only.
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { crc32, createGunzip, createInflateRaw } from 'node:zlib';
import type { DType } from '../onnx/core/dtype.js';
import { dtypes } from '../onnx/core/dtype.js';
import { DataError } from '../onnx/core/errors.js';
import { reason } from '../onnx/core/one-line.js';
import { elementCount } from '../onnx/core/shape.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { dataError } from './data-error.js';
import { readIdxHeader } from './idx.js';
import { longestNpyHeader, readNpyHeader } from './npy.js';
import { checkLength, declaredBytes, rawTensor } from './raw-elements.js';

/** An array in a file. */
export interface ArrayFile {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Whether rows stand one behind the other; they do not in Fortran's order. */
  readonly byRows: boolean;
  /** Its rows, so many at once, in order. Throws DataError for a file that is damaged, and where rows are no neighbours. */
  readonly parts: (rows: number) => AsyncGenerator<Tensor>;
}

/** Where an array's bytes stand. */
export interface Extent {
  readonly path: string;
  /** Names the array in errors. */
  readonly where: string;
  readonly start?: number;
  /** The end of the file when absent. */
  readonly end?: number;
  readonly packed?: 'gzip' | 'deflate';
  /** CRC-32 of what is unpacked. */
  readonly crc?: number;
}

/** What stands before the elements. */
interface Header {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bigEndian: boolean;
  readonly fortran?: boolean;
  /** Bytes before the first element. */
  readonly length: number;
}

/** Bytes of a stream, taken as they are needed. */
class Bytes {
  private held: Uint8Array = new Uint8Array();
  crc = 0;

  private constructor(private readonly stream: AsyncIterator<Uint8Array>) {}

  static of({ path, start = 0, end, packed }: Extent): Bytes {
    const file = createReadStream(path, { start, highWaterMark: 2 ** 20, ...(end !== undefined && { end: end - 1 }) });
    if (packed === undefined) return new Bytes(file[Symbol.asyncIterator]());
    // An error of either ends both, and is thrown where bytes are taken.
    const unpacked = pipeline(file, packed === 'gzip' ? createGunzip() : createInflateRaw(), () => {});
    return new Bytes(unpacked[Symbol.asyncIterator]());
  }

  /** As many bytes as there are, `count` at most. */
  async take(count: number): Promise<Uint8Array> {
    const out = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      if (this.held.length === 0) {
        const { done, value } = await this.stream.next();
        if (done === true) break;
        this.crc = crc32(value, this.crc);
        this.held = value;
      }
      const n = Math.min(this.held.length, count - at);
      out.set(this.held.subarray(0, n), at);
      this.held = this.held.subarray(n);
      at += n;
    }
    return at === count ? out : out.subarray(0, at);
  }

  async close(): Promise<void> {
    await this.stream.return?.();
  }
}

async function arrayFile(extent: Extent, longest: number, read: (bytes: Uint8Array) => Header): Promise<ArrayFile> {
  const { where } = extent;
  const failed = (cause: unknown) =>
    cause instanceof DataError ? cause : dataError(where, `cannot be read, ${reason(cause)}`, { cause });
  const begin = Bytes.of(extent);
  let header: Header;
  try {
    header = read(await begin.take(longest));
  } catch (cause) {
    throw failed(cause);
  } finally {
    await begin.close();
  }
  const { dtype, dims, bigEndian, length } = header;
  const total = declaredBytes(dtype, dims, where);
  if (extent.packed === undefined) {
    const { path, start = 0, end = statSync(path).size } = extent;
    checkLength(dtype, dims, end - start - length, where);
  }
  const byRows = header.fortran !== true || dims.length < 2;
  async function* parts(rows: number): AsyncGenerator<Tensor> {
    if (!byRows) {
      const expected = 'C order, which numpy.ascontiguousarray makes of it';
      throw dataError(where, `is in Fortran order, in which rows are no neighbours to be read by parts, expected ${expected}`, {
        expected,
      });
    }
    const bytes = Bytes.of(extent);
    try {
      await bytes.take(length);
      const width = (elementCount(dims.slice(1)) * dtypes[dtype].bits) / 8;
      const count = dims[0] ?? 0;
      for (let from = 0; from < count; from += rows) {
        const own = Math.min(rows, count - from);
        const part = await bytes.take(own * width);
        if (part.length < own * width) checkLength(dtype, dims, from * width + part.length, where);
        yield rawTensor(dtype, [own, ...dims.slice(1)], { bytes: part, bigEndian, owned: true }, where);
      }
      const rest = await bytes.take(1);
      if (rest.length > 0) checkLength(dtype, dims, total + rest.length, where);
      if (extent.crc !== undefined && bytes.crc !== extent.crc) throw dataError(where, 'is damaged, its CRC-32 does not match');
    } catch (cause) {
      throw failed(cause);
    } finally {
      await bytes.close();
    }
  }
  return { dtype, dims, byRows, parts };
}

/** An array in .npy form. Throws DataError. */
export function openNpy(extent: Extent): Promise<ArrayFile> {
  return arrayFile(extent, longestNpyHeader, (bytes) => readNpyHeader(bytes, extent.where));
}

const longestIdxHeader = 4 + 4 * 255;

/** An array in IDX form, plain or packed by gzip. Throws DataError. */
export function openIdx(path: string, where = path): Promise<ArrayFile> {
  const extent: Extent = { path, where, ...(isGzip(path) && { packed: 'gzip' as const }) };
  return arrayFile(extent, longestIdxHeader, (bytes) => ({ ...readIdxHeader(bytes, where), bigEndian: true }));
}

function isGzip(path: string): boolean {
  const begin = new Uint8Array(2);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, begin);
  } finally {
    closeSync(fd);
  }
  return begin[0] === 0x1f && begin[1] === 0x8b;
}
