// IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist): 0 0 type rank, uint32 dims, elements; all big-endian. Plain or gzip.
import { constants, gunzipSync } from 'node:zlib';
import type { DType } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import { dataError, defaultMaxBytes, reason } from './data-error.js';
import { declaredBytes, rawTensor } from './raw-elements.js';

const elementTypes = new Map<number, DType>([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

interface IdxHeader {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Bytes before the first element. */
  readonly length: number;
}

function readHeader(bytes: Uint8Array, where: string): IdxHeader {
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

/** What the first compressed bytes unpack to: enough for the header, so that the whole is unpacked only up to what it declares. */
function gzipPrefix(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 8 << 20 });
  } catch {
    return new Uint8Array();
  }
}

function gunzip(bytes: Uint8Array, where: string, maxBytes: number): Uint8Array {
  const prefix = gzipPrefix(bytes);
  let limit = maxBytes;
  if (prefix.length >= 4 && prefix.length >= 4 + 4 * (prefix[3] ?? 0)) {
    const { dtype, dims, length } = readHeader(prefix, where);
    const declared = length + declaredBytes(dtype, dims, where);
    if (declared > maxBytes) {
      throw dataError(where, `declares ${declared} bytes, more than the limit of ${maxBytes}`, {
        expected: `at most ${maxBytes} bytes`,
        got: `${declared} bytes`,
      });
    }
    limit = declared;
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    const tooLarge = cause instanceof RangeError;
    throw dataError(
      where,
      tooLarge ? `gzip unpacks to more than the expected ${limit} bytes` : `bad gzip data, ${reason(cause)}`,
      {
        cause,
        expected: tooLarge ? `at most ${limit} bytes` : 'whole gzip data',
      },
    );
  }
}

/**
 * Reads an IDX file, gzip-compressed or not (told by its first two bytes).
 * @param where names the file in errors
 * @param maxBytes bound on the unpacked size; a gzip file is never unpacked beyond what its own header declares
 * @throws DataError for anything but one whole IDX array
 */
export function readIdx(bytes: Uint8Array, where = 'IDX data', maxBytes = defaultMaxBytes): Tensor {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzip(bytes, where, maxBytes) : bytes;
  const { dtype, dims, length } = readHeader(plain, where);
  return rawTensor(dtype, dims, plain.subarray(length), true, where);
}
