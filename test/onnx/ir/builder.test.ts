// What the builder refuses at the line that adds the node.
import { expect, it } from 'vitest';
import { ops } from '../../../src/onnx/ops/ops.js';

it.each([
  ['Cast', 'to'],
  ['RandomNormal', 'shape'],
  ['Concat', 'axis'],
] as const)('%s without %s', (op, attribute) => {
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  expect(() => g.op(op, op === 'RandomNormal' ? [] : [x])).toThrow(`${op} "${op}": attribute "${attribute}" is missing`);
  expect(g.graph.nodes).toEqual([]);
});

it('refuses a value of another graph; subgraphs read outer values', () => {
  const [g, other] = [ops({ name: 'mine' }), ops({ name: 'other' })];
  const x = g.input('x', 'float32', [2]);
  const v = other.input('v', 'float32', [2]);
  const message = 'Relu: "v" is a value of another graph ("other"), this one is "mine"';
  expect(() => g.relu(v)).toThrow(message);
  const branch = g.subgraph('branch');
  expect(() => branch.relu(v)).toThrow(message);
  expect(branch.relu(x).type).toEqual(x.type);
});
