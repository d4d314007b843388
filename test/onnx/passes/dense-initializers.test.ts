// Sparse weights: made dense where they are needed, with ONNX Runtime's numbers; refused by name where they cannot be.
import { describe, expect, test } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { type SparseTensor, Value } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { denseInitializers } from '../../../src/onnx/passes/dense-initializers.js';
import { quantize } from '../../../src/onnx/precision/quantize.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runModel, runtime } from '../../support/run.js';

const ints = (values: readonly number[], dims: readonly number[]) => Tensor.from('int64', values, dims);
const floats = (values: readonly number[]) => Tensor.from('float32', values);

/** y = tanh(x) w, w sparse. */
function model(w: SparseTensor): Model {
  const g = ops();
  const v = new Value('w', tensorType('float32', w.dims));
  g.output(g.matMul(g.tanh(g.input('x', 'float32', ['N', 3])), v), 'y');
  g.graph.sparseInitializers.push({ value: v, data: { ...w, valuesLabel: { name: 'w' } } });
  v.type = { kind: 'sparse_tensor', dtype: 'float32', shape: w.dims };
  return g.model();
}

const x = Tensor.from('float32', [1, -2, 3, 0.5, 0.25, -1], [2, 3]);

describe.each<[string, Tensor]>([
  ['by place', ints([1, 2, 5], [3])],
  ['by coordinates', ints([0, 1, 1, 0, 2, 1], [3, 2])],
])('indices %s', (_, indices) => {
  const given = () => fromBinary(toBinary(model({ values: floats([2, -3, 4]), indices, dims: [3, 2] })));
  test("ONNX Runtime's numbers", async () => {
    const session = await runtime.createSession(toBinary(given()), { threads: 1 });
    const { y } = await session.run({ x });
    await session.release();
    const dense = given();
    expect(denseInitializers(dense)).toBe(true);
    expect(dense.graph.initializers[0]?.constant?.numbers()).toEqual([0, 2, -3, 0, 0, 4]);
    expect((await runModel(dense, { x })).y?.numbers()).toEqual(y?.numbers());
    const made = await runModel(grad(given(), { of: 'y', by: ['w', 'x'] }), {
      x,
      'seed/y': Tensor.from('float32', [1, 2, 3, 4], [2, 2]),
    });
    expect(made['grad/w']?.dims).toEqual([3, 2]);
    expect(made.y?.numbers()).toEqual(y?.numbers());
    const { model: int8 } = await quantize(undefined, given(), { precision: 'int8-dynamic' });
    expect(int8.graph.nodes.map((n) => n.opType)).toContain('MatMulInteger');
  });
});

describe('a sparse initializer of a branch', () => {
  /** y = w x in one branch, w in it and sparse, -x in the other. */
  const branched = (values: number[], places: number[]): Model => {
    const g = ops();
    const v = g.input('x', 'float32', ['N', 3]);
    const [one, other] = [g.subgraph('one'), g.subgraph('other')];
    const w = new Value('w', tensorType('float32', [3]));
    one.output(one.mul(v, w));
    w.type = { kind: 'sparse_tensor', dtype: 'float32', shape: [3] };
    const data = { values: floats(values), indices: ints(places, [places.length]), dims: [3], valuesLabel: { name: 'w' } };
    one.graph.sparseInitializers.push({ value: w, data });
    other.output(other.neg(v));
    const [y] = g.op('If', [g.greater(g.reduceSum(v, g.ints([0, 1]), { keepdims: 0 }), 0)], {
      then_branch: one.graph,
      else_branch: other.graph,
    });
    g.output(y as Value, 'y');
    return fromBinary(toBinary(g.model()));
  };

  test.each([
    ['', [2, -3], [0, 2], [2, -0, -9, 1, 0, 3]],
    [' without any number', [], [], [0, -0, 0, 0, 0, -0]],
  ] as const)('is made dense%s', async (_, values, places, want) => {
    const dense = branched([...values], [...places]);
    expect(denseInitializers(dense)).toBe(true);
    expect((await runModel(dense, { x })).y?.numbers()).toEqual(want);
    const made = await runModel(grad(branched([...values], [...places]), { of: 'y', by: ['x'] }), {
      x,
      'seed/y': Tensor.from('float32', [1, 1, 1, 1, 1, 1], [2, 3]),
    });
    const w = [0, 1, 2].map((i) => values[places.indexOf(i as never)] ?? 0);
    expect(made['grad/x']?.numbers()).toEqual([...w, ...w]);
  });
});

test.each<[string, SparseTensor, string]>([
  [
    'too large',
    { values: floats([1]), indices: ints([0], [1]), dims: [3, 2 ** 38] },
    'take 3298534883328 bytes dense, expected at most 1073741824',
  ],
  ['outside', { values: floats([1]), indices: ints([6], [1]), dims: [3, 2] }, 'index 0 lies outside of [3,2]'],
  ['outside of an axis', { values: floats([1]), indices: ints([0, 2], [1, 2]), dims: [3, 2] }, 'index 0 lies outside of [3,2]'],
  ['below zero', { values: floats([1]), indices: ints([-1], [1]), dims: [3, 2] }, 'index 0 lies outside of [3,2]'],
  ['twice', { values: floats([1, 2]), indices: ints([1, 1], [2]), dims: [3, 2] }, 'index 1 names a place again'],
  [
    'too few',
    { values: floats([1, 2]), indices: ints([1], [1]), dims: [3, 2] },
    'its indices are int64[1], expected int64[2] or int64[2,2]',
  ],
])('%s is refused by name', (_, w, message) => {
  expect(() => denseInitializers(model(w))).toThrow(/^sparse initializer "w": /);
  expect(() => grad(model(w), { of: 'y', by: ['x'] })).toThrow(message);
});
