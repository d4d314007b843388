// safetensors (huggingface.co/docs/safetensors): uint64 header length, JSON header, data without gaps. Little-endian.
// Read as hostile: every size is checked against the file before anything is made of it.

import { byteLength, type DType } from '../onnx/core/dtype.js';
import { DataError } from '../onnx/core/errors.js';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { oneLine, reason } from '../onnx/core/one-line.js';
import { bytePieces, type StoredBytes, StoredTensor } from '../onnx/core/stored-tensor.js';
import { Tensor } from '../onnx/core/tensor.js';

/** The format's own limit on its header. */
export const maxHeaderBytes = 100_000_000;

/** The format's names. It packs F4 and F6 too, which no ONNX tensor of ours holds the same way. */
const formatNames = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  complex64: 'C64',
  float8e4m3fn: 'F8_E4M3',
  float8e4m3fnuz: 'F8_E4M3FNUZ',
  float8e5m2: 'F8_E5M2',
  float8e5m2fnuz: 'F8_E5M2FNUZ',
  float8e8m0: 'F8_E8M0',
} as const satisfies Partial<Record<DType, string>>;

type StorableDType = keyof typeof formatNames;

/** Whether the format has the type. */
export function isStorable(dtype: DType): dtype is StorableDType {
  return Object.hasOwn(formatNames, dtype);
}

const dtypeOf = new Map<string, StorableDType>();
for (const dtype of Object.keys(formatNames) as StorableDType[]) dtypeOf.set(formatNames[dtype], dtype);

export interface SafetensorsFile {
  /** In the order of their data. Views on the file's bytes where those are aligned, else copies. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/**
 * The pieces of a safetensors file: its header and each tensor's own bytes, none of them copied and each asked for in its turn; those of tensors that stand in files are
 * good until the next. Tensors keep the order of the map, and the header is padded so that the data begin at a multiple of 8: the same map and metadata give the same bytes.
 * @throws DataError for a dtype that the format lacks and for names that it reserves
 */
export function encodeSafetensorsParts(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Iterable<Uint8Array> {
  const header = headerOf(tensors, metadata);
  return {
    *[Symbol.iterator]() {
      yield header;
      for (const tensor of tensors.values()) yield* bytePieces(tensor);
    },
  };
}

/** Its length among its bytes. Throws as `encodeSafetensorsParts`. */
function headerOf(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>>): Uint8Array {
  // Written by hand: an object would put keys such as "10" first.
  const fields: string[] = [];
  const text = Object.entries(metadata).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
  if (text.length > 0) fields.push(`"__metadata__":{${text.join(',')}}`);
  let at = 0;
  for (const [name, tensor] of tensors) {
    if (name === '__metadata__')
      throw new DataError('tensor "__metadata__": safetensors keeps this name for itself', { node: name });
    if (/\p{Surrogate}/u.test(name)) throw new DataError(`tensor ${quote(name)}: the name is not valid Unicode`, { node: name });
    if (!isStorable(tensor.dtype)) {
      throw new DataError(
        `tensor ${quote(name)}: safetensors has no dtype ${tensor.dtype}, expected one of ${Object.keys(formatNames).join(', ')}`,
        {
          node: name,
          got: tensor.dtype,
        },
      );
    }
    const { byteLength } = tensor;
    const info = { dtype: formatNames[tensor.dtype], shape: tensor.dims, data_offsets: [at, at + byteLength] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    at += byteLength;
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes) {
    throw new DataError(`safetensors header takes ${length} bytes, the format allows ${maxHeaderBytes}`, {
      expected: `at most ${maxHeaderBytes}`,
      got: String(length),
    });
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** As `encodeSafetensorsParts`, in one piece. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return joinBytes([headerOf(tensors, metadata), ...Array.from(tensors.values(), ({ bytes }) => bytes)]);
}

type Fail = (what: string, expected?: string, got?: string) => DataError;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys that the outermost object of a valid JSON text writes; JSON.parse keeps the last of equal ones and says nothing. */
function countKeys(json: string): number {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '"') {
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
    } else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === ':' && depth === 1) keys++;
  }
  return keys;
}

/** `bytes` begin a file of `size` bytes and hold all of its header. */
function readHeader(
  bytes: Uint8Array,
  size: number,
  fail: Fail,
): { readonly header: Readonly<Record<string, unknown>>; readonly dataStart: number } {
  if (bytes.length < 8)
    throw fail(`only ${bytes.length} bytes, a header takes at least 8`, 'at least 8 bytes', `${bytes.length} bytes`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(maxHeaderBytes)) {
    throw fail(
      `the header is said to take ${declared} bytes, the format allows ${maxHeaderBytes}`,
      `at most ${maxHeaderBytes}`,
      String(declared),
    );
  }
  const length = Number(declared);
  if (8 + length > size) {
    throw fail(
      `the header is said to take ${length} bytes, the file has ${size - 8} after its first 8`,
      `at most ${size - 8}`,
      String(length),
    );
  }
  if (bytes[8] !== 0x7b || length === 0) throw fail('the header does not begin with "{"', '"{"');
  let json: string;
  let header: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length));
    header = JSON.parse(json);
  } catch (cause) {
    throw fail(`the header is not valid JSON, ${reason(cause)}`, 'JSON');
  }
  if (!isObject(header)) throw fail('the header is no JSON object', 'an object');
  if (countKeys(json) !== Object.keys(header).length) throw fail('the header names a tensor twice', 'names that differ');
  return { header, dataStart: 8 + length };
}

