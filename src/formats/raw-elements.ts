// Elements of a file as a Tensor: the count checked before anything is allocated, the byte order made little-endian.
import { byteLength, type DType, dtypes } from '../onnx/core/dtype.js';
import { Tensor } from '../onnx/core/tensor.js';
import { dataError } from './data-error.js';

/** Bytes that `dims` of a dtype take. Throws a DataError when that is beyond 2^53, so hostile dims never wrap or become NaN. */
export function declaredBytes(dtype: DType, dims: readonly number[], where: string): number {
  let count = 1;
  for (const d of dims) if (d !== 0) count *= d;
  const bytes = byteLength(dtype, count);
  if (!Number.isSafeInteger(bytes)) {
    throw dataError(where, `shape [${dims.join(',')}] is impossibly large`, { got: `[${dims.join(',')}]` });
  }
  return dims.includes(0) ? 0 : bytes;
}

/** Throws unless `bytes` is exactly as long as the shape declares; a file is truncated or has trailing bytes. */
export function checkLength(dtype: DType, dims: readonly number[], found: number, where: string): void {
  const want = declaredBytes(dtype, dims, where);
  if (found === want) return;
  const what = found < want ? 'is truncated' : 'has trailing bytes';
  throw dataError(where, `${what}, ${dtype} [${dims.join(',')}] takes ${want} bytes of data, found ${found}`, {
    expected: `${want} bytes`,
    got: `${found} bytes`,
  });
}

/** Reverses every `width` bytes in place. */
function swap(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width) {
    for (let low = at, high = at + width - 1; low < high; low++, high--) {
      const byte = bytes[low] ?? 0;
      bytes[low] = bytes[high] ?? 0;
      bytes[high] = byte;
    }
  }
}

/** Bytes of a file. `owned`: nobody else holds their memory, so that a tensor may take it without a copy. */
export interface RawElements {
  readonly bytes: Uint8Array;
  readonly bigEndian: boolean;
  readonly owned: boolean;
}

/** A tensor that owns its memory, from bytes whose length is checked here. Booleans become 0 or 1. */
export function rawTensor(dtype: DType, dims: readonly number[], elements: RawElements, where: string): Tensor {
  const { bytes, bigEndian, owned } = elements;
  checkLength(dtype, dims, bytes.byteLength, where);
  // Not bytes.slice(): where the caller hands over a Buffer, that shares its memory.
  const own = owned ? bytes : new Uint8Array(bytes);
  if (bigEndian) swap(own, dtypes[dtype].bits / 8);
  if (dtype === 'bool') for (let i = 0; i < own.length; i++) own[i] = own[i] === 0 ? 0 : 1;
  return Tensor.fromBytes(dtype, dims, own);
}
