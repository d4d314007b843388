// Tensors to and from onnxruntime-common's, shared by the adapters. Both sides view the same memory, but for views that begin at an odd place.
import type * as ort from 'onnxruntime-common';
import { type DType, dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { lostOf } from '../core/lost-text.js';
import { Tensor } from '../core/tensor.js';

/** Element types that onnxruntime-common can carry. */
const carried: ReadonlySet<string> = new Set([
  'float32',
  'float64',
  'float16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint64',
  'uint32',
  'uint16',
  'uint8',
  'bool',
  'string',
]);

/** The bits of a sum depend on where its operands begin: kernels take the elements up to the next 16 bytes apart from the rest. */
const alignment = 16;

function aligned({ data, dtype, dims }: Tensor): Tensor['data'] {
  if (!ArrayBuffer.isView(data) || data.byteOffset % alignment === 0) return data;
  const { buffer, byteOffset, byteLength } = data;
  return Tensor.fromBytes(dtype, dims, new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength))).data;
}

function refuseLost({ data }: Tensor): void {
  (data as readonly string[]).forEach((text, at) => {
    const lost = lostOf(text);
    if (lost !== undefined) throw new RuntimeError(`element ${at} of a tensor of texts ${lost}`, { got: text.slice(0, 60) });
  });
}

export function toOrt(Ctor: ort.TensorConstructor, t: Tensor): ort.Tensor {
  if (!carried.has(t.dtype)) {
    throw new RuntimeError(`tensors of dtype ${t.dtype} cannot cross into ONNX Runtime's JavaScript API`, { got: t.dtype });
  }
  if (t.dtype === 'string') refuseLost(t);
  return new Ctor(t.dtype as ort.Tensor.Type, aligned(t) as ort.Tensor.DataType, t.dims) as ort.Tensor;
}

export function fromOrt(t: ort.Tensor): Tensor {
  if (!(t.type in dtypes)) throw new RuntimeError(`ONNX Runtime returned a tensor of unknown type ${t.type}`);
  const dtype = t.type as DType;
  const data = t.data as Tensor['data'];
  // float16 may come as Float16Array where the engine has one: its bits are what we hold.
  if (dtype === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array)) {
    return new Tensor(dtype, t.dims, new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2));
  }
  return new Tensor(dtype, t.dims, data);
}
