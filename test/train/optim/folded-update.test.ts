// Updates folded into the weight-gradient product against the simple form, which an Identity between gradient and update keeps apart.
import { expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { optimise } from '../../../src/onnx/passes/optimise.js';
import { type OptimizerOptions, optimizer } from '../../../src/train/optim/optimizer.js';
import { runModel } from '../../support/run.js';

const r = new Random(5, 'fold');
const normal = (...dims: number[]) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.normal()),
  );
const feeds = { x: normal(8, 5), w: normal(5, 3), slot: normal(5, 3), rate: Tensor.from('float32', 0.3) };

function step(options: OptimizerOptions, apart: boolean) {
  const g = ops();
  const [x, w] = [g.input('x', 'float32', [8, 5]), g.input('w', 'float32', [5, 3])];
  const rule = optimizer(options);
  const slots = rule.slots.map(() => g.input('slot', 'float32', [5, 3]));
  const rate = g.input('rate', 'float32', []);
  const y = g.tanh(g.gemm(x, w));
  const dw = must(gradient(g, { of: g.reduceSum(g.mul(y, y), undefined, { keepdims: 0 }), by: [w] })[0], 'dw');
  const next = rule.update(g, w, apart ? g.identity(dw) : dw, slots, [rate]);
  g.output(next.p, 'p');
  for (const v of next.slots) g.output(v, 'next');
  if (!apart) optimise(g.graph);
  return g.model();
}

it.each([
  [{ kind: 'sgd' }, 1],
  [{ kind: 'sgd', momentum: 0.9 }, 1],
  [{ kind: 'sgd', momentum: 0.9, nesterov: true }, 0],
  [{ kind: 'sgd', weightDecay: 0.1 }, 0],
] as const)('%j has %i folded products and the same numbers', async (options, folded) => {
  const model = step(options, false);
  expect(model.graph.nodes.filter((n) => n.opType === 'Gemm' && n.inputs.length === 3)).toHaveLength(folded);
  const given = (m: typeof model) =>
    Object.fromEntries(Object.entries(feeds).filter(([name]) => m.graph.inputs.some((v) => v.name === name)));
  const plain = step(options, true);
  const [a, b] = [await runModel(model, given(model)), await runModel(plain, given(plain))];
  for (const [name, tensor] of Object.entries(b)) {
    tensor.data.forEach((v: unknown, i: number) => {
      expect(Math.abs(Number(a[name]?.data[i]) - Number(v))).toBeLessThan(1e-5);
    });
  }
});
