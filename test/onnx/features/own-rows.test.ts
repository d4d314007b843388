// Which values have a row for each sample that is that sample's alone: each op that keeps rows, and forms in which the same ops mix them.
import { expect, it } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { int64, Tensor } from '../../../src/onnx/core/tensor.js';
import { ownRows } from '../../../src/onnx/features/own-rows.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';

let weights = 0;
const weight = (g: Ops, ...dims: number[]) => g.initializer(`w${weights++}`, Tensor.zeros('float32', dims));

function isOwn(shape: (number | string)[], build: (g: Ops, x: Value) => Value): boolean {
  const g = ops({ opset: 20 });
  const x = g.input('x', 'float32', shape);
  const y = build(g, x);
  g.output(y, 'y');
  inferShapes(g.graph, { opset: 20 });
  return ownRows(g.graph, [x]).has(y);
}

const image = ['N', 3, 8, 8];
const kept: Readonly<Record<string, readonly [(number | string)[], (g: Ops, x: Value) => Value]>> = {
  'a convolution and a pool': [
    image,
    (g, x) => g.maxPool(g.relu(g.conv(x, weight(g, 4, 3, 3, 3), weight(g, 4))), { kernel_shape: [2, 2] }),
  ],
  'a residual': [image, (g, x) => g.add(x, g.conv(x, weight(g, 3, 3, 1, 1)))],
  'a gate of channels': [image, (g, x) => g.mul(x, g.sigmoid(g.globalAveragePool(x)))],
  'channels side by side': [image, (g, x) => g.concat(x, g.relu(x), { axis: 1 })],
  'a classifier': [image, (g, x) => g.gemm(g.flatten(x), weight(g, 192, 5), weight(g, 5))],
  'a product of each step, and a bias of one row': [
    ['N', 4, 6],
    (g, x) => g.add(g.matMul(x, weight(g, 6, 5)), weight(g, 1, 4, 5)),
  ],
  'a mean over positions': [image, (g, x) => g.reduceMean(x, [2, 3], { keepdims: 0 })],
  'another shape of each row': [image, (g, x) => g.reshape(x, g.ints([0, 3, 64]))],
};
for (const [what, [shape, build]] of Object.entries(kept)) it(`${what} keeps rows`, () => expect(isOwn(shape, build)).toBe(true));

const mixed: Readonly<Record<string, readonly [(number | string)[], (g: Ops, x: Value) => Value]>> = {
  'a mean over the batch': [['N', 4], (g, x) => g.sub(x, g.reduceMean(x, [0], { keepdims: 1 }))],
  'a softmax over the batch': [['N', 4], (g, x) => g.softmax(x, { axis: 0 })],
  'rows by number': [['N', 4], (g, x) => g.add(x, g.gather(x, g.constant(int64([0])), { axis: 0 }))],
  'rows of another number': [['N', 4], (g, x) => g.reshape(x, g.ints([-1, 2]))],
  'a sorted batch': [['N', 4], (g, x) => must(g.op('TopK', [x, g.shape(x, { start: 0, end: 1 })], { axis: 0 }, 2)[0], 'y')],
  'a product with itself': [['N', 4], (g, x) => g.matMul(g.matMul(x, g.transpose(x)), x)],
  'a batch turned round': [['N', 4], (g, x) => g.slice(x, g.ints([-1]), g.ints([-100]), g.ints([0]), g.ints([-1]))],
  'quantised by the extrema of the batch': [
    ['N', 4],
    (g, x) => {
      const [q, scale, zero] = g.op('DynamicQuantizeLinear', [x], {}, 3);
      return g.op('DequantizeLinear', [q ?? x, scale ?? x, zero ?? x], {}, 1)[0] ?? x;
    },
  ],
  'of two open sizes': [['N', 'T', 4], (g, x) => g.relu(x)],
  'of a batch that is fixed': [[2, 4], (g, x) => g.relu(x)],
};
for (const [what, [shape, build]] of Object.entries(mixed))
  it(`${what} is for a run to tell`, () => expect(isOwn(shape, build)).toBe(false));
