// The passes together: a gradient cleaned up, and large graphs in near linear time.
import { describe, expect, test } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { noParameters, optimise } from '../../../src/onnx/passes/optimise.js';

test('a gradient keeps what it needs', () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 4]);
  const w = g.input('w', 'float32', [4, 2]);
  const loss = g.reduceSum(g.tanh(g.matMul(x, w)), null, { keepdims: 0 });
  const [dw] = gradient(g, { of: loss, by: [w] });
  g.output(loss, 'loss');
  if (dw !== undefined) g.output(dw, 'dw');
  optimise(g.graph, { opset: g.opset, ...noParameters });
  verifyModel(g.model());
  expect(printGraph(g.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4], w: float32[4,2]) -> (loss, dw)
      %1: float32[N,2] = MatMul(x, w)
      %2: float32[N,2] = Tanh(%1)
      loss: float32[] = ReduceSum<keepdims=0>(%2)
      %3: float32[N,2] = Mul(%2, %2)
      %4: float32[N,2] = Sub(float32(1), %3)
      dw: float32[4,2] = Gemm<transA=1>(x, %4)"
  `);
});

describe('10,000 nodes', () => {
  const size = 10_000;
  const shapes: [string, (g: Ops, x: Value) => Value][] = [
    ['a chain', (g, x) => Array.from({ length: size }).reduce<Value>((v) => g.neg(v), x)],
    ['identities', (g, x) => Array.from({ length: size }).reduce<Value>((v) => g.identity(v), x)],
    ['transposes', (g, x) => Array.from({ length: size }).reduce<Value>((v) => g.transpose(v), x)],
    ['repetitions', (g, x) => Array.from({ length: size / 2 }).reduce<Value>((v) => g.add(v, g.exp(x)), x)],
    [
      'constants',
      (g, x) =>
        g.add(
          x,
          Array.from({ length: size }).reduce<Value>((v) => g.neg(v), g.scalar(1, 'float32')),
        ),
    ],
    [
      'shapes',
      (g, x) => Array.from({ length: size / 4 }).reduce<Value>((v) => g.reshape(g.relu(v), g.mul(g.shape(v), g.ints([1, 1]))), x),
    ],
    [
      'branches',
      (g, x) => {
        const c = g.input('c', 'bool', []);
        let v = x;
        for (let i = 0; i < size / 5; i++) {
          const branch = (name: string) => {
            const b = g.subgraph(`${name}${i}`);
            b.output(b.neg(b.identity(v)));
            return b.graph;
          };
          v = g.if(c, { then_branch: branch('then'), else_branch: branch('else') });
        }
        return v;
      },
    ],
  ];
  test.each(shapes)('%s', (_, build) => {
    const g = ops();
    g.output(build(g, g.input('x', 'float32', [2, 2])), 'y');
    // The processor's time, not the clock's: other programs do not count.
    const start = process.cpuUsage();
    optimise(g.graph);
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    verifyModel(g.model());
    // a second on a quiet machine would be slow already; the bound is for what grows with the square
    expect(took).toBeLessThan(3000);
    console.info(`${_}: ${took.toFixed(0)} ms, ${g.graph.nodes.length} nodes left`);
  });
});
