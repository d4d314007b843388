// Types that a file states of inner values and outputs, left over from a model of another batch: what is inferred wins, and says so. A sweep states
// [1, ...] of every value in turn, in the main graph, in branches, loops, scans and functions, and compares with the model that states nothing.
import { describe, expect, test } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Graph, Node, Value } from '../../../src/onnx/ir/graph.js';
import { cloneModel, type Model } from '../../../src/onnx/ir/model.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { formatType, tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { optimise } from '../../../src/onnx/passes/optimise.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runModel } from '../../support/run.js';

const waves = (...dims: number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + 0.4)),
    dims,
  );

/** A bias of [1, 5] and one of [1, 1], added in the main graph, in a branch, in a Loop and in a Scan over the batch. */
function model(): Model {
  const g = ops({ name: 'stale' });
  const x = g.input('x', 'float32', ['N', 5]);
  const [b, c] = [g.initializer('b', waves(1, 5)), g.initializer('c', waves(1, 1))];
  const h = g.add(g.tanh(x), b);
  const [one, other] = [g.subgraph('one'), g.subgraph('other')];
  one.output(one.mul(one.add(h, c), b));
  other.output(other.sub(h, b));
  const [branch] = g.op('If', [g.greater(g.reduceMax(x, { keepdims: 0 }), 0)], {
    then_branch: one.graph,
    else_branch: other.graph,
  });
  const body = g.subgraph('body');
  body.input('i', 'int64', []);
  const more = body.input('more', 'bool', []);
  const carried = body.input('carried', 'float32', ['N', 5]);
  body.output(body.identity(more));
  body.output(body.tanh(body.add(carried, b)));
  const [looped] = g.op('Loop', [g.scalar(2, 'int64'), null, branch as Value], { body: body.graph });
  const row = g.subgraph('row');
  const state = row.input('state', 'float32', [5]);
  const each = row.input('each', 'float32', [5]);
  const sum = row.add(row.mul(state, 0.5), each);
  row.output(sum);
  row.output(row.tanh(sum));
  const [, scanned] = g.op(
    'Scan',
    [g.initializer('first', waves(5)), looped as Value],
    { body: row.graph, num_scan_inputs: 1 },
    2,
  );
  g.output(g.add(g.reshape(scanned as Value, g.concat(g.shape(h), { axis: 0 })), b), 'y');
  return g.model();
}

const graphs = (graph: Graph): Graph[] => [graph, ...[...allNodes(graph)].flatMap((n) => n.subgraphs)];
const statable = (m: Model): Value[] =>
  graphs(m.graph)
    .flatMap((g) => [...(g === m.graph ? [] : g.inputs), ...g.nodes.flatMap((n) => n.outputs)])
    .filter((v) => v.type?.kind === 'tensor' && (v.shape?.length ?? 0) > 0);
const shapes = (m: Model) => m.graph.outputs.map((v) => `${v.name} ${formatType(v.type)}`);

const plain = model();
for (const v of statable(plain)) if (v.producer !== undefined && !plain.graph.outputs.includes(v)) delete v.type;

test.each(statable(model()).map((v, i) => [v.name, i] as const))('%s stated with a batch of 1', async (name, at) => {
  const stale = model();
  const v = statable(stale)[at] as Value;
  expect(v.name).toBe(name);
  const shape = (v.shape ?? []).map((d) => (typeof d === 'number' ? d : 1));
  v.type = tensorType(v.dtype, shape);
  const read = fromBinary(toBinary(stale));
  const want = grad(model(), { of: 'y', by: ['b', 'c', 'x'] });
  const got = grad(read, { of: 'y', by: ['b', 'c', 'x'] });
  expect(shapes(got)).toEqual(shapes(want));
  expect(got.graph.inputs.map((i) => formatType(i.type))).toEqual(want.graph.inputs.map((i) => formatType(i.type)));
  const feeds = { x: waves(3, 5), 'seed/y': waves(3, 5) };
  const [a, e] = [await runModel(got, feeds), await runModel(want, feeds)];
  for (const output of Object.keys(e)) {
    expect(a[output]?.dims, output).toEqual(e[output]?.dims);
    expect(a[output]?.bytes, output).toEqual(e[output]?.bytes);
  }
  const optimised = cloneModel(read);
  optimise(optimised.graph, { opset: 17 });
  expect((await runModel(optimised, { x: waves(3, 5) })).y?.bytes).toEqual(e.y?.bytes);
});

