// The names that the Open Inference Protocol has for dtypes, and those of Triton's configurations.
import type { DType } from '../onnx/core/dtype.js';

const names = {
  bool: ['BOOL', 'TYPE_BOOL'],
  uint8: ['UINT8', 'TYPE_UINT8'],
  uint16: ['UINT16', 'TYPE_UINT16'],
  uint32: ['UINT32', 'TYPE_UINT32'],
  uint64: ['UINT64', 'TYPE_UINT64'],
  int8: ['INT8', 'TYPE_INT8'],
  int16: ['INT16', 'TYPE_INT16'],
  int32: ['INT32', 'TYPE_INT32'],
  int64: ['INT64', 'TYPE_INT64'],
  float16: ['FP16', 'TYPE_FP16'],
  float32: ['FP32', 'TYPE_FP32'],
  float64: ['FP64', 'TYPE_FP64'],
  string: ['BYTES', 'TYPE_STRING'],
} as const satisfies Partial<Record<DType, readonly [datatype: string, config: string]>>;

/** The dtypes that requests carry. */
export type WireDType = keyof typeof names;

export const isWire = (dtype: DType): dtype is WireDType => Object.hasOwn(names, dtype);

const found = (dtype: DType) => (isWire(dtype) ? names[dtype] : undefined);

/** `FP32`. */
export const datatypeOf = (dtype: DType): string => found(dtype)?.[0] ?? dtype;
/** `TYPE_FP32`. */
export const configTypeOf = (dtype: DType): string => found(dtype)?.[1] ?? dtype;
