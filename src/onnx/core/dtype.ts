// ONNX element types: names, TensorProto.DataType numbers, widths. onnx.proto3, TensorProto.DataType (IR 13).

/** Bits per element; 0 for strings. `array` is how `Tensor.data` holds them. */
interface DTypeInfo {
  readonly code: number;
  readonly bits: number;
  readonly array:
    | 'Float32Array'
    | 'Float64Array'
    | 'Int8Array'
    | 'Uint8Array'
    | 'Int16Array'
    | 'Uint16Array'
    | 'Int32Array'
    | 'Uint32Array'
    | 'BigInt64Array'
    | 'BigUint64Array'
    | 'string';
}

/**
 * Half-precision and bfloat16 are held as their 16 bits, 8-bit floats as their byte, sub-byte types packed as in
 * TensorProto.raw_data, complex numbers as interleaved (re, im).
 */
export const dtypes = {
  float32: { code: 1, bits: 32, array: 'Float32Array' },
  uint8: { code: 2, bits: 8, array: 'Uint8Array' },
  int8: { code: 3, bits: 8, array: 'Int8Array' },
  uint16: { code: 4, bits: 16, array: 'Uint16Array' },
  int16: { code: 5, bits: 16, array: 'Int16Array' },
  int32: { code: 6, bits: 32, array: 'Int32Array' },
  int64: { code: 7, bits: 64, array: 'BigInt64Array' },
  string: { code: 8, bits: 0, array: 'string' },
  bool: { code: 9, bits: 8, array: 'Uint8Array' },
  float16: { code: 10, bits: 16, array: 'Uint16Array' },
  float64: { code: 11, bits: 64, array: 'Float64Array' },
  uint32: { code: 12, bits: 32, array: 'Uint32Array' },
  uint64: { code: 13, bits: 64, array: 'BigUint64Array' },
  complex64: { code: 14, bits: 64, array: 'Float32Array' },
  complex128: { code: 15, bits: 128, array: 'Float64Array' },
  bfloat16: { code: 16, bits: 16, array: 'Uint16Array' },
  float8e4m3fn: { code: 17, bits: 8, array: 'Uint8Array' },
  float8e4m3fnuz: { code: 18, bits: 8, array: 'Uint8Array' },
  float8e5m2: { code: 19, bits: 8, array: 'Uint8Array' },
  float8e5m2fnuz: { code: 20, bits: 8, array: 'Uint8Array' },
  uint4: { code: 21, bits: 4, array: 'Uint8Array' },
  int4: { code: 22, bits: 4, array: 'Uint8Array' },
  float4e2m1: { code: 23, bits: 4, array: 'Uint8Array' },
  float8e8m0: { code: 24, bits: 8, array: 'Uint8Array' },
  uint2: { code: 25, bits: 2, array: 'Uint8Array' },
  int2: { code: 26, bits: 2, array: 'Uint8Array' },
} as const satisfies Record<string, DTypeInfo>;

/**
 * Names of ONNX's element types.
 * @useDeclaredType
 */
export type DType = keyof typeof dtypes;

export const dtypeNames = Object.keys(dtypes) as readonly DType[];

const byCode = new Map<number, DType>(dtypeNames.map((name) => [dtypes[name].code, name]));

/** The dtype of a TensorProto.DataType number, or undefined for 0 (UNDEFINED) and unknown numbers. */
export function dtypeFromCode(code: number): DType | undefined {
  return byCode.get(code);
}

/** Bytes that `count` elements take in TensorProto.raw_data (sub-byte types are packed, the last byte padded). */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((count * dtypes[dtype].bits) / 8);
}

/** Floating-point types that gradients flow through. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}
