// The passes that gradients need most: shapes changed twice, parts of what was joined, and an Expand before an op that broadcasts. That they
// keep every bit is in semantics.test.ts; here, what goes and what has to stay.
import { describe, expect, test } from 'vitest';
import type { Shape } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { nameDimensions } from '../../../src/onnx/passes/name-dimensions.js';
import { noParameters, optimise } from '../../../src/onnx/passes/optimise.js';

/** The ops left of `body` over x and y, its outputs negated. */
function left(body: (g: Ops, x: Value, y: Value) => Value[], shapes: readonly [Shape, Shape]): string {
  const g = ops();
  const [x, y] = [g.input('x', 'float32', shapes[0]), g.input('y', 'float32', shapes[1])];
  body(g, x, y).forEach((v, i) => {
    g.output(g.neg(v), `out${i}`);
  });
  optimise(g.graph, { opset: g.opset, ...noParameters });
  verifyModel(g.model());
  return g.graph.nodes.map((n) => n.opType).join(' ');
}

type Row = readonly [string, (g: Ops, x: Value, y: Value) => Value[], readonly [Shape, Shape], string];
const square: readonly [Shape, Shape] = [
  [2, 3],
  [2, 3],
];
const split = (g: Ops, v: Value, sizes: readonly number[], axis = 0) => g.op('Split', [v, g.ints(sizes)], { axis }, sizes.length);
const one = (g: Ops, v: Value) => g.unsqueeze(v, g.ints([0]));

describe('shapes', () => {
  const rows: Row[] = [
    ['back to where it was', (g, x) => [g.reshape(g.reshape(x, g.ints([6])), g.ints([2, 3]))], square, 'Neg'],
    [
      'to a third',
      (g, x) => [g.squeeze(g.unsqueeze(g.reshape(x, g.ints([6])), g.ints([1])), g.ints([1]))],
      square,
      'Reshape Neg',
    ],
    ['a permutation of ones', (g, x) => [g.transpose(x, { perm: [2, 0, 1] })], [[2, 1, 3], [1]], 'Transpose Neg'],
    ['a permutation of nothing but ones', (g, x) => [g.transpose(x, { perm: [1, 0, 2] })], [[2, 1, 3], [1]], 'Reshape Neg'],
    [
      'a 0 that copies, from a Constant node of a list',
      (g, x) => {
        const zeros = g.node('Constant', [], new Map([['value_ints', { kind: 'ints', value: [0n, -1n] }]]))[0] as Value;
        return [g.reshape(g.reshape(x, g.ints([3, 4])), zeros)];
      },
      [[2, 6], [1]],
      'Reshape Neg',
    ],
    ['one open dimension', (g, x) => [g.reshape(g.reshape(x, g.ints([-1])), g.ints([-1, 3]))], [['N', 3], [1]], 'Neg'],
    [
      'two open dimensions stay',
      (g, x) => [g.reshape(g.flatten(x), g.shape(x))],
      [['N', 'M', 3], [1]],
      'Flatten Shape Reshape Neg',
    ],
  ];
  test.each(rows)('%s', (_, body, shapes, expected) => expect(left(body, shapes)).toBe(expected));
});

describe('parts', () => {
  const rows: Row[] = [
    ['Split into the operands', (g, x, y) => split(g, g.concat(x, y, { axis: 0 }), [2, 2]), square, 'Neg Neg'],
    ['Split elsewhere', (g, x, y) => split(g, g.concat(x, y, { axis: 0 }), [1, 3]), square, 'Concat Split Neg Neg'],
    ['Split along another axis', (g, x, y) => split(g, g.concat(x, y, { axis: 0 }), [1, 2], 1), square, 'Concat Split Neg Neg'],
    [
      'Gather of what was stacked',
      (g, x, y) => [g.gather(g.concat(one(g, x), one(g, y), { axis: 0 }), g.scalar(-1, 'int64'))],
      square,
      'Neg',
    ],
    ['Slice', (g, x, y) => [g.slice(g.concat(x, y, { axis: 1 }), g.ints([3]), g.ints([99]), g.ints([1]))], square, 'Neg'],
    [
      'Slice across the border',
      (g, x, y) => [g.slice(g.concat(x, y, { axis: 1 }), g.ints([2]), g.ints([5]), g.ints([1]))],
      square,
      'Concat Slice Neg',
    ],
    [
      'Slice backwards',
      (g, x, y) => [g.slice(g.concat(x, y, { axis: 1 }), g.ints([5]), g.ints([2]), g.ints([1]), g.ints([-1]))],
      square,
      'Concat Slice Neg',
    ],
  ];
  test.each(rows)('%s', (_, body, shapes, expected) => expect(left(body, shapes)).toBe(expected));
});

