// TensorProto to Tensor, from whichever field holds the data. Sizes are checked against the bytes at hand before anything is allocated.
// raw_data is shared with the file's bytes where alignment allows. onnx.proto, TensorProto.
import { byteLength, type DType, dtypeFromCode, dtypes } from '../core/dtype.js';
import { ModelError } from '../core/errors.js';
import { StoredTensor } from '../core/stored-tensor.js';
import { allocate, Tensor, type TypedArray } from '../core/tensor.js';
import type { SparseTensor, TensorLabel } from '../ir/graph.js';
import type { Decoding } from './decoding.js';
import { onnx } from './generated/onnx.js';
import { fillHalves } from './int64.js';
import { decodeText } from './text.js';

type TensorProto = onnx.TensorProto.$Properties;
type TypedField = 'float_data' | 'int32_data' | 'string_data' | 'int64_data' | 'double_data' | 'uint64_data';

const typedFields: readonly TypedField[] = [
  'float_data',
  'int32_data',
  'string_data',
  'int64_data',
  'double_data',
  'uint64_data',
];

/** The typed field of a dtype. Everything narrow shares int32_data. */
function fieldOf(dtype: DType): TypedField {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return 'float_data';
    case 'float64':
    case 'complex128':
      return 'double_data';
    case 'int64':
      return 'int64_data';
    case 'uint32':
    case 'uint64':
      return 'uint64_data';
    case 'string':
      return 'string_data';
    default:
      return 'int32_data';
  }
}

/** The dtype of an elem_type or data_type; `what` begins the message for 0 and numbers that are no dtype. */
export function dtypeFromProto(code: number | null | undefined, what: string, decoding: Decoding): DType {
  const dtype = dtypeFromCode(code ?? 0);
  if (dtype === undefined) throw decoding.error(`${what}: ${code ? `unknown element type ${code}` : 'no element type'}`);
  return dtype;
}

/** Product of dims; zero wins over overflow. */
function countOf(dims: readonly number[]): number {
  return dims.includes(0) ? 0 : dims.reduce((n, d) => n * d, 1);
}

/** Entries that `count` elements take in the typed field. */
function entryCount(dtype: DType, count: number): number {
  const { bits } = dtypes[dtype];
  if (dtype === 'complex64' || dtype === 'complex128') return count * 2;
  return bits > 0 && bits < 8 ? byteLength(dtype, count) : count;
}

/** int32_data into a narrower array. An entry is a value or its bit pattern; anything wider is an error, never cut off. */
function fillNarrow(target: TypedArray, values: readonly number[], what: string, decoding: Decoding): void {
  const range = 2 ** (target.BYTES_PER_ELEMENT * 8);
  values.forEach((v, i) => {
    if (v < -range / 2 || v >= range)
      throw decoding.error(`${what}: int32_data[${i}] is ${v}, which does not fit ${target.BYTES_PER_ELEMENT * 8} bits`);
    target[i] = v;
  });
}

function fromTyped(t: TensorProto, dtype: DType, dims: readonly number[], what: string, decoding: Decoding): Tensor {
  const field = fieldOf(dtype);
  const want = entryCount(dtype, countOf(dims));
  const got = t[field]?.length ?? 0;
  if (got !== want) {
    const other = typedFields.find((f) => f !== field && (t[f]?.length ?? 0) > 0);
    const hint = got === 0 && other !== undefined ? `; its data stands in ${other}` : '';
    throw decoding.error(`${what}: ${dtype}[${dims.join(',')}] needs ${want} values in ${field}, it has ${got}${hint}`, {
      expected: String(want),
      got: String(got),
    });
  }
  if (dtype === 'string') return new Tensor(dtype, dims, (t.string_data ?? []).map(decodeText));
  const data = allocate(dtype, countOf(dims));
  if (data instanceof BigInt64Array) fillHalves(data, t.int64_data ?? []);
  else if (data instanceof BigUint64Array) fillHalves(data, t.uint64_data ?? []);
  else if (data instanceof Uint32Array) {
    (t.uint64_data ?? []).forEach((v, i) => {
      data[i] = decoding.size(v, `${what}: uint64_data[${i}]`);
      if (typeof v === 'number' ? v > 0xffffffff : v.high !== 0)
        throw decoding.error(`${what}: uint64_data[${i}] does not fit uint32`);
    });
  } else if (data instanceof Float32Array) data.set(t.float_data ?? []);
  else if (data instanceof Float64Array) data.set(t.double_data ?? []);
  else if (data instanceof Int32Array) data.set(t.int32_data ?? []);
  else fillNarrow(data, t.int32_data ?? [], what, decoding);
  return new Tensor(dtype, dims, data);
}

function checkLength(length: number, dtype: DType, dims: readonly number[], what: string, decoding: Decoding): void {
  const want = byteLength(dtype, countOf(dims));
  if (length !== want) {
    throw decoding.error(`${what}: ${dtype}[${dims.join(',')}] needs ${want} bytes, it has ${length}`, {
      expected: String(want),
      got: String(length),
    });
  }
}

function fromBytes(bytes: Uint8Array, dtype: DType, dims: readonly number[], what: string, decoding: Decoding): Tensor {
  checkLength(bytes.length, dtype, dims, what, decoding);
  return Tensor.fromBytes(dtype, dims, bytes);
}

/** A decimal number of external_data. */
function externalNumber(text: string, key: string, what: string, decoding: Decoding): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n)) {
    throw decoding.error(`${what}: external ${key} must be a non-negative integer, it is ${JSON.stringify(text)}`);
  }
  return n;
}

