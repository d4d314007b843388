// What is computed of constants at build time stays small: beyond, the node stays.
import { expect, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { foldElements } from '../../../src/onnx/ops/rules/fold.js';
import { assemble, pick } from '../../../src/onnx/ops/rules/pick.js';

const sum = (x: readonly (number | bigint)[]) => x.map(Number).reduce((a, b) => a + b, 0);

it('elementwise: up to 2^20 elements, more only where an operand has as many', () => {
  const column = (n: number) => Tensor.zeros('float32', [n, 1]);
  const row = (n: number) => Tensor.zeros('float32', [1, n]);
  expect(foldElements([column(1024), row(1024)], 'float32', sum)?.[0]?.size).toBe(2 ** 20);
  expect(foldElements([column(1025), row(1024)], 'float32', sum)).toBeUndefined();
  const large = Tensor.zeros('float32', [2 ** 20 + 1]);
  expect(foldElements([large, Tensor.from('float32', 1)], 'float32', sum)?.[0]?.size).toBe(2 ** 20 + 1);
});

it('picked elements: up to 2^16, of a shape that is one', () => {
  const one = Tensor.from('float32', [7]);
  expect(pick(one, [2 ** 16], () => 0)?.[0]?.size).toBe(2 ** 16);
  expect(pick(one, [2 ** 16 + 1], () => 0)).toBeUndefined();
  for (const dims of [[-2], [0.5], [1e200, 1e200]]) expect(assemble(one, dims, () => 0)).toBeUndefined();
});
