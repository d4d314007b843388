// NumPy's .npy, versions 1 to 3 (numpy.lib.format): magic, a Python dict literal as header, elements. Written as version 1.
import type { DType } from '../onnx/core/dtype.js';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { allocate, Tensor } from '../onnx/core/tensor.js';
import { dataError, quote } from './data-error.js';
import { checkLength, rawTensor } from './raw-elements.js';

const descriptors = new Map<string, DType>([
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['b1', 'bool'],
]);
const known = [...descriptors.keys()].join(' ');
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself refuses headers beyond 10000 bytes. */
const maxHeader = 65535;
const maxRank = 64;

/** Bytes that a header and what stands before it take at most. */
export const longestNpyHeader = 12 + maxHeader;

/** What stands before an array's elements. */
export interface NpyHeader {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly dims: readonly number[];
  /** Bytes before the first element. */
  readonly length: number;
}

/** The dict literal NumPy writes, in either of Python's quotes; keys in any order, nothing else in it. */
function parseHeader(text: string, where: string): Omit<NpyHeader, 'length'> {
  const bad = (what: string): Error => dataError(where, what, { got: quote(text.trim()) });
  const descr = /(['"])descr\1\s*:\s*(['"])([<>|=]?)(\w+)\2/.exec(text);
  if (descr === null)
    throw bad(`npy header has no plain 'descr' (structured arrays are not supported), expected one of ${known}`);
  const [, , , order = '', type = ''] = descr;
  const dtype = descriptors.get(type);
  if (dtype === undefined) throw bad(`npy dtype ${quote(type)} is not supported, expected one of ${known}`);
  const fortran = /(['"])fortran_order\1\s*:\s*(True|False)\b/.exec(text);
  if (fortran === null) throw bad("npy header has no 'fortran_order', expected True or False");
  const shape = /(['"])shape\1\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (shape === null) throw bad("npy header has no 'shape', expected a tuple of integers");
  const parts = (shape[2] ?? '').split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const dims = parts.map((part) => (/^\d{1,16}L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  if (dims.length > maxRank || !dims.every(Number.isSafeInteger)) {
    throw bad(`npy shape ${quote(`(${shape[2] ?? ''})`)} is not a tuple of at most ${maxRank} integers`);
  }
  return { dtype, bigEndian: order === '>', fortran: fortran[2] === 'True', dims };
}

/** Row-major copy of column-major elements: the source strides grow from the first axis on. */
function toRowMajor(tensor: Tensor): Tensor {
  const { dims, dtype, data } = tensor;
  const out = allocate(dtype, tensor.size);
  const strides: number[] = [];
  let stride = 1;
  for (const d of dims) {
    strides.push(stride);
    stride *= d;
  }
  const at = dims.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] as number | bigint;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const next = (at[axis] as number) + 1;
      from += strides[axis] as number;
      if (next < (dims[axis] as number)) {
        at[axis] = next;
        break;
      }
      from -= next * (strides[axis] as number);
      at[axis] = 0;
    }
  }
  return new Tensor(dtype, dims, out);
}

/** What the first bytes say. Throws a DataError. */
export function readNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw dataError(where, 'not an npy file, it does not begin with \\x93NUMPY', { expected: '\\x93NUMPY and a version' });
  }
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw dataError(where, `npy version ${version} is not supported, expected 1, 2 or 3`, {
      expected: '1, 2 or 3',
      got: `${version}`,
    });
  }
  const start = version === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < start ? maxHeader + 1 : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeader || start + length > bytes.length) {
    throw dataError(where, `is truncated, its npy header does not fit its ${bytes.length} bytes`, {
      expected: `a header of at most ${maxHeader} bytes`,
      got: `${bytes.length} bytes`,
    });
  }
  const text = new TextDecoder('utf-8').decode(bytes.subarray(start, start + length));
  return { ...parseHeader(text, where), length: start + length };
}

/**
 * Reads one .npy array: versions 1 to 3, either byte order, C or Fortran order. float16 is held as its bits.
 * @param where names the file in errors
 * @param owned the bytes are nobody else's: the tensor takes their memory, without a copy
 * @throws DataError for anything but one whole array of a supported dtype (no strings, objects, structs, complex)
 */
export function readNpy(bytes: Uint8Array, where = 'npy data', owned = false): Tensor {
  const { dtype, bigEndian, fortran, dims, length } = readNpyHeader(bytes, where);
  const body = bytes.subarray(length);
  checkLength(dtype, dims, body.length, where);
  const tensor = rawTensor(dtype, dims, { bytes: body, bigEndian, owned }, where);
  return fortran && dims.length > 1 ? toRowMajor(tensor) : tensor;
}

/** What stands before the elements of an array: version 1, little-endian, C order; they begin at a multiple of 64 bytes. Throws as `writeNpy`. */
export function npyHeader(dtype: DType, dims: readonly number[]): Uint8Array {
  const code = [...descriptors].find(([, known]) => known === dtype)?.[0];
  if (code === undefined) {
    throw dataError('npy', `dtype ${dtype} cannot be written, expected one of ${[...descriptors.values()].join(' ')}`, {
      got: dtype,
    });
  }
  const order = code.endsWith('1') ? '|' : '<';
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${shape}, }`;
  const total = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const header = new TextEncoder().encode(`${dict.padEnd(total - 11)}\n`);
  const out = new Uint8Array(total);
  out.set(magic);
  out[6] = 1;
  out[8] = header.length & 0xff;
  out[9] = header.length >> 8;
  out.set(header, 10);
  return out;
}

/**
 * Writes version 1, little-endian, C order; the elements begin at a multiple of 64 bytes.
 * @throws DataError for dtypes that NumPy does not have (bfloat16, 8-bit and smaller floats, packed integers), strings, complex
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  return joinBytes([npyHeader(tensor.dtype, tensor.dims), tensor.bytes]);
}
