// What the builder refuses at the line that adds the node.
import { expect, it } from 'vitest';
import { ops } from '../../src/ops/ops.js';

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