function fromExternal(t: TensorProto, dtype: DType, dims: readonly number[], what: string, decoding: Decoding): Tensor {
  const entries = decoding.entries(t.external_data);
  const location = entries.get('location');
  if (!location) throw decoding.error(`${what}: its data is external, but no location is given`);
  if (decoding.loadExternal === undefined) {
    throw decoding.error(`${what}: its data stands in the file ${JSON.stringify(location)}, which is not at hand`);
  }
  const length = byteLength(dtype, countOf(dims));
  const stated = entries.get('length');
  if (stated !== undefined && externalNumber(stated, 'length', what, decoding) !== length) {
    throw decoding.error(`${what}: ${dtype}[${dims.join(',')}] needs ${length} bytes, its external length is ${stated}`);
  }
  const offset = externalNumber(entries.get('offset') ?? '0', 'offset', what, decoding);
  const { loadExternal } = decoding;
  const named = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof ModelError)) throw cause;
      throw decoding.error(`${what}: ${cause.message}`, { cause });
    }
  };
  const found = named(() => loadExternal({ location, offset, length }));
  if (found instanceof Uint8Array) return fromBytes(found, dtype, dims, what, decoding);
  const { pieces } = found;
  return new StoredTensor(dtype, dims, {
    ...found,
    read: () => named(found.read),
    ...(pieces !== undefined && { pieces: () => namedPieces(pieces(), named) }),
  });
}

/** Pieces whose errors say what they are of. */
function* namedPieces(pieces: Iterable<Uint8Array>, named: <T>(read: () => T) => T): Generator<Uint8Array> {
  const each = pieces[Symbol.iterator]();
  for (let next = named(() => each.next()); next.done !== true; next = named(() => each.next())) yield next.value;
}

/** A tensor; `what` (`initializer "w"`) begins each message. */
export function tensorFromProto(t: TensorProto, what: string, decoding: Decoding): Tensor {
  const dtype = dtypeFromProto(t.data_type, what, decoding);
  const dims = (t.dims ?? []).map((d, i) => decoding.size(d, `${what}: dimension ${i}`));
  const count = countOf(dims);
  if (!Number.isSafeInteger(count)) throw decoding.error(`${what}: shape [${dims.join(',')}] has too many elements`);
  if (t.segment) throw decoding.error(`${what}: it is a segment of a larger tensor, which is not supported`);
  const external = t.data_location === onnx.TensorProto.DataLocation.EXTERNAL;
  const raw = t.raw_data ?? undefined;
  const typed = typedFields.some((f) => (t[f]?.length ?? 0) > 0);
  if ((external && (typed || raw?.length)) || (typed && raw?.length))
    throw decoding.error(`${what}: its data stands in two places at once`);
  if (dtype === 'string' && (external || raw?.length)) throw decoding.error(`${what}: strings must stand in string_data`);
  if (external) return fromExternal(t, dtype, dims, what, decoding);
  if (raw === undefined || typed || dtype === 'string') return fromTyped(t, dtype, dims, what, decoding);
  const { loadInside } = decoding;
  if (loadInside === undefined) return fromBytes(decoding.owned ? aligned(t, raw, dtype) : raw, dtype, dims, what, decoding);
  checkLength(raw.length, dtype, dims, what, decoding);
  const found = loadInside(raw.byteOffset, raw.length);
  return found instanceof Uint8Array ? fromBytes(found, dtype, dims, what, decoding) : new StoredTensor(dtype, dims, found);
}

/** Of raw data that are moved: as many bytes that their tag and length, which stand before them and have been read, take 4 bytes at least. */
const movable = 2 ** 16;

/** Moves large raw data by up to 3 bytes to the front, over their own length, where they are aligned for numbers of 2 or 4 bytes. */
function aligned(t: TensorProto, raw: Uint8Array, dtype: DType): Uint8Array {
  const width = dtypes[dtype].bits / 8;
  const by = width === 2 || width === 4 ? raw.byteOffset % width : 0;
  if (by === 0 || raw.length < movable) return raw;
  const to = new Uint8Array(raw.buffer, raw.byteOffset - by, raw.length);
  to.set(raw);
  t.raw_data = to;
  return to;
}

/** What the message says beside the data; undefined when that is nothing. */
export function labelFromProto(t: TensorProto, decoding: Decoding): TensorLabel | undefined {
  const metadata = t.metadata_props?.length ? { metadata: decoding.entries(t.metadata_props) } : {};
  const label = { ...(t.name && { name: t.name }), ...(t.doc_string && { doc: t.doc_string }), ...metadata };
  return Object.keys(label).length === 0 ? undefined : label;
}

/** A sparse tensor with its labels. */
export function sparseFromProto(s: onnx.SparseTensorProto.$Properties, what: string, decoding: Decoding): SparseTensor {
  if (!s.values || !s.indices) throw decoding.error(`${what}: a sparse tensor needs values and indices`);
  const valuesLabel = labelFromProto(s.values, decoding);
  const indicesLabel = labelFromProto(s.indices, decoding);
  return {
    values: tensorFromProto(s.values, `${what}, values`, decoding),
    indices: tensorFromProto(s.indices, `${what}, indices`, decoding),
    dims: (s.dims ?? []).map((d, i) => decoding.size(d, `${what}: dimension ${i}`)),
    ...(valuesLabel && { valuesLabel }),
    ...(indicesLabel && { indicesLabel }),
  };
}
