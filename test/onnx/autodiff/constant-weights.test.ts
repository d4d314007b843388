// Weights that stand in Constant nodes, as PaddlePaddle exports them, are weights like initializers.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { formatInspection, inspectModel } from '../../../src/onnx/ir/inspect.js';
import { printModel } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { runModel } from '../../support/run.js';

const weight = Tensor.from('float32', [1, 2, 3, 4, 5, 6], [3, 2]);

function model(asNode: boolean) {
  const g = ops();
  const w = asNode ? constant(g, 'w', weight) : g.initializer('w', weight);
  const x = g.input('x', 'float32', ['N', 3]);
  const half = constant(g, 'half', Tensor.from('float32', 0.5));
  g.output(g.mul(g.reduceSum(g.sigmoid(g.matMul(x, w)), undefined, { keepdims: 0 }), half), 'loss');
  return g.model();
}

function constant(g: Ops, name: string, value: Tensor): Value {
  const [v] = g.node('Constant', [], new Map([['value', { kind: 'tensor', value }]]));
  if (v === undefined) throw new Error('a Constant node has an output');
  v.name = name;
  return v;
}

it('the gradient by one is that by an initializer, node for node', async () => {
  const [a, b] = [true, false].map((asNode) => grad(model(asNode), { of: 'loss', by: ['w'] }));
  expect(a && printModel(a)).toBe(b && printModel(b));
  const x = Tensor.from('float32', [0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [2, 3]);
  const found = a && (await runModel(a, { x }))['grad/w'];
  expect(found?.dims).toEqual([3, 2]);
});

it('is listed among the weights; a number is none', () => {
  expect(() => grad(model(true), { of: 'loss', by: ['v'] })).toThrow('the model has no input or weight "v", there are: x, w');
  const found = inspectModel(model(true));
  expect(found.parameters.count).toBe(7);
  expect(found.constants).toEqual([{ name: 'w', dtype: 'float32', shape: [3, 2], bytes: 24 }]);
  expect(formatInspection(found)).toContain('weights in Constant nodes\n  w  float32[3,2]  24 B');
});
