// Equal work is done once; what only looks equal is not.
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { commonSubexpressions } from '../../../src/onnx/passes/common-subexpressions.js';
import { at } from '../ops/gradient-case.js';

/** How many of two nodes are left. */
function joins(a: (g: Ops, x: Value) => Value, b: (g: Ops, x: Value) => Value = a): boolean {
  const g = ops();
  const x = g.input('x', 'float32', [2, 2]);
  g.output(g.concat(a(g, x), b(g, x), { axis: 0 }), 'y');
  const before = g.graph.nodes.length;
  const changed = commonSubexpressions(g.graph);
  verifyModel(g.model());
  expect(changed).toBe(g.graph.nodes.length < before);
  return changed;
}

const constant = (g: Ops, t: Tensor) => g.node('Constant', [], new Map([['value', { kind: 'tensor', value: t }]]))[0] as Value;

describe('joined', () => {
  const big = () =>
    Tensor.from(
      'float32',
      Array.from({ length: 400 }, (_, i) => i),
    );
  test.each<[string, (g: Ops, x: Value) => Value, ((g: Ops, x: Value) => Value)?]>([
    ['the same op', (g, x) => g.neg(x)],
    ['chains', (g, x) => g.exp(g.neg(g.relu(x)))],
    ['equal attributes', (g, x) => g.transpose(x, { perm: [1, 0] })],
    ['equal Constant nodes', (g) => constant(g, big())],
    ['Constant nodes of strings', (g) => constant(g, new Tensor('string', [1, 1], ['a']))],
  ])('%s', (_, a, b) => {
    expect(joins(a, b)).toBe(true);
  });
});

describe('not joined', () => {
  const scalar = (g: Ops, v: number) => constant(g, Tensor.from('float32', [v], [1, 1]));
  test.each<[string, (g: Ops, x: Value) => Value, ((g: Ops, x: Value) => Value)?]>([
    ['random ops', (g, x) => g.randomNormalLike(x)],
    ['random ops with a seed', (g, x) => g.randomUniformLike(x, { seed: 1 })],
    ['other attributes', (g, x) => g.leakyRelu(x, { alpha: 0 }), (g, x) => g.leakyRelu(x, { alpha: -0 })],
    ['an attribute less', (g, x) => g.leakyRelu(x), (g, x) => g.leakyRelu(x, { alpha: 0.5 })],
    ['swapped inputs', (g, x) => g.sub(x, scalar(g, 1)), (g, x) => g.sub(scalar(g, 2), x)],
    ['0 and -0', (g) => scalar(g, 0), (g) => scalar(g, -0)],
    ['other dims', (g) => constant(g, Tensor.zeros('float32', [1, 2])), (g) => constant(g, Tensor.zeros('float32', [2, 2]))],
    [
      'data that differ in one place',
      (g) => constant(g, Tensor.zeros('float32', [1000, 2])),
      (g) => {
        const t = Tensor.zeros('float32', [1000, 2]);
        (t.data as Float32Array)[777] = 1;
        return constant(g, t);
      },
    ],
  ])('%s', (_, a, b) => {
    expect(joins(a, b)).toBe(false);
  });

  test('ops of a domain that is not known to be pure', () => {
    const g = ops();
    const x = g.input('x', 'float32', [2]);
    for (const v of [g.neg(x), g.neg(x)]) {
      if (v.producer !== undefined) v.producer.domain = 'my.domain';
      g.output(g.exp(v));
    }
    expect(commonSubexpressions(g.graph)).toBe(false);
  });
});

test('integer constants are shared, parameters keep their names', () => {
  const g = ops();
  const x = g.input('x', 'float32', [4]);
  const axes = ['a', 'b'].map((name) => g.initializer(name, Tensor.from('int64', [0])));
  const biases = ['p', 'q'].map((name) => g.initializer(name, Tensor.from('float32', [0, 0, 0, 0])));
  const sums = axes.map((a, i) => g.reduceSum(g.add(x, at(biases, i)), a));
  g.output(g.add(at(sums), at(sums, 1)), 'y');
  expect(commonSubexpressions(g.graph)).toBe(true);
  expect(g.graph.initializers.map((v) => v.name)).toEqual(['a', 'p', 'q']);
});

test('a repeated output becomes an Identity; branches find what was computed around them', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  g.output(g.exp(x), 'a');
  g.output(g.exp(x), 'b');
  const branch = (name: string) => {
    const s = g.subgraph(name);
    s.output(s.neg(s.exp(x)));
    return s.graph;
  };
  g.output(g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') }), 'y');
  expect(commonSubexpressions(g.graph)).toBe(true);
  verifyModel(g.model());
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2], c: bool[]) -> (a, b, y)
      a: float32[2] = Exp(x)
      b: float32[2] = Identity(a)
      y: float32[2] = If(c)
        then_branch: graph then () -> (%1)
          %1: float32[2] = Neg(a)
        else_branch: graph else () -> (%2)
          %2: float32[2] = Neg(a)"
  `);
});

test('what a branch computed is not visible outside', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const branch = (name: string) => {
    const s = g.subgraph(name);
    s.output(s.exp(x));
    return s.graph;
  };
  g.output(g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') }), 'y');
  g.output(g.exp(x), 'z');
  expect(commonSubexpressions(g.graph)).toBe(false);
});
