// Normalizations go into weights and the numbers stay, up to rounding; where they cannot go, nothing changes.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { must } from '../../../../src/onnx/core/errors.js';
import type { Tensor } from '../../../../src/onnx/core/tensor.js';
import { cloneModel } from '../../../../src/onnx/ir/model.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../../src/onnx/ops/ops-builder.js';
import { foldBatchNormalization } from '../../../../src/onnx/passes/fuse/fold-batch-normalization.js';
import { expectNear } from '../../../support/expect-near.js';
import { normals } from '../../../support/random-network.js';
import { runModel } from '../../../support/run.js';

const positive = (t: Tensor) => ({ ...t, data: (t.data as Float32Array).map((v) => Math.abs(v) + 0.1) });

function normalize(g: Ops, x: Parameters<Ops['relu']>[0], channels: number, seed: number) {
  const vector = (name: string, k: number) => g.initializer(`${name}${seed}`, normals(seed + k, [channels]));
  const variance = normals(seed + 4, [channels]);
  (variance.data as Float32Array).set(positive(variance).data);
  const [scale, bias, mean] = [vector('scale', 1), vector('bias', 2), vector('mean', 3)];
  return g.batchNormalization(x, scale, bias, mean, g.initializer(`var${seed}`, variance), { epsilon: 1e-3 });
}

type Body = (g: Ops, x: Parameters<Ops['relu']>[0]) => Parameters<Ops['relu']>[0];
const w = (g: Ops, name: string, dims: number[], seed = 7) => g.initializer(name, normals(seed, dims));

const folds: Record<string, Body> = {
  Gemm: (g, x) => normalize(g, g.gemm(g.flatten(x), w(g, 'w', [32, 3]), w(g, 'b', [3])), 3, 20),
  'Gemm, transposed': (g, x) => normalize(g, g.gemm(g.flatten(x), w(g, 'w', [3, 32]), w(g, 'b', [3]), { transB: 1 }), 3, 20),
  MatMul: (g, x) => normalize(g, g.matMul(g.flatten(x), w(g, 'w', [32, 3])), 3, 20),
  Conv: (g, x) => normalize(g, g.conv(x, w(g, 'w', [3, 2, 3, 3])), 3, 20),
  'grouped Conv': (g, x) => normalize(g, g.conv(x, w(g, 'w', [4, 1, 3, 3]), w(g, 'b', [4]), { group: 2 }), 4, 20),
  'a sum of products': (g, x) => {
    const [a, b] = [w(g, 'a', [32, 3]), w(g, 'u', [32, 3], 8)];
    return normalize(g, g.add(g.matMul(g.flatten(x), b), g.gemm(g.flatten(x), a, w(g, 'b', [3]))), 3, 20);
  },
  'two in a row': (g, x) => normalize(g, normalize(g, g.conv(x, w(g, 'w', [3, 2, 3, 3])), 3, 20), 3, 40),
};

it.each(Object.keys(folds))('%s takes it in', async (name) => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 2, 4, 4]);
  g.output(g.relu(must(folds[name], name)(g, x)), 'y');
  const model = g.model();
  const folded = cloneModel(model);
  expect(foldBatchNormalization(folded.graph)).toBe(true);
  expect(folded.graph.nodes.map((n) => n.opType)).not.toContain('BatchNormalization');
  const feeds = { x: normals(5, [3, 2, 4, 4]) };
  const [before, after] = [await runModel(model, feeds), await runModel(folded, feeds)];
  expectNear(after.y, before.y, 1e-5);
  expect(foldBatchNormalization(folded.graph)).toBe(false);
});

it('stays where the product is read elsewhere, where a weight is fed, and after anything else; shared weights stay', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('read', 'fed', 'relu', 'shared'), async (how) => {
      const g = ops();
      const x = g.input('x', 'float32', ['N', 32]);
      const weight = how === 'fed' ? g.input('w', 'float32', [32, 3]) : w(g, 'w', [32, 3]);
      const h = g.matMul(x, weight);
      g.output(normalize(g, how === 'relu' ? g.relu(h) : h, 3, 20), 'y');
      if (how === 'read') g.output(h, 'h');
      if (how === 'shared') g.output(g.matMul(g.relu(x), weight), 'other');
      const model = g.model();
      const folded = cloneModel(model);
      expect(foldBatchNormalization(folded.graph)).toBe(how === 'shared');
      const feeds = { x: normals(5, [3, 32]), ...(how === 'fed' ? { w: normals(6, [32, 3]) } : {}) };
      const [before, after] = [await runModel(model, feeds), await runModel(folded, feeds)];
      for (const [name, t] of Object.entries(before)) expectNear(after[name], t, 1e-5, name);
    }),
    { numRuns: 8, seed: 2 },
  );
});
