// IDX files as they lie on disks: plain, or packed by gzip, then never unpacked beyond what their own header declares.
import { constants, gunzipSync } from 'node:zlib';
import { reason } from '../onnx/core/one-line.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { dataError, defaultMaxBytes } from './data-error.js';
import { readIdxHeader, readPlainIdx } from './idx.js';
import { declaredBytes } from './raw-elements.js';
import { unpacking } from './unpacking.js';

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
    const { dtype, dims, length } = readIdxHeader(prefix, where);
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
    return gunzipSync(bytes, unpacking(bytes, limit));
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
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return readPlainIdx(packed ? gunzip(bytes, where, maxBytes) : bytes, where, packed);
}
