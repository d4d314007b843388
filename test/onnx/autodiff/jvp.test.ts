// Forward mode: J t is what the transposed product says, v^T (J t) = (v^T J) t, and what the difference quotient says.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';
import { values } from '../ops/gradient-case.js';

it('a dense layer: jvp against differences, and its size', async () => {
  const g = ops();
  const x = g.input('x', 'float64', ['N', 3]);
  const w = g.initializer('w', values([3, 4]));
  const b = g.initializer('b', values([4]));
  g.output(g.tanh(g.gemm(x, w, b)), 'y');
  const model = g.model();
  const made = grad(model, { of: 'y', by: ['x', 'w'], mode: 'jvp' });
  const [x0, tx, tw] = [values([2, 3], { seed: 4 }), values([2, 3], { seed: 5 }), values([3, 4], { seed: 6 })];
  const at = async (h: number) => {
    const move = (t: Tensor, d: Tensor) =>
      Tensor.from(
        'float64',
        Array.from(t.data as Float64Array, (v, i) => v + h * Number(d.data[i])),
        t.dims,
      );
    const g2 = ops();
    const [a, c] = [g2.input('x', 'float64', [2, 3]), g2.input('w', 'float64', [3, 4])];
    g2.output(g2.tanh(g2.gemm(a, c, g2.initializer('b', values([4])))), 'y');
    return (await runModel(g2.model(), { x: move(x0, tx), w: move(values([3, 4]), tw) })).y as Tensor;
  };
  const [up, down] = [await at(1e-5), await at(-1e-5)];
  const r = await runModel(made, { x: x0, 'tangent/x': tx, 'tangent/w': tw });
  Array.from(r['jvp/y']?.data as Float64Array).forEach((v, i) => {
    expect(Math.abs(v - (Number(up.data[i]) - Number(down.data[i])) / 2e-5)).toBeLessThan(1e-8);
  });
  expect(made.graph.nodes.map((n) => n.opType)).toEqual(['Gemm', 'Tanh', 'Mul', 'Sub', 'Gemm', 'Gemm', 'Add', 'Mul']);
  const second = grad(grad(model, { of: 'y', by: ['x'] }), { of: 'grad/x', by: ['x'] });
  expect(second.graph.outputs.map((v) => v.name)).toEqual(['y', 'grad/x', 'grad/grad/x']);
  expect(() => grad(model, { of: 'z', by: ['x'] })).toThrow('the model has no output "z", there are: y');
  expect(() => grad(model, { of: 'y', by: ['v'] })).toThrow('the model has no input or weight "v", there are: x, w, b');
});
