// Elements as JSON has them: lists of numbers, texts, true and false, nested by the shape or flat. What JSON or the type cannot hold is refused.

import { datatypeOf } from '../../deploy/datatypes.js';
import type { DType } from '../../onnx/core/dtype.js';
import { elementCount } from '../../onnx/core/shape.js';
import { allocate, Tensor } from '../../onnx/core/tensor.js';
import { ServeError, type TensorSpec } from '../served-model.js';

const invalid = (message: string): ServeError => new ServeError('invalid', message);

const integers: Partial<Record<DType, readonly [low: number, high: number]>> = {
  uint8: [0, 255],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int8: [-128, 127],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** What is right, in words. */
function expectedOf(dtype: DType): string {
  const [low, high] = integers[dtype] ?? [];
  if (dtype === 'int64' || dtype === 'uint64') return `a whole number from ${low} to ${high}; others as binary data`;
  if (low !== undefined) return `a whole number from ${low} to ${high}`;
  return { bool: 'true or false', string: 'a text' }[dtype as string] ?? `a number of ${datatypeOf(dtype)}`;
}

/** An element as the tensor holds it; undefined for what is none. */
function element(dtype: DType, value: unknown): number | bigint | undefined {
  if (dtype === 'bool') return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined;
  if (typeof value !== 'number') return undefined;
  const range = integers[dtype];
  if (range !== undefined) {
    if (!Number.isInteger(value) || value < range[0] || value > range[1]) return undefined;
    return dtype === 'int64' || dtype === 'uint64' ? BigInt(value) : value;
  }
  return dtype === 'float64' || Number.isFinite(Math.fround(value)) ? value : undefined;
}

/** Calls `take` with each element of lists nested as the shape is. Throws ServeError where one is longer or shorter than its size. */
function each(data: unknown, shape: readonly number[], name: string, take: (value: unknown) => void): void {
  const [size, ...rest] = shape;
  if (size === undefined) {
    take(data);
    return;
  }
  if (!Array.isArray(data) || data.length !== size) {
    const found = Array.isArray(data) ? `a list of ${data.length}` : 'no list';
    throw invalid(
      `inference input '${name}': 'data' holds ${found} where its shape says ${size}, expected lists nested as the shape, or one flat list`,
    );
  }
  for (const one of data) each(one, rest, name, take);
}

/** A tensor of a `data` member. Throws ServeError. */
export function fromJson({ name, dtype }: TensorSpec, shape: readonly number[], data: unknown): Tensor {
  const count = elementCount(shape);
  if (!Array.isArray(data)) throw invalid(`inference input '${name}': 'data' is no list, expected ${count} elements`);
  if (dtype === 'float16')
    throw invalid(`sending FP16 data via JSON is not supported. Please use the binary data format for input ${name}`);
  const texts: string[] = [];
  const numbers = dtype === 'string' ? undefined : allocate(dtype, count);
  let at = 0;
  const nested = shape.length > 1 && Array.isArray(data[0]);
  if (!nested && data.length !== count)
    throw invalid(`unexpected number of elements for inference input '${name}'. Expecting ${count}, got ${data.length}`);
  each(data, nested ? shape : [count], name, (value) => {
    if (numbers === undefined) {
      if (typeof value !== 'string') throw wrongElement(name, dtype, value, at);
      texts.push(value);
    } else {
      const own = element(dtype, value);
      if (own === undefined) throw wrongElement(name, dtype, value, at);
      // Bigints go to arrays of bigints: `element` makes them by the dtype.
      (numbers as Float64Array)[at] = own as number;
    }
    at += 1;
  });
  return new Tensor(dtype, shape, numbers ?? texts);
}

function wrongElement(name: string, dtype: DType, value: unknown, at: number): ServeError {
  const found = (JSON.stringify(value) ?? String(value)).slice(0, 60);
  return invalid(`inference input '${name}': element ${at} is ${found}, expected ${expectedOf(dtype)}`);
}

/** The list of a tensor's elements as JSON: int64 to the last digit. Throws ServeError for what JSON has no numbers for. */
export function toJson(name: string, { dtype, data }: Tensor): string {
  if (dtype === 'string') return JSON.stringify(data);
  if (dtype === 'bool') return `[${Array.from(data as Uint8Array, (byte) => byte !== 0).join()}]`;
  if (dtype === 'float16')
    throw invalid(`sending FP16 data via JSON is not supported. Please use the binary data format for output ${name}`);
  if (data instanceof Float32Array || data instanceof Float64Array) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      throw new ServeError(
        'internal',
        `output '${name}': element ${at} is ${data[at]}, for which JSON has no number: ask for it as binary data`,
      );
  }
  return `[${(data as Float32Array).join()}]`;
}
