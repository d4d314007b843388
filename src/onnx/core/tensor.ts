// Tensors: dtype, dims and flat row-major data. No arithmetic here: that is ONNX's.

import { bounded } from './bounds.js';
import { byteLength, type DType, dtypes } from './dtype.js';
import { InternalError, ShapeError } from './errors.js';
import { given, bytes as someBytes } from './given.js';
import { halfToNumber, isHalf, numberToHalf } from './half-float.js';
import { elementCount } from './shape.js';

/** Every typed array that holds elements. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;
/** A tensor's elements: a typed array of its dtype, or texts. */
export type TensorData = TypedArray | readonly string[];

const constructors = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/** Array elements that hold `count` tensor elements: packed bytes below 8 bits, two numbers per complex. */
function arrayLength(dtype: DType, count: number): number {
  const { bits } = dtypes[dtype];
  if (dtype === 'complex64' || dtype === 'complex128') return count * 2;
  return bits > 0 && bits < 8 ? byteLength(dtype, count) : count;
}

/** Zero-filled storage for `count` elements of a numeric dtype. */
export function allocate(dtype: DType, count: number): TypedArray {
  const kind = dtypes[dtype].array;
  if (kind === 'string') throw new InternalError('allocate: strings have no typed array');
  bounded('size', count, 'a tensor');
  return new constructors[kind](arrayLength(dtype, count));
}

const aDtype = { what: 'a dtype', holds: (v: unknown) => typeof v === 'string' && Object.hasOwn(dtypes, v) };
/** Whatever its elements: they are the shape's own matter. */
const anArray = { what: 'an array of sizes', holds: Array.isArray };
const someValues = { what: 'an array', holds: (v: unknown) => Array.isArray(v) || ArrayBuffer.isView(v) };
const numbers = {
  what: 'a number or an array of numbers',
  holds: (v: unknown) => typeof v === 'number' || (someValues.holds(v) && !(v instanceof DataView)),
};

const parts = { dims: anArray, data: someValues };
const encoded = { dtype: aDtype, dims: anArray, bytes: someBytes };

/** An immutable-by-convention tensor. `data.length` fits `dims`; the constructor checks it. */
export class Tensor {
  constructor(
    /** The type of its elements. */
    readonly dtype: DType,
    /** Its sizes; [] is a scalar. */
    readonly dims: readonly number[],
    /** Its elements in row-major order. */
    readonly data: TensorData,
  ) {
    if (!Object.hasOwn(dtypes, dtype))
      throw new ShapeError(`tensor of dtype "${String(dtype)}", expected one of ${Object.keys(dtypes).join(', ')}`, {
        got: String(dtype),
      });
    given('Tensor', { dims, data }, parts);
    const want = arrayLength(dtype, elementCount(dims));
    if (data.length !== want) {
      throw new ShapeError(`tensor of shape [${dims.join(',')}] and dtype ${dtype} needs ${want} values, got ${data.length}`, {
        expected: String(want),
        got: String(data.length),
      });
    }
    const kind = dtypes[dtype].array;
    if (kind === 'string' ? !Array.isArray(data) : !(data instanceof constructors[kind])) {
      const expected = kind === 'string' ? 'an array of strings' : `a ${kind}`;
      const got = ArrayBuffer.isView(data) ? `a ${data.constructor.name}` : 'an array';
      throw new ShapeError(`tensor of dtype ${dtype} needs ${expected}, got ${got}`, { expected, got });
    }
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.dims);
  }

  /** The little-endian bytes of raw_data. Shares memory with `data`; strings have none. */
  get bytes(): Uint8Array {
    const { data } = this;
    if (!ArrayBuffer.isView(data)) throw new InternalError('a string tensor has no bytes');
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  /** How many bytes `bytes` are. Strings have none. */
  get byteLength(): number {
    return this.bytes.length;
  }

  /** Elements as numbers (int64 that does not fit 2^53 throws). Not for strings, packed or complex types. */
  numbers(): number[] {
    const { dtype } = this;
    const out: number[] = [];
    for (const v of this.data) {
      const n = Number(v);
      if (typeof v === 'bigint' && !Number.isSafeInteger(n)) throw new ShapeError(`int64 value ${v} is beyond 2^53`);
      out.push(isHalf(dtype) ? halfToNumber(dtype, n) : n);
    }
    return out;
  }

  /** The same data under other dims. */
  reshape(dims: readonly number[]): Tensor {
    return new Tensor(this.dtype, dims, this.data);
  }

  /** A tensor of zeros. Throws ShapeError for dims that are no sizes. */
  static zeros(dtype: DType, dims: readonly number[]): Tensor {
    given('Tensor.zeros', { dtype, dims }, { dtype: aDtype, dims: anArray });
    return new Tensor(dtype, dims, allocate(dtype, elementCount(dims)));
  }

  /** From little-endian bytes; copies when the bytes are not aligned. */
  static fromBytes(dtype: DType, dims: readonly number[], bytes: Uint8Array): Tensor {
    given('Tensor.fromBytes', { dtype, dims, bytes }, encoded);
    const kind = dtypes[dtype].array;
    if (kind === 'string') throw new InternalError('a string tensor has no bytes');
    const Ctor = constructors[kind];
    const want = byteLength(dtype, elementCount(dims));
    if (bytes.byteLength !== want) {
      throw new ShapeError(
        `tensor of shape [${dims.join(',')}] and dtype ${dtype} needs ${want} bytes, got ${bytes.byteLength}`,
        {
          expected: String(want),
          got: String(bytes.byteLength),
        },
      );
    }
    const aligned = bytes.byteOffset % Ctor.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
    return new Tensor(dtype, dims, new Ctor(aligned.buffer as ArrayBuffer, aligned.byteOffset, want / Ctor.BYTES_PER_ELEMENT));
  }

  /** From numbers, converted to the dtype (halves and numeric dtypes of 8 bits and more). dims default to one axis. */
  static from(dtype: DType, values: readonly number[] | number, dims?: readonly number[]): Tensor {
    given('Tensor.from', { dtype, values }, { dtype: aDtype, values: numbers });
    const list = typeof values === 'number' ? [values] : values;
    const data = allocate(dtype, list.length);
    const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
    list.forEach((v, i) => {
      if (wide && !Number.isInteger(v))
        throw new ShapeError(`element ${i} of a tensor of dtype ${dtype} is ${v}, expected an integer`, { got: String(v) });
      data[i] = wide ? BigInt(v) : isHalf(dtype) ? numberToHalf(dtype, v) : v;
    });
    return new Tensor(dtype, dims ?? (typeof values === 'number' ? [] : [list.length]), data);
  }
}

/** int64 vector or scalar, the usual shape-like constant of ONNX. */
export function int64(values: readonly number[] | number): Tensor {
  return Tensor.from('int64', values);
}

/** A float32 scalar or vector. */
export function float32(values: readonly number[] | number, dims?: readonly number[]): Tensor {
  return Tensor.from('float32', values, dims);
}