describe('what inference does not know', () => {
  /** y has the shape that is fed: only the file says more. */
  const reshaped = (input: readonly (string | number)[], stated: readonly (string | number | null)[] | undefined, opset = 17) => {
    const g = ops({ opset });
    const x = g.input('x', 'float32', input);
    const y = g.output(g.reshape(x, g.input('shape', 'int64', [2])), 'y');
    y.type = tensorType('float32', stated);
    const m = fromBinary(toBinary(g.model()));
    const notes: string[] = [];
    inferShapes(m.graph, { opset, onNote: (line) => notes.push(line) });
    return [formatType(m.graph.outputs[0]?.type), ...notes];
  };

  test('is taken from the file where all sizes are fixed, or stated with the same ones open', () => {
    expect(reshaped([4, 5], [4, 5])).toEqual(['float32[4,5]']);
    expect(reshaped(['N', 5], ['N', 5])).toEqual(['float32[N,5]']);
    expect(reshaped(['N', 5], ['M', null])).toEqual(['float32[M,?]']);
  });

  test('stays open where the statement fixes what an input leaves open', () => {
    expect(reshaped(['N', 5], [1, 5])).toEqual(['float32[?,?]']);
    expect(reshaped(['N', 'T'], [1, 'T'])).toEqual(['float32[?,?]']);
    expect(reshaped(['N', 'T'], ['N', 5])).toEqual(['float32[?,?]']);
  });
});

describe('a contradiction is said', () => {
  const notesOf = (type: ReturnType<typeof tensorType>): string[] => {
    const g = ops();
    g.output(g.relu(g.relu(g.input('x', 'float32', ['N', 3]))), 'y').type = type;
    const notes: string[] = [];
    grad(fromBinary(toBinary(g.model())), { of: 'y', by: ['x'], onNote: (line) => notes.push(line) });
    return notes;
  };
  test.each([
    [[1, 3], '[1,3]'],
    [['N', 4], '[N,4]'],
    [['N', 3, 1], '[N,3,1]'],
  ] as const)('%s', (shape, told) => {
    expect(notesOf(tensorType('float32', shape))).toEqual([
      `"y" is stated to be float32${told}, it is float32[N,3]: taken as the latter`,
    ]);
  });
  test('and another dtype is refused', () => {
    expect(() => notesOf(tensorType('float64', ['N', 3]))).toThrow(
      'Relu "Relu_1": output "y" is declared float64[N,3], it is float32[N,3]',
    );
    expect(notesOf(tensorType('float32', ['N', 3]))).toEqual([]);
    expect(notesOf(tensorType('float32', [null, null]))).toEqual([]);
  });
});

test('what a Loop carries and makes longer is open, whatever is stated of it', async () => {
  const growing = (stated: boolean) => {
    const g = ops();
    const x = g.input('x', 'float32', ['N', 2]);
    const body = g.subgraph('body');
    body.input('i', 'int64', []);
    const more = body.input('more', 'bool', []);
    const carried = body.input('carried', 'float32', [1, 2]);
    body.output(body.identity(more));
    const longer = body.output(body.concat(carried, body.add(carried, carried), { axis: 0 }));
    longer.type = tensorType('float32', stated ? [2, 2] : undefined);
    if (!stated) delete carried.type;
    const first = g.initializer('first', waves(1, 2));
    const [looped] = g.op('Loop', [g.scalar(2, 'int64'), null, first], { body: body.graph });
    const y = g.output(g.matMul(g.reduceSum(looped as Value, g.ints([0]), { keepdims: 1 }), g.transpose(x)), 'y');
    y.type = tensorType('float32');
    return fromBinary(toBinary(g.model()));
  };
  const stale = growing(true);
  inferShapes(stale.graph, { opset: 17 });
  const [, body] = graphs(stale.graph);
  expect([body?.inputs[2], body?.outputs[1]].map((v) => formatType(v?.type))).toEqual(['float32[?,2]', 'float32[?,2]']);
  const x = waves(3, 2);
  const [found, want] = [grad(growing(true), { of: 'y', by: ['x'] }), grad(growing(false), { of: 'y', by: ['x'] })];
  const seed = { x, 'seed/y': waves(1, 3) };
  expect((await runModel(found, seed)).y?.numbers()).toEqual((await runModel(want, seed)).y?.numbers());
});

test("a function's statements hold of no call", () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 3]);
  const m = g.model();
  const y = new Value('twice', tensorType('float32', ['N', 3]));
  g.graph.nodes.push(new Node('Twice', [x], [y], new Map(), '', 'my.functions'));
  g.output(g.add(y, g.initializer('b', waves(1, 3))), 'z');
  m.opsets.set('my.functions', 1);
  const f = ops();
  const inner = f.input('a', 'float32', [1, 3]);
  f.graph.outputs.push(f.neg(f.neg(inner)));
  m.functions.push({
    domain: 'my.functions',
    name: 'Twice',
    overload: '',
    attributes: [],
    attributeDefaults: new Map(),
    body: f.graph,
    opsets: new Map([['', 17]]),
  });
  m.irVersion = 10;
  const made = grad(fromBinary(toBinary(m)), { of: 'z', by: ['b', 'x'] });
  expect(made.graph.outputs.map((v) => formatType(v.type))).toEqual(['float32[N,3]', 'float32[1,3]', 'float32[N,3]']);
  expect(printGraph(made.graph)).toContain('ReduceSum');
});