describe('Expand', () => {
  const rows: Row[] = [
    [
      'whose reader broadcasts',
      (g, x, y) => [g.mul(g.expand(x, g.ints([2, 3])), y)],
      [
        [2, 1],
        [2, 3],
      ],
      'Mul Neg',
    ],
    ['of a symbol', (g, x, y) => [g.mul(g.expand(x, g.shape(y)), y)], [[1], ['N', 3]], 'Mul Neg'],
    [
      'that makes the shape',
      (g, x, y) => [g.mul(g.expand(x, g.ints([2, 3])), y)],
      [
        [2, 1],
        [1, 3],
      ],
      'Mul Neg',
    ],
    [
      'that alone makes it',
      (g, x, y) => [g.mul(g.expand(x, g.ints([2, 3])), y)],
      [
        [1, 1],
        [1, 3],
      ],
      'Expand Mul Neg',
    ],
    ['that is an output stays, behind the scalar work', (g, x) => [g.expand(x, g.ints([2, 3]))], [[1], [1]], 'Neg Expand'],
  ];
  test.each(rows)('%s', (_, body, shapes, expected) => expect(left(body, shapes)).toBe(expected));
});

test('unknown dimensions are named, carried on and forgotten', () => {
  const g = ops();
  const y = g.relu(g.input('x', 'float32', [null, 'N', 3]));
  const z = g.concat(y, y, { axis: 0 });
  inferShapes(g.graph);
  const forget = nameDimensions(g.graph);
  expect(y.shape?.[0]).toBe(y.producer?.inputs[0]?.shape?.[0]);
  expect(y.shape?.[0]).toEqual(expect.any(String));
  expect(z.shape?.[0]).not.toBe(y.shape?.[0]);
  forget();
  expect([y.shape, z.shape]).toEqual([
    [null, 'N', 3],
    [null, 'N', 3],
  ]);
});

describe('arithmetic', () => {
  const c = (g: Ops, v: number) => g.scalar(v, 'float32');
  const rows: Row[] = [
    ['times 1', (g, x) => [g.mul(c(g, 1), g.div(x, c(g, 1)))], square, 'Neg'],
    ['times 1 of a larger shape', (g, x) => [g.mul(g.expand(c(g, 1), g.ints([2, 2, 3])), x)], square, 'Mul Neg'],
    ['minus 0', (g, x) => [g.sub(x, c(g, 0))], square, 'Neg'],
    ['plus 0, which makes 0 of -0', (g, x) => [g.add(x, c(g, 0))], square, 'Add Neg'],
    ['minus -0', (g, x) => [g.sub(x, c(g, -0))], square, 'Sub Neg'],
    ['plus the negative', (g, x, y) => [g.exp(g.add(g.neg(x), y))], square, 'Sub Exp Neg'],
    ['minus the negative', (g, x, y) => [g.exp(g.sub(x, g.neg(y)))], square, 'Add Exp Neg'],
    ['the negative of the negative', (g, x) => [g.exp(g.neg(g.neg(x)))], square, 'Exp Neg'],
    [
      'a sum of negatives, whose zeros have a sign',
      (g, x, y) => [g.exp(g.add(y, g.reduceSum(g.neg(x))))],
      square,
      'Neg ReduceSum Add Exp Neg',
    ],
    [
      'a scalar before an Expand',
      (g, x, y) => [g.mul(g.mul(g.expand(g.reduceMax(x), g.shape(x)), c(g, 3)), y)],
      [
        ['N', 3],
        ['N', 3],
      ],
      'ReduceMax Mul Mul Neg',
    ],
  ];
  test.each(rows)('%s', (_, body, shapes, expected) => expect(left(body, shapes)).toBe(expected));
});

test('a parameter that happens to be 1 stays', () => {
  const g = ops();
  const x = g.input('x', 'float32', [3]);
  const alpha = g.initializer('alpha', Tensor.from('float32', 1));
  g.output(g.mul(x, alpha), 'y');
  optimise(g.graph);
  expect(g.graph.nodes.map((n) => n.opType)).toEqual(['Mul']);
  optimise(g.graph, { opset: g.opset, parameters: new Set([alpha]) });
  expect(g.graph.nodes.map((n) => n.opType)).toEqual(['Mul']);
});
