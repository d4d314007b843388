// What nobody reads goes, in subgraphs too; what a file may not lose stays.
import { expect, test } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { removeUnused } from '../../../src/onnx/passes/remove-unused.js';

test('dead nodes and initializers go, inputs stay', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  g.input('unread', 'float32', [2]);
  g.relu(g.add(x, g.initializer('dead', Tensor.zeros('float32', [2]))));
  g.output(g.neg(x), 'y');
  expect(removeUnused(g.graph)).toBe(true);
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2], unread: float32[2]) -> (y)
      y: float32[2] = Neg(x)"
  `);
  expect(removeUnused(g.graph)).toBe(false);
});

test('subgraphs are swept, and keep alive what they read', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const h = g.neg(x);
  const onlyDead = g.exp(x);
  const branch = (name: string) => {
    const b = g.subgraph(name);
    b.log(onlyDead);
    b.output(b.add(h, b.initializer(`${name}/b`, Tensor.from('float32', 1))));
    b.initializer(`${name}/dead`, Tensor.from('float32', 1));
    return b.graph;
  };
  g.output(g.if(g.input('c', 'bool', []), { then_branch: branch('then'), else_branch: branch('else') }), 'y');
  expect(removeUnused(g.graph)).toBe(true);
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[2], c: bool[]) -> (y)
      %1: float32[2] = Neg(x)
      y: float32[2] = If(c)
        then_branch: graph then () -> (%2)
          %2: float32[2] = Add(%1, float32(1))
        else_branch: graph else () -> (%3)
          %3: float32[2] = Add(%1, float32(1))"
  `);
});

test('optional outputs go from the end only', () => {
  const g = ops();
  const x = g.input('x', 'float32', [1, 1, 4, 4]);
  const scale = g.input('scale', 'float32', [4]);
  const [pooled, indices] = g.op('MaxPool', [x], { kernel_shape: [2, 2] }, 2);
  const [normal, , deviation] = g.op('LayerNormalization', [x, scale], {}, 3);
  for (const v of [pooled, normal, deviation]) if (v !== undefined) g.output(v);
  expect(removeUnused(g.graph)).toBe(true);
  expect(g.graph.nodes.map((n) => n.outputs.length)).toEqual([1, 3]);
  expect(indices?.name).toBe('MaxPool/out1');
});

test('variadic outputs and those of BatchNormalization in training mode stay', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2, 4]);
  const one = g.input('one', 'float32', [4]);
  const [first] = g.op('Split', [x], { axis: 1 }, 2);
  const [normal] = g.op('BatchNormalization', [x, one, one, one, one], { training_mode: 1 }, 3);
  for (const v of [first, normal]) if (v !== undefined) g.output(v);
  expect(removeUnused(g.graph)).toBe(false);
});

test('an initializer that is an input, or that a quantization annotation names, stays; restatements of what went go', () => {
  const graph = new Graph('g');
  const [both, scale, dead] = ['both', 'scale', 'dead'].map((name) => {
    const v = new Value(name, tensorType('float32', []));
    v.constant = Tensor.from('float32', 1);
    return v;
  }) as [Value, Value, Value];
  const y = new Value('y', tensorType('float32', []));
  graph.inputs = [both];
  graph.initializers = [both, scale, dead];
  graph.nodes = [new Node('RandomNormal', [], [y])];
  graph.outputs = [y];
  graph.quantization = [{ value: 'y', parameters: new Map([['SCALE_TENSOR', 'scale']]) }];
  graph.restated = [{ place: 'value_info', value: dead, type: dead.type, doc: '', metadata: new Map() }];
  expect(removeUnused(graph)).toBe(true);
  expect(graph.initializers).toEqual([both, scale]);
  expect(graph.restated).toEqual([]);
});
