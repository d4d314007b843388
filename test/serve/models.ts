// Models for tests of the server: one that gives back what it takes in every type, one that takes long, one that multiplies.
import { renameSync, writeFileSync } from 'node:fs';
import { graph } from '../../src/onnx/autodiff/graph.js';
import type { DType } from '../../src/onnx/core/dtype.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';

export const types = {
  FP32: 'float32',
  FP64: 'float64',
  FP16: 'float16',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  BOOL: 'bool',
  BYTES: 'string',
} as const satisfies Record<string, DType>;

/** A model of one type: `y` is `x`, [n, 2]. */
export const same = (dtype: DType): Uint8Array =>
  toBinary(graph((g) => ({ y: g.identity(g.input('x', dtype, ['n', 2])) })).model);

/** `y = k x`, [n, 2]. */
export const times = (k: number): Uint8Array =>
  toBinary(graph((g) => ({ y: g.mul(g.input('x', 'float32', ['n', 2]), k) })).model);

/** `y` is `x`, [1, 1], so many times over: a small question with a large answer, [1, count]. */
export const wide = (count: number): Uint8Array =>
  toBinary(graph((g) => ({ y: g.expand(g.input('x', 'float32', [1, 1]), [1, count]) })).model);

/** So many products with one matrix of 512 x 512 for each row of `x`, [n, 512]. */
export function slow(products: number): Uint8Array {
  const values = Array.from({ length: 512 * 512 }, (_, i) => ((i * 7919) % 1000) / 5e5 - 0.001);
  const { model } = graph((g) => {
    const w = g.parameter('w', Tensor.from('float32', values, [512, 512]));
    let y = g.input('x', 'float32', ['n', 512]);
    for (let i = 0; i < products; i++) y = g.matMul(y, w);
    return { y };
  });
  return toBinary(model);
}

/** As programs replace a file that others read. */
export function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}
