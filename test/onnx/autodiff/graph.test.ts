// A model from a function: inputs, parameters, gradients, and what it returns as outputs.
import { expect, it } from 'vitest';
import { graph } from '../../../src/onnx/autodiff/graph.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { verifyModel } from '../../../src/onnx/ops/verify-model.js';
import { runModel } from '../../support/run.js';

const weights = Tensor.from('float32', [1, -2, 0.5, 3, -1, 2], [2, 3]);

it('inputs, parameters, a loss and its gradient', async () => {
  const { model } = graph((g) => {
    const x = g.input('x', 'float32', ['N', 3]);
    const w = g.parameter('w', weights);
    const loss = g.reduceMean(g.mul(g.relu(g.gemm(x, w, { transB: 1 })), 0.5), null, { keepdims: 0 });
    const [dw] = g.gradient(loss, [w]);
    return { loss, dw };
  });
  verifyModel(model);
  expect(printGraph(model.graph)).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3]) -> (loss, dw)
      Gemm/out: float32[N,2] = Gemm<transB=1>(x, float32[2,3]{1,-2,0.5,3,-1,2})
      Relu/out: float32[N,2] = Relu(Gemm/out)
      Mul/out: float32[N,2] = Mul(Relu/out, float32(0.5))
      loss: float32[] = ReduceMean<keepdims=0>(Mul/out)
      grad/ReduceMean/Size/out: int64[] = Size(Mul/out)
      grad/ReduceMean/Cast/out: float32[] = Cast<to=float32>(grad/ReduceMean/Size/out)
      grad/ReduceMean/Size_1/out: int64[] = Size(loss)
      grad/ReduceMean/Cast_1/out: float32[] = Cast<to=float32>(grad/ReduceMean/Size_1/out)
      grad/ReduceMean/Div/out: float32[] = Div(grad/ReduceMean/Cast/out, grad/ReduceMean/Cast_1/out)
      grad/ReduceMean/Div_1/out: float32[] = Div(float32(1), grad/ReduceMean/Div/out)
      grad/ReduceMean/Shape/out: int64[2] = Shape(Mul/out)
      grad/ReduceMean/Expand/out: float32[N,2] = Expand(grad/ReduceMean/Div_1/out, grad/ReduceMean/Shape/out)
      grad/Mul/Mul/out: float32[N,2] = Mul(grad/ReduceMean/Expand/out, float32(0.5))
      grad/Relu/Greater/out: bool[N,2] = Greater(Relu/out, float32(0))
      grad/Relu/Where/out: float32[N,2] = Where(grad/Relu/Greater/out, grad/Mul/Mul/out, float32(0))
      dw: float32[2,3] = Gemm<transA=1>(grad/Relu/Where/out, x)"
  `);
  // x w' = [[-1.5, 4], [0.5, 5]]: three of the four are above 0, each of which takes 0.5 / 4 of its row of x
  const { loss, dw } = await runModel(model, { x: Tensor.from('float32', [1, 1, -1, 2, 1, 1], [2, 3]) });
  expect(loss?.numbers()).toEqual([(0 + 0 + 0.5 + 7) / 8]);
  expect(dw?.numbers()).toEqual([2, 1, 1, 2, 1, 1].map((v) => v / 8));
});

it('an input returned is an output of its own; a name that is taken is refused', () => {
  const { model } = graph((g) => ({ same: g.input('x', 'float32', [2]) }), { name: 'through', opset: 21 });
  expect([model.graph.name, model.opset]).toEqual(['through', 21]);
  expect(model.graph.nodes.map((n) => n.opType)).toEqual(['Identity']);
  expect(() => graph((g) => ({ x: g.relu(g.input('x', 'float32', [2])) }))).toThrow(
    'the name "x" is taken already in this graph',
  );
});

it('a function that returns no values is refused', () => {
  expect(() => graph(() => ({}))).toThrow('graph: the function returned no outputs, expected { name: value }');
  // @ts-expect-error a value has no name
  expect(() => graph((g) => g.input('x', 'float32', [2]))).toThrow(
    'graph: the function returned no outputs, expected { name: value }',
  );
  // @ts-expect-error a number is no value
  expect(() => graph(() => ({ y: 1 }))).toThrow('graph: the output "y" is number, expected a value of the graph');
});
