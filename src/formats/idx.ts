// IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist): 0 0 type rank, uint32 dims, elements; all big-endian. Files packed
// by gzip are gzip-idx.ts, which needs Node.
import type { DType } from '../onnx/core/dtype.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { dataError } from './data-error.js';
import { rawTensor } from './raw-elements.js';

const elementTypes = new Map<number, DType>([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

export interface IdxHeader {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Bytes before the first element. */
  readonly length: number;
}

/** What the first bytes say. Throws a DataError. */
export function readIdxHeader(bytes: Uint8Array, where: string): IdxHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw dataError(where, `not an IDX file, only ${bytes.length} bytes`, { expected: 'at least 4 bytes' });
  const dtype = elementTypes.get(view.getUint8(2));
  if (view.getUint16(0) !== 0 || dtype === undefined) {
    const found = view.getUint32(0).toString(16).padStart(8, '0');
    throw dataError(where, `not an IDX file, begins with 0x${found}, expected 0x0000 and a type of 08, 09, 0b, 0c, 0d or 0e`, {
      expected: '0x0000 and an element type',
      got: `0x${found}`,
    });
  }
  const rank = view.getUint8(3);
  const length = 4 + 4 * rank;
  if (rank === 0) throw dataError(where, 'IDX rank is 0, expected at least 1', { expected: 'rank of at least 1', got: '0' });
  if (bytes.length < length) {
    throw dataError(where, `is truncated, an IDX header of rank ${rank} takes ${length} bytes, found ${bytes.length}`, {
      expected: `${length} bytes`,
      got: `${bytes.length} bytes`,
    });
  }
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) dims.push(view.getUint32(4 + 4 * i));
  return { dtype, dims, length };
}

/**
 * Reads an IDX file that is not packed.
 * @param where names the file in errors
 * @param owned the bytes are nobody else's: the tensor takes their memory, without a copy
 * @throws DataError for anything but one whole IDX array
 */
export function readPlainIdx(bytes: Uint8Array, where = 'IDX data', owned = false): Tensor {
  const { dtype, dims, length } = readIdxHeader(bytes, where);
  return rawTensor(dtype, dims, { bytes: bytes.subarray(length), bigEndian: true, owned }, where);
}

/** The bytes of an IDX file of uint8. */
export function writeIdx(dims: readonly number[], elements: Uint8Array): Uint8Array {
  const length = 4 + 4 * dims.length;
  const out = new Uint8Array(length + elements.length);
  const view = new DataView(out.buffer);
  view.setUint16(2, 0x0800 | dims.length);
  for (const [i, d] of dims.entries()) view.setUint32(4 + 4 * i, d);
  out.set(elements, length);
  return out;
}
