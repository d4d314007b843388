// Graphs as text: what a person reads in a snapshot.
import { describe, expect, test } from 'vitest';
import { float32, int64, Tensor } from '../../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { Model } from '../../../src/onnx/ir/model.js';
import { printGraph, printModel } from '../../../src/onnx/ir/print.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';

describe('printGraph', () => {
  test('inlines small constants and names large ones', () => {
    const g = ops({ name: 'mlp' });
    const x = g.input('x', 'float32', ['N', 4]);
    const w = g.initializer('w', Tensor.zeros('float32', [4, 30]));
    const h = g.add(g.matMul(x, w), g.scalar(0.1, 'float32'));
    g.output(g.reshape(h, g.ints([-1])), 'y');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph mlp (x: float32[N,4]) -> (y)
        w: float32[4,30]
        MatMul/out: float32[N,30] = MatMul(x, w)
        Add/out: float32[N,30] = Add(MatMul/out, float32(0.1))
        y: float32[?] = Reshape(Add/out, int64{-1})"
    `);
  });

  test('shows attributes, left-out inputs and blank outputs', () => {
    const g = ops();
    const x = g.input('x', 'float32', [2, 3]);
    const clipped = g.clip(x, null, g.scalar(1, 'float32'));
    const parts = g.op('Split', [clipped, g.ints([1, 2])], { axis: 1 }, 2);
    for (const v of parts) g.output(v);
    const [pooled, indices] = g.op('MaxPool', [g.input('i', 'float32', [1, 1, 4, 4])], { kernel_shape: [2, 2] }, [true, false]);
    expect(indices?.name).toBe('');
    if (pooled) g.output(pooled, 'pooled');
    g.output(g.leakyRelu(x, { alpha: 0.1 }), 'leaky');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2,3], i: float32[1,1,4,4]) -> (Split/out, Split/out1, pooled, leaky)
        Clip/out: float32[2,3] = Clip(x, _, float32(1))
        Split/out: float32[2,1], Split/out1: float32[2,2] = Split<axis=1>(Clip/out, int64{1,2})
        pooled: float32[1,1,3,3], _ = MaxPool<kernel_shape=[2,2]>(i)
        leaky: float32[2,3] = LeakyRelu<alpha=0.1>(x)"
    `);
  });

  test('indents subgraphs', () => {
    const g = ops();
    const x = g.input('x', 'float32', [2]);
    const c = g.input('c', 'bool', []);
    const branch = (name: string, value: number) => {
      const b = g.subgraph(name);
      b.output(b.mul(x, b.scalar(value, 'float32')));
      return b.graph;
    };
    g.output(g.if(c, { then_branch: branch('then', 2), else_branch: branch('else', -0) }), 'y');
    expect(printGraph(g.graph)).toMatchInlineSnapshot(`
      "graph graph (x: float32[2], c: bool[]) -> (y)
        y: float32[2] = If(c)
          then_branch: graph then () -> (Mul/out)
            Mul/out: float32[2] = Mul(x, float32(2))
          else_branch: graph else () -> (Mul_1/out)
            Mul_1/out: float32[2] = Mul(x, float32(-0))"
    `);
  });

  test('canonical names do not tell how scopes are called', () => {
    const build = (scope: string) => {
      const g = ops();
      const x = g.input('x', 'float32', [2]);
      const c = g.input('c', 'bool', []);
      const h = g.scope(scope, () => g.mul(x, g.initializer('w', Tensor.zeros('float32', [2]))));
      const [then, other] = [g.subgraph('then'), g.subgraph('else')];
      then.output(then.scope(scope, () => then.neg(then.relu(h))));
      other.output(other.identity(h));
      g.output(
        g.scope(scope, () => g.op('If', [c], { then_branch: then.graph, else_branch: other.graph })[0] ?? h),
        'y',
      );
      return g.graph;
    };
    const text = printGraph(build('a/long/scope'), { canonical: true });
    expect(text).toBe(printGraph(build('b'), { canonical: true }));
    expect(text).toMatchInlineSnapshot(`
      "graph graph (x: float32[2], c: bool[]) -> (y)
        %1: float32[2] = Mul(x, float32{0,0})
        y: float32[2] = If(c)
          then_branch: graph then () -> (%3)
            %2: float32[2] = Relu(%1)
            %3: float32[2] = Neg(%2)
          else_branch: graph else () -> (%4)
            %4: float32[2] = Identity(%1)"
    `);
    const h = ops();
    const trips = h.initializer('trips', int64(3));
    const body = h.subgraph('body');
    body.input('i', 'int64', []);
    const more = body.input('more', 'bool', []);
    const state = body.input('state', 'float32', [2]);
    body.output(body.identity(more));
    body.output(body.add(state, state));
    h.output(h.op('Loop', [trips, null, h.input('s', 'float32', [2])], { body: body.graph })[0] ?? trips, 'end');
    expect(printGraph(h.graph, { canonical: true })).toMatchInlineSnapshot(`
      "graph graph (s: float32[2]) -> (end)
        end: float32[2] = Loop(int64(3), _, s)
          body: graph body (%1: int64[], %2: bool[], %3: float32[2]) -> (%4, %5)
            %4: bool[] = Identity(%2)
            %5: float32[2] = Add(%3, %3)"
    `);
  });

  test('prints constants by shape, and every attribute kind', () => {
    const graph = new Graph('g');
    const constant = (name: string, t: Tensor) => {
      const v = new Value(name, tensorType(t.dtype, t.dims));
      v.constant = t;
      graph.initializers.push(v);
      return v;
    };
    const text = (s: string) => new TextEncoder().encode(s);
    const attributes: [string, Attribute][] = [
      ['f', { kind: 'float', value: Math.fround(0.1) }],
      ['fs', { kind: 'floats', value: [1, 2.5, -0] }],
      ['i', { kind: 'int', value: 3n }],
      ['is', { kind: 'ints', value: [1n, -1n] }],
      ['s', { kind: 'string', value: text('a"b') }],
      ['ss', { kind: 'strings', value: [text('a'), text('b')] }],
      ['t', { kind: 'tensor', value: int64([1, 2]) }],
      ['type', { kind: 'type', value: tensorType('int8', ['N', null]) }],
      ['r', { kind: 'ref', value: 'outer', type: 'int' }],
    ];
    const inputs = [
      constant('m', float32([1, 0, 0, 1], [2, 2])),
      constant('none', float32([])),
      constant('str', new Tensor('string', [1], ['hé\n'])),
      constant('nan', float32(Number.NaN)),
      null,
    ];
    constant('unread', int64(7));
    const out = new Value('y');
    graph.nodes.push(new Node('Thing', inputs, [out], new Map(attributes), 'n', 'my.domain'));
    graph.outputs.push(out);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph g () -> (y)
        unread: int64(7)
        y: ? = my.domain::Thing<f=0.1, fs=[1,2.5,-0], i=3, is=[1,-1], s="a\\"b", ss=["a","b"], t=int64{1,2}, type=int8[N,?], r=@outer>(float32[2,2]{1,0,0,1}, float32[0]{}, string{"hé\\n"}, float32(NaN), _)"
    `);
  });
});

test('printModel adds versions, metadata and functions', () => {
  const g = ops({ name: 'main' });
  g.output(g.relu(g.input('x', 'float32', ['N'])), 'y');
  const body = new Graph('Twice');
  const a = new Value('a');
  const b = new Value('b');
  body.inputs.push(a);
  body.nodes.push(new Node('Add', [a, a], [b]));
  body.outputs.push(b);
  const model = new Model(g.graph);
  model.producerVersion = '1.2.3';
  model.metadata.set('prognet.tasks', 'digits');
  model.functions.push({
    domain: 'local',
    name: 'Twice',
    overload: '',
    attributes: ['alpha'],
    attributeDefaults: new Map(),
    body,
    opsets: new Map([['', 17]]),
  });
  expect(printModel(model)).toMatchInlineSnapshot(`
    "model ir 8, ai.onnx 17, by prognet 1.2.3
      prognet.tasks: "digits"
    graph main (x: float32[N]) -> (y)
      y: float32[N] = Relu(x)
    function local::Twice<alpha>
      graph Twice (a: ?) -> (b)
        b: ? = Add(a, a)"
  `);
});
