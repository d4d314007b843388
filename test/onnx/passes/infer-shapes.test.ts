// Types that a file does not state are found, and stated ones are kept where they say more.
import { expect, test } from 'vitest';
import { ShapeError } from '../../../src/onnx/core/errors.js';
import { Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { formatType, tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';

test('fills in what is missing, through ops that it does not know', () => {
  const graph = new Graph();
  const x = new Value('x', tensorType('float32', ['N', 3]));
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Value(name)) as [Value, Value, Value];
  graph.inputs = [x];
  graph.nodes = [
    new Node('Relu', [x], [a]),
    new Node('Thing', [a], [b], new Map(), '', 'my.domain'),
    new Node('Neg', [a], [c], new Map(), '', 'ai.onnx'),
  ];
  graph.outputs = [b, c];
  expect(inferShapes(graph)).toBe(true);
  expect([a, b, c].map((v) => formatType(v.type))).toEqual(['float32[N,3]', '?', 'float32[N,3]']);
  expect(inferShapes(graph)).toBe(false);
});

test('keeps what a file says beyond inference, replaces what cannot be, refuses another dtype', () => {
  const g = ops();
  const y = g.output(g.relu(g.input('x', 'float32', [null, 3])), 'y');
  y.type = tensorType('float32', ['N', null]);
  expect(inferShapes(g.graph)).toBe(true);
  expect(formatType(y.type)).toBe('float32[N,3]');
  y.type = tensorType('float32', [2, 4]);
  expect(inferShapes(g.graph)).toBe(true);
  expect(formatType(y.type)).toBe('float32[?,3]');
  y.type = tensorType('int64', [2, 4]);
  expect(() => inferShapes(g.graph)).toThrow(ShapeError);
  expect(() => inferShapes(g.graph)).toThrow('Relu "Relu": output "y" is declared int64[2,4], it is float32[?,3]');
});

test('declares the inputs of a Loop body that states none', () => {
  const g = ops();
  const body = new Graph('body');
  const [i, more, carried, again, next] = ['i', 'more', 'carried', 'again', 'next'].map((name) => new Value(name)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  body.inputs = [i, more, carried];
  body.nodes = [new Node('Identity', [more], [again]), new Node('Neg', [carried], [next])];
  body.outputs = [again, next];
  const out = new Value('y');
  const x = g.input('x', 'float32', [2]);
  g.graph.nodes.push(
    new Node('Loop', [g.scalar(2, 'int64'), null, x], [out], new Map([['body', { kind: 'graph', value: body }]])),
  );
  g.graph.outputs.push(out);
  expect(inferShapes(g.graph)).toBe(true);
  expect([i, more, carried, again, next, out].map((v) => formatType(v.type))).toEqual([
    'int64[]',
    'bool[]',
    'float32[...]',
    'bool[]',
    'float32[...]',
    'float32[...]',
  ]);
  expect(inferShapes(g.graph)).toBe(false);
});
