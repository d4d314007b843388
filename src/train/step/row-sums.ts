// Sums over the rows of a minibatch, which the gradients of biases are, as products with a row of ones: ONNX Runtime's ReduceSum over rows
// is slower by far. For the training step alone: elsewhere the plain op says more.
import { float32 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import { constantOf } from '../../onnx/ops/op-def.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/**
 * For minibatches whose rows stand in `order`, int64 [S, B]: gives 1^T X where a value of the step's graph is the sum over the rows of
 * X [B, n], any other value as it is.
 */
export function sumsByProduct(g: Ops, order: Value): (body: Ops, sum: Value) => Value {
  const ones = g.expand(g.constant(float32(1, [1, 1])), g.concat([1], g.shape(order, { start: 1, end: 2 }), { axis: 0 }));
  return (body, sum) => {
    const node = sum.producer;
    const [x, axes] = node?.inputs ?? [];
    if (node?.opType !== 'ReduceSum' || node.int('keepdims', 1) !== 0 || !x || !axes) return sum;
    const ofBatch = x.shape?.length === 2 && x.shape[0] === order.shape?.[1];
    const overRows = ofBatch && constantOf(axes)?.numbers().join() === '0';
    return overRows ? body.reshape(body.matMul(ones, x), [-1]) : sum;
  };
}