function readMetadata(value: unknown, fail: Fail): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isObject(value)) throw fail('__metadata__ is no object', 'an object of strings');
  const entries: [string, string][] = [];
  for (const [key, v] of Object.entries(value)) {
    if (key === '__proto__') throw fail('the key "__proto__" in __metadata__ is not allowed');
    if (typeof v !== 'string') throw fail(`__metadata__ ${quote(key)} is no string`, 'a string');
    entries.push([key, v]);
  }
  return Object.fromEntries(entries);
}

interface TensorInfo {
  readonly name: string;
  readonly dtype: StorableDType;
  readonly dims: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readInfo(name: string, value: unknown, dataLength: number, fail: Fail): TensorInfo {
  const bad = (what: string, expected: string, got?: string) =>
    fail(`tensor ${quote(name)}: ${what}, expected ${expected}`, expected, got);
  if (!isObject(value)) throw bad('its entry is no object', '{ dtype, shape, data_offsets }');
  const extra = Object.keys(value).find((k) => k !== 'dtype' && k !== 'shape' && k !== 'data_offsets');
  if (extra !== undefined) throw bad(`unknown key ${quote(extra)}`, '{ dtype, shape, data_offsets }');
  const own = (key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined);
  const formatName = own('dtype');
  const dtype = typeof formatName === 'string' ? dtypeOf.get(formatName) : undefined;
  if (dtype === undefined) {
    const got = typeof formatName === 'string' ? quote(formatName) : 'missing or no string';
    throw bad(`dtype is ${got}`, `one of ${[...dtypeOf.keys()].join(', ')}`, got);
  }
  const shape = own('shape');
  if (!Array.isArray(shape)) throw bad('shape is missing or no list', 'a list of sizes');
  const dims: number[] = [];
  let count = 1;
  for (const d of shape as readonly unknown[]) {
    if (!isSize(d)) throw bad(`shape holds ${typeof d === 'number' ? d : 'what is no number'}`, 'integers of 0 and more');
    dims.push(d);
    count *= d;
    if (!Number.isSafeInteger(count)) throw bad('its shape has more than 2^53 elements', `at most ${dataLength} bytes`);
  }
  const offsets = own('data_offsets');
  const [begin, end, more] = Array.isArray(offsets) ? (offsets as readonly unknown[]) : [];
  if (!isSize(begin) || !isSize(end) || more !== undefined) throw bad('data_offsets is no pair of sizes', '[begin, end]');
  const range = `[${begin},${end}]`;
  if (begin > end || end > dataLength)
    throw bad(`data_offsets ${range} lie outside the data`, `a range within [0,${dataLength}]`, range);
  const want = byteLength(dtype, count);
  if (end - begin !== want) {
    throw bad(
      `data_offsets ${range} hold ${end - begin} bytes`,
      `${want} for ${formatNames[dtype]} of shape [${oneLine(dims.join(','), 60)}]`,
      String(end - begin),
    );
  }
  return { name, dtype, dims, begin, end };
}

/**
 * Reads a safetensors file. The tensors share memory with `bytes` where that is aligned to their elements.
 * @param file names the file in errors
 * @throws DataError for anything but one whole, gapless file
 */
export function decodeSafetensors(bytes: Uint8Array, file = 'safetensors data'): SafetensorsFile {
  // A Buffer's slice() shares memory; a plain view behaves as typed arrays do.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decode(plain, plain.length, (begin, length) => plain.subarray(begin, begin + length), file);
}

/** A file that is read in parts; large ones are left there until they are asked for. */
interface Parts {
  readonly path: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
  part(offset: number, length: number): Uint8Array | StoredBytes;
}

/** As `decodeSafetensors`, of a file whose large tensors stay there until they are asked for. */
export function storedSafetensors(stored: Parts, file = stored.path): SafetensorsFile {
  const { size } = stored;
  const first = stored.read(0, Math.min(8, size));
  const stated = first.length < 8 ? 0n : new DataView(first.buffer).getBigUint64(0, true);
  const header = stated > BigInt(maxHeaderBytes) ? first : stored.read(0, Math.min(size, 8 + Number(stated)));
  return decode(header, size, (begin, length) => stored.part(begin, length), file);
}

function decode(
  start: Uint8Array,
  size: number,
  part: (begin: number, length: number) => Uint8Array | StoredBytes,
  file: string,
): SafetensorsFile {
  const fail: Fail = (what, expected, got) =>
    new DataError(`${file}: ${what}`, {
      path: file,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
    });
  const { header, dataStart } = readHeader(start, size, fail);
  const dataLength = size - dataStart;
  const metadata = readMetadata(Object.hasOwn(header, '__metadata__') ? header.__metadata__ : undefined, fail);
  const infos: TensorInfo[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') infos.push(readInfo(name, value, dataLength, fail));
  }
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of infos) {
    if (begin !== at) {
      const what = begin < at ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw fail(`tensor ${quote(name)}: ${what}, its data begin at ${begin}, expected ${at}`, String(at), String(begin));
    }
    at = end;
  }
  if (at !== dataLength)
    throw fail(`${dataLength - at} bytes at the end belong to no tensor`, `${dataStart + at} bytes`, `${size} bytes`);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, dims, begin, end } of infos) {
    const found = part(dataStart + begin, end - begin);
    tensors.set(name, found instanceof Uint8Array ? Tensor.fromBytes(dtype, dims, found) : new StoredTensor(dtype, dims, found));
  }
  return { tensors, metadata };
}
