// Sums over the rows of a minibatch, or over all steps of its sequences, which the gradients of biases are, as products with a row of ones: ONNX Runtime's
// ReduceSum over rows is slower. For the training step alone: elsewhere the plain op says more.
import { float32 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import { constantOf } from '../../onnx/ops/op-def.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/**
 * For minibatches whose rows stand in `order`, int64 [S, B]: gives 1^T X where a value of the step's graph is the sum over the rows of
 * X [B, n], or over rows and steps of X [B, steps, n], any other value as it is.
 */
export function sumsByProduct(g: Ops, order: Value): (body: Ops, sum: Value) => Value {
  const one = g.constant(float32(1, [1, 1]));
  const batch = g.shape(order, { start: 1, end: 2 });
  /** Rows of ones by how many there are for each row of the minibatch. */
  const made = new Map([[1, g.expand(one, g.concat([1], batch, { axis: 0 }))]]);
  const ones = (times: number): Value => {
    const row = made.get(times) ?? g.expand(one, g.concat([1], g.mul(batch, times), { axis: 0 }));
    made.set(times, row);
    return row;
  };
  return (body, sum) => {
    const node = sum.producer;
    const [x, axes] = node?.inputs ?? [];
    if (node?.opType !== 'ReduceSum' || node.int('keepdims', 1) !== 0 || !x?.shape || !axes) return sum;
    const over = constantOf(axes)?.numbers().join();
    const [rows, steps, n] = x.shape;
    if (rows !== order.shape?.[1]) return sum;
    if (x.shape.length === 2 && over === '0') return body.reshape(body.matMul(ones(1), x), [-1]);
    if (x.shape.length !== 3 || over !== '0,1' || typeof steps !== 'number' || typeof n !== 'number') return sum;
    return body.reshape(body.matMul(ones(steps), body.reshape(x, [-1, n])), [-1]);
  };
}
