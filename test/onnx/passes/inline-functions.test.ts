// Functions local to a model: nested, with attribute references and defaults, inputs left out, overloads, imports that differ.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { float32, Tensor } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { type FunctionDef, Model } from '../../../src/onnx/ir/model.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { inlineFunctions } from '../../../src/onnx/passes/inline-functions.js';
import { runModel } from '../../support/run.js';

const ref = (value: string): Attribute => ({ kind: 'ref', value, type: 'float' });
const float = (value: number): Attribute => ({ kind: 'float', value });

/** leaky(x, shift?) = LeakyRelu<alpha>(x) + shift, or without shift through Sum. */
function leaky(overload = '', opset = 17): FunctionDef {
  const body = new Graph('leaky');
  const [x, shift, h, y] = ['x', 'shift', 'h', 'y'].map((name) => new Value(name)) as [Value, Value, Value, Value];
  body.inputs = [x, shift];
  body.nodes = [
    new Node('LeakyRelu', [x], [h], new Map([['alpha', ref('slope')]]), 'leak'),
    overload === ''
      ? new Node('Add', [h, shift], [y], new Map(), 'shifted')
      : new Node('Clip', [h, shift], [y], new Map(), 'clipped'),
  ];
  body.outputs = [y];
  return {
    domain: 'local',
    name: 'leaky',
    overload,
    attributes: overload === '' ? ['slope'] : [],
    attributeDefaults: overload === '' ? new Map() : new Map([['slope', float(0.5)]]),
    body,
    opsets: new Map([['', opset]]),
  };
}

/** twice(x) = leaky(leaky(x, x), x) with the slope passed on. */
function twice(): FunctionDef {
  const body = new Graph('twice');
  const [x, h, y] = ['x', 'h', 'y'].map((name) => new Value(name)) as [Value, Value, Value];
  body.inputs = [x];
  const call = (a: Value, out: Value, name: string) =>
    new Node('leaky', [a, x], [out], new Map([['slope', ref('slope')]]), name, 'local');
  body.nodes = [call(x, h, 'first'), call(h, y, 'second')];
  body.outputs = [y];
  return {
    domain: 'local',
    name: 'twice',
    overload: '',
    attributes: ['slope'],
    attributeDefaults: new Map(),
    body,
    opsets: new Map([
      ['', 17],
      ['local', 1],
    ]),
  };
}

function modelOf(functions: FunctionDef[], call: (x: Value, y: Value) => Node): Model {
  const graph = new Graph('g');
  const x = new Value('x', tensorType('float32', [3]));
  const y = new Value('y', tensorType('float32', [3]));
  graph.inputs = [x];
  graph.nodes = [call(x, y)];
  graph.outputs = [y];
  const model = new Model(graph);
  model.opsets.set('local', 1);
  model.functions = functions;
  return model;
}

it('nested calls and references to attributes', async () => {
  const model = modelOf(
    [leaky(), twice()],
    (x, y) => new Node('twice', [x], [y], new Map([['slope', float(0.1)]]), 'both', 'local'),
  );
  const before = printGraph(model.graph);
  const made = grad(model, { of: 'y', by: ['x'] });
  expect(printGraph(model.graph)).toBe(before);
  expect(inlineFunctions(model)).toBe(true);
  inferShapes(model.graph);
  expect([...model.opsets.keys()]).toEqual(['']);
  expect(printGraph(model.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph g (x: float32[3]) -> (y)
      %1: float32[3] = LeakyRelu<alpha=0.1>(x)
      %2: float32[3] = Add(%1, x)
      %3: float32[3] = Identity(%2)
      %4: float32[3] = LeakyRelu<alpha=0.1>(%3)
      %5: float32[3] = Add(%4, x)
      %6: float32[3] = Identity(%5)
      y: float32[3] = Identity(%6)"
  `);
  const x = float32([-1, 0.5, 2]);
  const { y } = await runModel(model, { x });
  // slope 0.1: -1 -> -1.1 -> -0.11 - 1
  expect(Array.from(y?.data as Float32Array, (v) => Number(v.toFixed(5)))).toEqual([-1.11, 1.5, 6]);
  const results = await runModel(made, { x, 'seed/y': float32([1, 1, 1]) });
  expect(Array.from(results['grad/x']?.data as Float32Array, (v) => Number(v.toFixed(5)))).toEqual([1.11, 3, 3]);
});

it('an overload, a default, an input left out', async () => {
  const call = (x: Value, y: Value) => {
    const node = new Node('leaky', [x], [y], new Map(), 'c', 'local');
    node.overload = 'clip';
    return node;
  };
  const model = modelOf([leaky(), leaky('clip')], call);
  inlineFunctions(model);
  const { y } = await runModel(model, { x: Tensor.from('float32', [-2, 0, 2]) });
  expect(Array.from(y?.data as Float32Array)).toEqual([-1, 0, 2]);
});

it('opsets that differ where no op of the function does', () => {
  const model = modelOf([leaky('', 18)], (x, y) => new Node('leaky', [x, x], [y], new Map([['slope', float(1)]]), 'c', 'local'));
  expect(inlineFunctions(model)).toBe(true);
});

it('what cannot be inlined is refused in one line', () => {
  const call = (x: Value, y: Value) => new Node('leaky', [x, x], [y], new Map([['slope', float(1)]]), 'c', 'local');
  expect(() => inlineFunctions(modelOf([leaky('', 13)], call))).toThrow(
    'function "local.leaky" imports ai.onnx 13, the model 17: LeakyRelu "leak" differs between them',
  );
  const f = leaky();
  f.body.nodes.push(new Node('leaky', [f.body.inputs[0] as Value], [new Value('z')], new Map(), 'again', 'local'));
  expect(() => inlineFunctions(modelOf([f], call))).toThrow(
    'function "local.leaky" calls itself: function "local.leaky" calls function "local.leaky"',
  );
  const three = (x: Value, y: Value) => new Node('leaky', [x, x, x], [y], new Map(), 'c', 'local');
  expect(() => inlineFunctions(modelOf([leaky()], three))).toThrow(
    'leaky "c": function "local.leaky" has 2 inputs and 1 outputs, the call has 3 inputs and 1 outputs',
  );
});

it('functions that call each other twice, seventeen deep, are refused before they fill the memory', () => {
  const level = (i: number): FunctionDef => {
    const body = new Graph(`f${i}`);
    const [x, h, y] = ['x', 'h', 'y'].map((name) => new Value(name)) as [Value, Value, Value];
    const call = (from: Value, to: Value, name: string) =>
      i === 0 ? new Node('Sin', [from], [to], new Map(), name) : new Node(`f${i - 1}`, [from], [to], new Map(), name, 'local');
    body.inputs = [x];
    body.nodes = [call(x, h, 'first'), call(h, y, 'second')];
    body.outputs = [y];
    const opsets = new Map([
      ['', 17],
      ['local', 1],
    ]);
    return { domain: 'local', name: `f${i}`, overload: '', attributes: [], attributeDefaults: new Map(), body, opsets };
  };
  const functions = Array.from({ length: 17 }, (_, i) => level(i));
  const model = modelOf(functions, (x, y) => new Node('f16', [x], [y], new Map(), 'bomb', 'local'));
  expect(() => inlineFunctions(model)).toThrow(/^the calls of .*\bf\d+.* written out: 6553[78] nodes, expected 0 to 65536$/);
});
