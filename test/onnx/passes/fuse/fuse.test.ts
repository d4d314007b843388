// Fusion on graphs that are not ours: transposed weights, weights that callers may replace, values that others read. Networks of ours are in
// test/model/progressive/fused.test.ts.
import { describe, expect, it } from 'vitest';
import { must } from '../../../../src/onnx/core/errors.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Value } from '../../../../src/onnx/ir/graph.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../../src/onnx/ops/ops-builder.js';
import { fuse } from '../../../../src/onnx/passes/fuse/fuse.js';
import { normals } from '../../../support/random-network.js';
import { runModel } from '../../../support/run.js';

const x = normals(1, [3, 4]);
const weight = (g: Ops, name: string, dims: number[]) => g.initializer(name, normals(name.length + dims.length, dims));

/** Builds a graph twice, fuses one; the ops of it, after both gave the same numbers to 1e-5. */
async function fused(build: (g: Ops, x: Value) => void, opset = 17): Promise<string[]> {
  const make = () => {
    const g = ops({ opset });
    build(g, g.input('x', 'float32', ['N', 4]));
    return g.model();
  };
  const [plain, model] = [make(), make()];
  fuse(model.graph, { opset });
  const [want, got] = [await runModel(plain, { x }), await runModel(model, { x })];
  for (const [name, t] of Object.entries(want)) {
    const found = must(got[name], name).numbers();
    t.numbers().forEach((v, i) => {
      expect(Math.abs(v - (found[i] ?? Number.NaN))).toBeLessThan(1e-5);
    });
  }
  return model.graph.nodes.map((n) => n.opType);
}

describe('products', () => {
  it('with transposed weights and a bias of one row are stacked', async () => {
    const found = await fused((g, v) => {
      const a = g.gemm(v, weight(g, 'w', [5, 4]), weight(g, 'b', [1, 5]), { transB: 1 });
      g.output(g.add(a, g.matMul(g.relu(v), weight(g, 'u', [4, 5]))), 'y');
    });
    expect(found).toEqual(['Relu', 'Concat', 'Gemm']);
  });

  it('of one input are joined, and what follows both', async () => {
    const found = await fused((g, v) => {
      g.output(g.leakyRelu(g.matMul(v, weight(g, 'w', [4, 5])), { alpha: 0.2 }), 'y');
      g.output(g.leakyRelu(g.gemm(v, weight(g, 'u', [4, 3]), weight(g, 'b', [3])), { alpha: 0.2 }), 'z');
    });
    expect(found).toEqual(['Gemm', 'LeakyRelu', 'Split']);
  });

  it('of one input with different activations part before them', async () => {
    const found = await fused((g, v) => {
      g.output(g.leakyRelu(g.matMul(v, weight(g, 'w', [4, 5])), { alpha: 0.2 }), 'y');
      g.output(g.leakyRelu(g.matMul(v, weight(g, 'u', [4, 3])), { alpha: 0.1 }), 'z');
    });
    expect(found).toEqual(['Gemm', 'Split', 'LeakyRelu', 'LeakyRelu']);
  });

  it('keep a summand that is an output, a scaled bias, and weights of another kind', async () => {
    const found = await fused((g, v) => {
      const a = g.matMul(v, weight(g, 'w', [4, 5]));
      g.output(a, 'a');
      g.output(g.add(a, g.matMul(g.relu(v), weight(g, 'u', [4, 5]))), 'y');
      g.output(g.add(g.gemm(g.abs(v), weight(g, 'k', [4, 5]), weight(g, 'b', [5]), { beta: 0.5 }), g.abs(a)), 'z');
    });
    expect(found.filter((op) => op === 'Concat')).toEqual([]);
    expect(found.filter((op) => op === 'Add')).toHaveLength(2);
  });

  it('keep a sum that broadcasts', async () => {
    const found = await fused((g, v) => {
      const one = g.matMul(g.reduceMean(v, [0], { keepdims: 1 }), weight(g, 'w', [4, 5]));
      g.output(g.add(one, g.matMul(v, weight(g, 'u', [4, 5]))), 'y');
    });
    expect(found).toContain('Add');
  });

  it('take in factors through Concat, from both sides and several at once', async () => {
    const found = await fused((g, v) => {
      const half = g.mul(g.scalar(0.5, v), g.mul(v, g.scalar(3, v)));
      const joined = g.concat(half, g.relu(v), { axis: 1 });
      g.output(g.matMul(joined, weight(g, 'w', [8, 2])), 'y');
    });
    expect(found).toEqual(['Relu', 'Concat', 'Gemm']);
  });

  it('leave a factor for each feature where it is', async () => {
    const found = await fused((g, v) => {
      g.output(g.matMul(g.mul(v, weight(g, 'f', [4])), weight(g, 'w', [4, 2])), 'y');
    });
    expect(found).toEqual(['Mul', 'MatMul']);
  });
});

it('weights that are inputs as well are not touched', () => {
  const g = ops();
  const v = g.input('x', 'float32', ['N', 4]);
  const w = g.initializer('w', Tensor.zeros('float32', [4, 5]));
  g.graph.inputs.push(w);
  g.output(g.add(g.matMul(v, w), g.matMul(g.relu(v), weight(g, 'u', [4, 5]))), 'y');
  expect(fuse(g.graph)).toBe(false);
});
