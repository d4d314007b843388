// Ranks, numbers of outputs and names of nodes that ONNX Runtime does not load are refused in one line, before any rule meets them.
import { expect, it } from 'vitest';
import { Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';

it.each([
  [['N', 3], ['N', 2, 2], 'X is [N,3], the grid [N,2,2]: expected X [N,C,D1,...] and a grid'],
  [[2, 1, 4, 4], [3, 2, 2, 2], 'X is [2,1,4,4], the grid [3,2,2,2]: expected X'],
  [[1, 1, 4, 4], [1, 2, 2], 'X is [1,1,4,4], the grid [1,2,2]: expected X'],
  [[1, 1, 4, 4], [1, 2, 2, 3], 'X is [1,1,4,4], the grid [1,2,2,3]: expected X'],
] as const)('GridSample of %j by %j', (x, grid, message) => {
  const g = ops({ opset: 20 });
  expect(() => g.gridSample(g.input('x', 'float32', x), g.input('grid', 'float32', grid))).toThrow(message);
});

it('Attention with a mask that is one number', () => {
  const g = ops({ opset: 24 });
  const of = (name: string) => g.input(name, 'float32', [2, 3, 4, 8]);
  expect(() => g.attention(of('q'), of('k'), of('v'), g.input('mask', 'float32', []))).toThrow(
    'attn_mask must have 1 to 4 axes, it is []',
  );
});

it('BatchNormalization with a second output that is left out', () => {
  const g = ops({ opset: 17 });
  const [x, s] = [g.input('x', 'float32', ['N', 3, 4, 4]), g.input('s', 'float32', [3])];
  const [y] = g.op('BatchNormalization', [x, s, s, s, s], {}, 1);
  if (y?.producer === undefined) throw new Error('no output');
  g.output(y, 'y');
  const none = new Value('');
  none.producer = y.producer;
  y.producer.outputs.push(none);
  expect(() => verifyModel(g.model())).toThrow('has 2 outputs, expected 1 or 3');
});

it('two nodes of one name', () => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  g.output(g.neg(g.relu(x)), 'y');
  const model = g.model();
  for (const node of model.graph.nodes) node.name = 'same';
  expect(() => verifyModel(model)).toThrow('graph "graph" has two nodes of the name "same", expected a name of its own or none');
});

it.each([
  ['Concat', { axis: 0 }],
  ['Split', { axis: 0, num_outputs: 1 }],
  ['Gather', { axis: 0 }],
  ['ReduceSum', {}],
  ['ArgMax', { axis: 0 }],
  ['Softmax', { axis: 0 }],
  ['Squeeze', {}],
] as const)('%s along an axis of a scalar', (op, attributes) => {
  const g = ops({ opset: 18 });
  const x = g.input('x', 'float32', []);
  const inputs = op === 'Gather' || op === 'ReduceSum' || op === 'Squeeze' ? [x, g.ints([0])] : [x];
  expect(() => g.op(op, inputs, attributes, 1)).toThrow('axis 0 is out of range for rank 0');
});
