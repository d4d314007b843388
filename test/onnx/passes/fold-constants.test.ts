// Constant parts are computed; what callers may override and what would make the file larger is not.
import { expect, test } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { foldConstants } from '../../../src/onnx/passes/fold-constants.js';
import { optimise } from '../../../src/onnx/passes/optimise.js';
import { at } from '../ops/gradient-case.js';

test('arithmetic of shapes disappears', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2, 3, 4]);
  const batch = g.gather(g.shape(x), g.ints([0]), { axis: 0 });
  g.output(g.reshape(x, g.concat(batch, g.ints([-1]), { axis: 0 })), 'y');
  expect(optimise(g.graph)).toBe(true);
  verifyModel(g.model());
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2,3,4]) -> (y)
      y: float32[2,12] = Reshape(x, int64{2,-1})"
  `);
});

test('Constant nodes become initializers, constant outputs Constant nodes', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const one = g.node('Constant', [], new Map([['value_floats', { kind: 'floats', value: [1, 2] }]]));
  g.output(g.add(x, at(one)), 'y');
  g.output(g.add(g.scalar(1, 'float32'), g.scalar(2, 'float32')), 'three');
  expect(foldConstants(g.graph)).toBe(true);
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2]) -> (y, three)
      const: float32(1)
      const_1: float32(2)
      y: float32[2] = Add(x, float32{1,2})
      three: float32[] = Constant<value=float32(3)>()"
  `);
  expect(foldConstants(g.graph)).toBe(false);
});

test('inside subgraphs', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const branch = (name: string) => {
    const b = g.subgraph(name);
    b.output(b.mul(x, b.sqrt(b.scalar(4, 'float32'))));
    return b.graph;
  };
  g.output(g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') }), 'y');
  expect(foldConstants(g.graph)).toBe(true);
  verifyModel(g.model());
  expect(g.graph.nodes[0]?.subgraphs.map((s) => s.nodes.map((n) => n.opType))).toEqual([['Mul'], ['Mul']]);
});

test('an initializer that is an input may be fed something else', () => {
  const g = ops();
  const w = g.initializer('w', Tensor.from('float32', [1, 2]));
  g.graph.inputs.push(w);
  g.output(g.neg(g.neg(w)), 'y');
  expect(foldConstants(g.graph)).toBe(false);
});

test('no large result of small constants', () => {
  const expand = (n: number) => {
    const g = ops();
    const x = g.input('x', 'float32', [n]);
    g.output(g.add(x, g.expand(g.scalar(1, 'float32'), g.ints([n]))), 'y');
    return foldConstants(g.graph);
  };
  expect(expand(1024)).toBe(true);
  expect(expand(1025)).toBe(false);
});

test('a large result only where its input goes', () => {
  const transposed = (twice: boolean) => {
    const g = ops();
    const x = g.input('x', 'float32', ['N', 50]);
    const w = g.initializer('w', Tensor.zeros('float32', [60, 50]));
    g.output(g.matMul(x, g.transpose(w)), 'y');
    if (twice) g.output(g.matMul(w, g.transpose(x)), 'z');
    return foldConstants(g.graph);
  };
  expect(transposed(false)).toBe(true);
  expect(transposed(true)).toBe(false);
});

test('an opset older than the rules of an op is left alone', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  g.output(g.add(x, g.add(g.scalar(1, 'float32'), g.scalar(2, 'float32'))), 'y');
  expect(foldConstants(g.graph, { opset: 6 })).toBe(false);
  expect(foldConstants(g.graph, { opset: 7 })).toBe(true);
});

test.each([
  ['int64', [4]],
  ['float32', [4]],
  ['float32', [2, -1]],
  ['float32', [-4]],
] as const)('a Gather of %s by %j is computed unless it reads what is not there', (dtype, rows) => {
  const g = ops();
  const x = g.constant(Tensor.from(dtype, [1, 2, 3, 4, 5, 6], [2, 3]));
  // not known to inference
  const at = g.cast(g.constant(Tensor.from('float32', rows)), { to: 'int64' });
  g.output(g.gather(x, at, { axis: 1 }), 'y');
  foldConstants(g.graph);
  expect(g.graph.nodes.map((node) => node.opType)).toEqual([rows.length > 1 ? 'Constant' : 'Gather']);
});
