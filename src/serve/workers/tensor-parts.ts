// Tensors between threads: structured cloning copies all but objects of a class, so they cross as their parts, numbers by moving their buffers.
import type { TransferListItem } from 'node:worker_threads';
import type { DType } from '../../onnx/core/dtype.js';
import { Tensor, type TensorData } from '../../onnx/core/tensor.js';
import type { Tensors } from '../served-model.js';

export interface Parts {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}
export type AllParts = Readonly<Record<string, Parts>>;

/** A buffer that holds nothing but the elements: to move one takes it from everybody who looks into it. */
function alone(data: TensorData): TensorData {
  if (!ArrayBuffer.isView(data)) return data;
  return data.byteLength === data.buffer.byteLength ? data : data.slice();
}

/** Bytes from which a buffer is moved: smaller ones are copied in less time. */
const worthMoving = 2 ** 16;

/** The parts of tensors; buffers to move are added to `move`. */
export function apart(tensors: Tensors, move: TransferListItem[]): AllParts {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, dims, data }]) => {
      const own = alone(data);
      if (
        ArrayBuffer.isView(own) &&
        own.buffer instanceof ArrayBuffer &&
        own.byteLength >= worthMoving &&
        !move.includes(own.buffer)
      )
        move.push(own.buffer);
      return [name, { dtype, dims, data: own }];
    }),
  );
}

export const together = (parts: AllParts): Tensors =>
  Object.fromEntries(Object.entries(parts).map(([name, { dtype, dims, data }]) => [name, new Tensor(dtype, dims, data)]));
