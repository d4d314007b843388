// How calls, results and events cross between page and worker: structured cloning copies all of them but tensors, which are objects of a class
// and cross as their parts.
import type { DType } from '../onnx/core/dtype.js';
import { Tensor, type TensorData } from '../onnx/core/tensor.js';

interface Parts {
  readonly 'prognet.tensor': { readonly dtype: DType; readonly dims: readonly number[]; readonly data: TensorData };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm has another Object.prototype, which has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function mapped(value: unknown, one: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(one);
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, v]) => [key, one(v)])) : value;
}

/** The value with its tensors taken apart; typed arrays are shared with it. */
export function apart(value: unknown): unknown {
  if (!(value instanceof Tensor)) return mapped(value, apart);
  const { dtype, dims, data } = value;
  return { 'prognet.tensor': { dtype, dims, data } } satisfies Parts;
}

function isParts(value: unknown): value is Parts {
  return isPlain(value) && 'prognet.tensor' in value;
}

/** The value with its tensors put together. */
export function together(value: unknown): unknown {
  if (!isParts(value)) return mapped(value, together);
  const { dtype, dims, data } = value['prognet.tensor'];
  return new Tensor(dtype, dims, data);
}
