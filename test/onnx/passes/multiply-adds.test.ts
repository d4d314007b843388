// Multiplications with additions, counted by hand for each op that has any.
import { expect, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { multiplyAdds } from '../../../src/onnx/passes/multiply-adds.js';

const weight = (...dims: number[]) => Tensor.zeros('float32', dims);

it('counts products, convolutions and recurrent layers at the sizes given', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 2, 9]);
  // 3 x 8 places, 2 x 2 each
  const signal = g.conv(x, g.constant(weight(3, 2, 2)), undefined, { kernel_shape: [2] });
  // each of 3 x 8 values meets 4 x 2
  const longer = g.convTranspose(signal, g.constant(weight(3, 4, 2)), undefined, { kernel_shape: [2] });
  // 9 x 4 values, flat; 36 x 5, then 5 x 7
  const flat = g.flatten(longer, { axis: 1 });
  const features = g.gemm(flat, g.constant(weight(5, 36)), undefined, { transB: 1 });
  g.output(g.matMul(g.relu(features), g.constant(weight(5, 7))), 'y');
  expect(multiplyAdds(g.graph, { N: 1 }, g.opset)).toEqual({ count: 24 * 4 + 24 * 8 + 36 * 5 + 5 * 7, unknown: 0 });
  expect(multiplyAdds(g.graph, { N: 10 }, g.opset).count).toBe(10 * (24 * 4 + 24 * 8 + 36 * 5 + 5 * 7));
  expect(multiplyAdds(g.graph, {}, g.opset)).toEqual({ count: 0, unknown: 4 });
});

it('counts every step of a recurrent layer, and what stands in a branch', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['T', 'N', 3]);
  const [, h] = g.op('LSTM', [x, g.constant(weight(1, 8, 3)), g.constant(weight(1, 8, 2))], { hidden_size: 2 }, 2);
  g.output(h ?? x, 'h');
  expect(multiplyAdds(g.graph, { T: 6, N: 1 }, g.opset)).toEqual({ count: 6 * (24 + 16), unknown: 0 });
});

it('counts an Einsum by its indices, and says what it cannot count', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 4, 5]);
  const y = g.einsum(x, g.constant(weight(5, 6)), { equation: 'ntf,fu->ntu' });
  g.output(g.einsum(y, { equation: 'ntu->nut' }), 'y');
  expect(multiplyAdds(g.graph, { N: 1 }, g.opset)).toEqual({ count: 4 * 5 * 6, unknown: 0 });
  const [whole] = g.op('MatMulInteger', [g.input('a', 'uint8', [2, 3]), g.constant(Tensor.zeros('uint8', [3, 4]))]);
  g.output(whole ?? x, 'whole');
  expect(multiplyAdds(g.graph, { N: 1 }, g.opset)).toEqual({ count: 4 * 5 * 6, unknown: 1 });
});

it('counts nothing for a table of labels, and says that of a model of trees it knows nothing', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 4]);
  const of = (domain: string, op: string) => g.node(op, [x], new Map(), 1, domain);
  for (const op of ['LabelEncoder', 'Scaler']) g.output(of('ai.onnx.ml', op)[0] ?? x, `y of ${op}`);
  expect(multiplyAdds(g.graph, { N: 1 }, g.opset)).toEqual({ count: 0, unknown: 0 });
  g.output(of('ai.onnx.ml', 'TreeEnsembleRegressor')[0] ?? x, 'trees');
  expect(multiplyAdds(g.graph, { N: 1 }, g.opset)).toEqual({ count: 0, unknown: 1 });
});
