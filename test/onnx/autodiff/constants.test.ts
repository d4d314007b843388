// Weights that stand in a model as constants: gradients by values made of nothing else, weights that keep their names, counts over 65504 in float16.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../src/onnx/core/errors.js';
import { float32, Tensor } from '../../../src/onnx/core/tensor.js';
import { reduceMean } from '../../../src/onnx/ops/families/reduce.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { runModel } from '../../support/run.js';

const x = Tensor.from('float32', [5, 7], [1, 2]);

/** y = sum(x transpose(w)), where w [2, 1] is made by `weight`. */
function product(weight: (g: Ops) => ReturnType<Ops['input']>) {
  const g = ops();
  const w = weight(g);
  w.name = 'w';
  const turned = g.transpose(w, { perm: [1, 0] });
  turned.name = 'turned';
  g.output(g.reduceSum(g.mul(g.input('x', 'float32', [1, 2]), turned), null, { keepdims: 0 }), 'y');
  return g.model();
}

const made: readonly (readonly [string, (g: Ops) => ReturnType<Ops['input']>])[] = [
  ['a Constant node', (g) => must(g.op('Constant', [], { value: float32([1, 2], [2, 1]) })[0], 'value')],
  ['an initializer', (g) => g.initializer('w', float32([1, 2], [2, 1]))],
];

it.each(made)('by %s, and by what is computed from it', async (_name, weight) => {
  for (const by of ['w', 'turned']) {
    const results = await runModel(grad(product(weight), { of: 'y', by: [by] }), { x });
    expect([...must(results[`grad/${by}`], by).numbers()], by).toEqual([5, 7]);
  }
});

it('weights keep their names where only a transposed one is read', () => {
  const model = grad(
    product((g) => g.initializer('w', float32([1, 2], [2, 1]))),
    { of: 'y', by: ['x'] },
  );
  expect(model.graph.initializers.map((v) => v.name)).toContain('w');
});

it.each([65_000, 90_000])('a float16 mean over %i elements has a slope', async (size) => {
  const g = ops();
  const input = g.input('x', 'float16', [size]);
  const mean = reduceMean(g, input, [0], 0);
  g.output(must(gradient(g, { of: mean, by: [input] })[0], 'gradient'), 'dx');
  const { dx } = await runModel(g.model(), { x: Tensor.zeros('float16', [size]) });
  expect(Math.abs(Number(must(dx, 'dx').numbers()[0]) * size - 1)).toBeLessThan(0.01);
});
