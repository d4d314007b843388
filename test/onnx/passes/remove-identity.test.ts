// Nodes that change nothing go; names of outputs and everything that only looks like an identity stay.
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { removeIdentity } from '../../../src/onnx/passes/remove-identity.js';
import { removeUnused } from '../../../src/onnx/passes/remove-unused.js';

/** The ops left of `body`, which stands between a Neg and an Exp. */
function left(body: (g: Ops, x: Value) => Value, shape: readonly (number | string | null)[] | 'unknown' = [2, 3]): string {
  const g = ops();
  const x = g.neg(g.input('x', 'float32', shape === 'unknown' ? undefined : shape));
  g.output(g.exp(body(g, x)), 'y');
  removeIdentity(g.graph);
  verifyModel(g.model());
  removeUnused(g.graph);
  verifyModel(g.model());
  return g.graph.nodes.map((n) => n.opType).join(' ');
}

describe('goes', () => {
  const cases: [string, (g: Ops, x: Value) => Value, (readonly (number | string | null)[])?][] = [
    ['Identity', (g, x) => g.identity(x)],
    ['Cast to the same dtype', (g, x) => g.cast(x, { to: 'float32' })],
    ['CastLike', (g, x) => g.castLike(x, g.scalar(1, 'float32'))],
    ['Reshape to the same shape', (g, x) => g.reshape(x, g.ints([2, -1]))],
    ['Reshape with one open dimension', (g, x) => g.reshape(x, g.ints([-1, 3])), ['N', 3]],
    ['Flatten of a matrix', (g, x) => g.flatten(x), ['N', 3]],
    ['Transpose that keeps the order', (g, x) => g.transpose(x, { perm: [0, 1] })],
    ['Transpose of a vector', (g, x) => g.transpose(x), ['N']],
    ['Transpose twice', (g, x) => g.transpose(g.transpose(x))],
    ['Transpose three times round', (g, x) => [1, 2, 3].reduce((v) => g.transpose(v, { perm: [1, 2, 0] }), x), ['N', 'M', null]],
    ['Expand and Tile to the same shape', (g, x) => g.tile(g.expand(x, g.ints([1, 3])), g.ints([1, 1]))],
    ['Dropout that infers', (g, x) => g.dropout(x, null, g.constant(new Tensor('bool', [], Uint8Array.of(0))))],
    ['ops of one operand', (g, x) => g.concat(g.sum(g.mean(g.max(g.min(x)))), { axis: 0 })],
  ];
  test.each(cases)('%s', (_, body, shape) => {
    expect(left(body, shape)).toBe('Neg Exp');
  });
});

describe('stays', () => {
  const cases: [string, (g: Ops, x: Value) => Value, string, (readonly (number | string | null)[] | 'unknown')?][] = [
    ['Cast to another dtype', (g, x) => g.cast(x, { to: 'float64' }), 'Cast'],
    ['Reshape to another shape', (g, x) => g.reshape(x, g.ints([3, 2])), 'Reshape'],
    ['Reshape with two open dimensions', (g, x) => g.reshape(x, g.ints([-1, 0])), 'Reshape', ['N', 'M']],
    ['Reshape beside a 0', (g, x) => g.reshape(x, g.shape(g.input('s', 'float32', ['M', 0]))), 'Shape Reshape', ['N', 0]],
    ['Flatten of a vector', (g, x) => g.flatten(x), 'Flatten', ['N']],
    ['Transpose', (g, x) => g.transpose(x), 'Transpose'],
    ['Transpose of a rank that nobody knows', (g, x) => g.transpose(x), 'Transpose', 'unknown'],
    ['Expand by a symbol', (g, x) => g.expand(x, g.shape(g.input('s', 'float32', ['M', 3]))), 'Shape Expand', ['N', 3]],
    ['Slice backwards', (g, x) => g.slice(x, g.ints([-1]), g.ints([-9]), g.ints([0]), g.ints([-1])), 'Slice'],
    ['Dropout that drops', (g, x) => g.dropout(x, null, g.input('training', 'bool', [])), 'Dropout'],
  ];
  test.each(cases)('%s', (_, body, op, shape) => {
    expect(left(body, shape)).toBe(`Neg ${op} Exp`);
  });
  test('Dropout whose mask is read', () => {
    const g = ops();
    for (const v of g.op('Dropout', [g.input('x', 'float32', [2])], {}, 2)) g.output(v);
    expect(removeIdentity(g.graph)).toBe(false);
  });
  test('an op of the same name in another domain', () => {
    const g = ops();
    const x = g.input('x', 'float32', [2]);
    const [v] = ops({ graph: g.graph, names: g.names }).node('Identity', [x]);
    if (v?.producer !== undefined) v.producer.domain = 'my.domain';
    if (v !== undefined) g.output(g.neg(v), 'y');
    expect(removeIdentity(g.graph)).toBe(false);
  });
});

test('two transposes become one', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 3, 4, 5]);
  g.output(g.transpose(g.transpose(x, { perm: [0, 2, 3, 1] }), { perm: [1, 0, 3, 2] }), 'y');
  expect(removeIdentity(g.graph)).toBe(true);
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,5]) -> (y)
      %1: float32[N,4,5,3] = Transpose<perm=[0,2,3,1]>(x)
      y: float32[4,N,3,5] = Transpose<perm=[2,0,1,3]>(x)"
  `);
});

test('the output keeps its name where the value can take it', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const h = g.neg(x);
  g.output(g.exp(h), 'e');
  g.output(g.identity(h), 'y');
  g.output(g.identity(h), 'z');
  g.output(g.identity(x), 'same');
  g.output(g.identity(g.scalar(1, 'float32')), 'one');
  expect(removeIdentity(g.graph)).toBe(true);
  verifyModel(g.model());
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2]) -> (e, y, z, same, one)
      y: float32[2] = Neg(x)
      e: float32[2] = Exp(y)
      z: float32[2] = Identity(y)
      same: float32[2] = Identity(x)
      one: float32[] = Identity(float32(1))"
  `);
});

test('a branch returns no outer value, and the output gets no name that a branch has', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const h = g.neg(x);
  const branch = (name: string) => {
    const b = g.subgraph(name);
    b.output(b.identity(b.identity(h)));
    return b.graph;
  };
  const node = g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') });
  const inner = node.producer?.subgraphs[0]?.outputs[0] as Value;
  inner.name = 'late';
  g.output(node, 'y');
  const out = g.output(g.identity(h));
  out.name = 'late';
  verifyModel(g.model());
  expect(removeIdentity(g.graph)).toBe(true);
  verifyModel(g.model());
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2], c: bool[]) -> (y, late)
      %1: float32[2] = Neg(x)
      y: float32[2] = If(c)
        then_branch: graph then () -> (%2)
          %2: float32[2] = Identity(%1)
        else_branch: graph else () -> (%3)
          %3: float32[2] = Identity(%1)
      late: float32[2] = Identity(%1)"
  `);
});
