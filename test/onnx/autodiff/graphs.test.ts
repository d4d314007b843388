// What a gradient graph looks like: some twenty graphs, printed. A change that adds a node shows here. Each is also run by its neighbours
// (gradients.test.ts, control-flow.test.ts, torch.test.ts); here only the form is looked at.
import { expect, test } from 'vitest';
import { type GradOptions, grad } from '../../../src/onnx/autodiff/grad.js';
import type { DType } from '../../../src/onnx/core/dtype.js';
import type { Shape } from '../../../src/onnx/core/shape.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';

interface Wish {
  readonly inputs: Readonly<Record<string, Shape | readonly [DType, Shape]>>;
  readonly build: (g: Ops, x: Readonly<Record<string, Value>>) => Value;
  readonly by: readonly string[];
  readonly mode?: GradOptions['mode'];
  readonly opset?: number;
}

const typed = (given: Shape | readonly [DType, Shape]): readonly [DType, Shape] =>
  Array.isArray(given[1]) ? (given as readonly [DType, Shape]) : ['float32', given as Shape];

/** The gradient of `y` by `by`, printed without the forward nodes' long names. */
function printed({ inputs, build, by, mode, opset }: Wish): string {
  const g = ops(opset === undefined ? {} : { opset });
  const x = Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => {
      const [dtype, shape] = typed(given);
      return [name, g.input(name, dtype, shape)];
    }),
  );
  g.output(build(g, x), 'y');
  return printGraph(grad(g.model(), { of: 'y', by, ...(mode === undefined ? {} : { mode }) }).graph, { canonical: true });
}

const v = (x: Readonly<Record<string, Value>>, name: string): Value => x[name] as Value;
const sum = (g: Ops, y: Value) => g.reduceSum(y, null, { keepdims: 0 });
const mean = (g: Ops, y: Value) => g.reduceMean(y, { keepdims: 0 });
const square = (g: Ops, y: Value) => g.mul(y, y);

test('a dense layer, mean square', () => {
  expect(
    printed({
      inputs: { x: ['N', 4], w: [4, 2], b: [2] },
      build: (g, x) => mean(g, square(g, g.gemm(v(x, 'x'), v(x, 'w'), v(x, 'b')))),
      by: ['w', 'b'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4], w: float32[4,2], b: float32[2]) -> (y, grad/w, grad/b)
      %1: float32[N,2] = Gemm(x, w, b)
      %2: float32[N,2] = Mul(%1, %1)
      y: float32[] = ReduceMean<keepdims=0>(%2)
      %3: int64[] = Size(%2)
      %4: float32[] = Cast<to=float32>(%3)
      %5: float32[] = Div(float32(1), %4)
      %6: float32[] = Mul(%5, float32(2))
      %7: float32[N,2] = Mul(%6, %1)
      grad/w: float32[4,2] = Gemm<transA=1>(x, %7)
      grad/b: float32[2] = ReduceSum<keepdims=0>(%7, int64{0})"
  `);
});

test('two dense layers, cross-entropy', () => {
  expect(
    printed({
      inputs: { x: [8, 4], labels: ['int64', [8]], w1: [4, 16], b1: [16], w2: [16, 3], b2: [3] },
      build: (g, x) =>
        g.softmaxCrossEntropyLoss(
          g.gemm(g.relu(g.gemm(v(x, 'x'), v(x, 'w1'), v(x, 'b1'))), v(x, 'w2'), v(x, 'b2')),
          v(x, 'labels'),
        ),
      by: ['w1', 'b1', 'w2', 'b2'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[8,4], labels: int64[8], w1: float32[4,16], b1: float32[16], w2: float32[16,3], b2: float32[3]) -> (y, grad/w1, grad/b1, grad/w2, grad/b2)
      %1: float32[8,16] = Gemm(x, w1, b1)
      %2: float32[8,16] = Relu(%1)
      %3: float32[8,3] = Gemm(%2, w2, b2)
      y: float32[], %4: float32[8,3] = SoftmaxCrossEntropyLoss(%3, labels)
      %5: int64[8,1] = Unsqueeze(labels, int64{1})
      %6: bool[8,3] = Equal(%5, int64{0,1,2})
      %7: float32[8,3] = Cast<to=float32>(%6)
      %8: float32[8,3] = Exp(%4)
      %9: float32[8,3] = Sub(%8, %7)
      %10: float32[8,3] = Mul(%9, float32(0.125))
      %11: float32[8,16] = Gemm<transB=1>(%10, w2)
      grad/w2: float32[16,3] = Gemm<transA=1>(%2, %10)
      grad/b2: float32[3] = ReduceSum<keepdims=0>(%10, int64{0})
      %12: bool[8,16] = Greater(%2, float32(0))
      %13: float32[8,16] = Where(%12, %11, float32(0))
      grad/w1: float32[4,16] = Gemm<transA=1>(x, %13)
      grad/b1: float32[16] = ReduceSum<keepdims=0>(%13, int64{0})"
  `);
});

test('MatMul and Add on [N, T, C]', () => {
  expect(
    printed({
      inputs: { x: ['N', 'T', 8], w: [8, 4], b: [4] },
      build: (g, x) => sum(g, g.tanh(g.add(g.matMul(v(x, 'x'), v(x, 'w')), v(x, 'b')))),
      by: ['x', 'w', 'b'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,T,8], w: float32[8,4], b: float32[4]) -> (y, grad/x, grad/w, grad/b)
      %1: float32[N,T,4] = MatMul(x, w)
      %2: float32[N,T,4] = Add(%1, b)
      %3: float32[N,T,4] = Tanh(%2)
      y: float32[] = ReduceSum<keepdims=0>(%3)
      %4: float32[N,T,4] = Mul(%3, %3)
      %5: float32[N,T,4] = Sub(float32(1), %4)
      grad/b: float32[4] = ReduceSum<keepdims=0>(%5, int64{0,1})
      %6: float32[4,8] = Transpose<perm=[1,0]>(w)
      grad/x: float32[N,T,8] = MatMul(%5, %6)
      %7: float32[?,8] = Reshape(x, int64{-1,8})
      %8: float32[?,4] = Reshape(%5, int64{-1,4})
      grad/w: float32[8,4] = Gemm<transA=1>(%7, %8)"
  `);
});

test('a convolution, ReLU', () => {
  expect(
    printed({
      inputs: { x: ['N', 4, 8, 8], w: [6, 4, 3, 3], b: [6] },
      build: (g, x) => sum(g, square(g, g.relu(g.conv(v(x, 'x'), v(x, 'w'), v(x, 'b'), { pads: [1, 1, 1, 1] })))),
      by: ['x', 'w', 'b'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4,8,8], w: float32[6,4,3,3], b: float32[6]) -> (y, grad/x, grad/w, grad/b)
      windows: int64[576]
      %1: float32[N,6,8,8] = Conv<pads=[1,1,1,1]>(x, w, b)
      %2: float32[N,6,8,8] = Relu(%1)
      %3: float32[N,6,8,8] = Mul(%2, %2)
      y: float32[] = ReduceSum<keepdims=0>(%3)
      %4: float32[N,6,8,8] = Mul(float32(2), %2)
      %5: bool[N,6,8,8] = Greater(%2, float32(0))
      %6: float32[N,6,8,8] = Where(%5, %4, float32(0))
      %7: float32[4,6,3,3] = Transpose<perm=[1,0,2,3]>(w)
      %8: float32[4,6,3,3] = Slice(%7, int64{-1,-1}, int64{-2147483648,-2147483648}, int64{2,3}, int64{-1,-1})
      grad/x: float32[N,4,8,8] = Conv<kernel_shape=[3,3], dilations=[1,1], pads=[1,1,1,1]>(%6, %8)
      %9: float32[6,N,8,8] = Transpose<perm=[1,0,2,3]>(%6)
      %10: float32[6,?] = Reshape(%9, int64{6,-1})
      %11: float32[N,4,64] = Reshape(x, int64{0,4,-1})
      %12: float32[N,64,4] = Transpose<perm=[0,2,1]>(%11)
      %13: float32[N,65,4] = Pad(%12, int64{0,0,0,0,1,0})
      %14: float32[N,576,4] = Gather<axis=1>(%13, windows)
      %15: float32[?,36] = Reshape(%14, int64{-1,36})
      %16: float32[6,36] = MatMul(%10, %15)
      %17: float32[6,3,3,4] = Reshape(%16, int64{6,3,3,4})
      grad/w: float32[6,4,3,3] = Transpose<perm=[0,3,1,2]>(%17)
      grad/b: float32[6] = ReduceSum<keepdims=0>(%6, int64{0,2,3})"
  `);
});

test('a convolution of three channels, stride 2', () => {
  expect(
    printed({
      inputs: { x: [2, 3, 9, 9], w: [4, 3, 3, 3] },
      build: (g, x) => sum(g, square(g, g.conv(v(x, 'x'), v(x, 'w'), { strides: [2, 2] }))),
      by: ['w'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[2,3,9,9], w: float32[4,3,3,3]) -> (y, grad/w)
      const_3: int64[12]
      grad/Mul/Mul/out: float32[2,4,4,4]
      %1: float32[2,4,4,4] = Conv<strides=[2,2]>(x, w)
      %2: float32[2,4,4,4] = Mul(%1, %1)
      y: float32[] = ReduceSum<keepdims=0>(%2)
      %3: float32[2,4,4,4] = Mul(grad/Mul/Mul/out, %1)
      %4: float32[2,3,12,9] = Gather<axis=2>(x, const_3)
      %5: float32[2,3,12,4] = Slice(%4, int64{0}, int64{7}, int64{3}, int64{2})
      %6: float32[2,3,12,4] = Slice(%4, int64{1}, int64{8}, int64{3}, int64{2})
      %7: float32[2,3,12,4] = Slice(%4, int64{2}, int64{9}, int64{3}, int64{2})
      %8: float32[2,9,12,4] = Concat<axis=1>(%5, %6, %7)
      %9: float32[2,27,16] = Reshape(%8, int64{0,27,16})
      %10: float32[2,4,16] = Reshape(%3, int64{0,4,16})
      %11: float32[2,16,27] = Transpose<perm=[0,2,1]>(%9)
      %12: float32[2,4,27] = MatMul(%10, %11)
      %13: float32[4,27] = ReduceSum<keepdims=0>(%12, int64{0})
      %14: float32[4,3,3,3] = Reshape(%13, int64{4,3,3,3})
      grad/w: float32[4,3,3,3] = Transpose<perm=[0,2,3,1]>(%14)"
  `);
});

test('a convolution of an unknown size', () => {
  expect(
    printed({
      inputs: { x: ['N', 4, null, null], w: [6, 4, 3, 3], s: [6, 1, 1] },
      build: (g, x) => sum(g, g.relu(g.mul(g.conv(v(x, 'x'), v(x, 'w'), { pads: [1, 1, 1, 1] }), v(x, 's')))),
      by: ['w', 's'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4,?,?], w: float32[6,4,3,3], s: float32[6,1,1]) -> (y, grad/w, grad/s)
      %1: float32[N,6,?,?] = Conv<pads=[1,1,1,1]>(x, w)
      %2: float32[N,6,?,?] = Mul(%1, s)
      %3: float32[N,6,?,?] = Relu(%2)
      y: float32[] = ReduceSum<keepdims=0>(%3)
      %4: int64[4] = Shape(%3)
      %5: float32[N,6,?,?] = Expand(float32(1), %4)
      %6: bool[N,6,?,?] = Greater(%3, float32(0))
      %7: float32[N,6,?,?] = Where(%6, %5, float32(0))
      %8: float32[N,6,?,?] = Mul(%7, s)
      %9: float32[N,6,?,?] = Mul(%7, %1)
      %10: float32[6] = ReduceSum<keepdims=0>(%9, int64{0,2,3})
      grad/s: float32[6,1,1] = Reshape(%10, int64{6,1,1})
      %11: float32[4,N,?,?] = Transpose<perm=[1,0,2,3]>(x)
      %12: float32[6,N,?,?] = Transpose<perm=[1,0,2,3]>(%8)
      %13: float32[4,6,?,?] = Conv<strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(%11, %12)
      %14: float32[4,6,?,?] = Slice(%13, int64{0,0}, int64{3,3}, int64{2,3})
      grad/w: float32[6,4,3,3] = Transpose<perm=[1,0,2,3]>(%14)"
  `);
});

test('max pooling of overlapping windows', () => {
  expect(
    printed({
      inputs: { x: [2, 3, 7, 7] },
      build: (g, x) => sum(g, square(g, g.maxPool(v(x, 'x'), { kernel_shape: [3, 3], strides: [2, 2] }))),
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[2,3,7,7]) -> (y, grad/x)
      grad/Mul/Mul/out: float32[2,3,3,3]
      grad/MaxPool/Expand/out: float32[294]
      %1: float32[2,3,3,3], %2: int64[2,3,3,3] = MaxPool<kernel_shape=[3,3], strides=[2,2]>(x)
      %3: float32[2,3,3,3] = Mul(%1, %1)
      y: float32[] = ReduceSum<keepdims=0>(%3)
      %4: float32[2,3,3,3] = Mul(grad/Mul/Mul/out, %1)
      %5: int64[54] = Reshape(%2, int64{-1})
      %6: float32[54] = Reshape(%4, int64{-1})
      %7: float32[294] = ScatterElements<reduction="add">(grad/MaxPool/Expand/out, %5, %6)
      grad/x: float32[2,3,7,7] = Reshape(%7, int64{2,3,7,7})"
  `);
});

test('global average pooling', () => {
  expect(
    printed({
      inputs: { x: ['N', 3, 7, 7] },
      build: (g, x) => sum(g, square(g, g.globalAveragePool(v(x, 'x')))),
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,7,7]) -> (y, grad/x)
      %1: float32[N,3,1,1] = GlobalAveragePool(x)
      %2: float32[N,3,1,1] = Mul(%1, %1)
      y: float32[] = ReduceSum<keepdims=0>(%2)
      %3: float32[N,3,1,1] = Mul(float32(2), %1)
      %4: float32[N,3,1,1] = Div(%3, float32(49))
      %5: int64[4] = Shape(x)
      grad/x: float32[N,3,7,7] = Expand(%4, %5)"
  `);
});

test('batch normalisation that infers', () => {
  expect(
    printed({
      inputs: { x: ['N', 3, 4, 4], scale: [3], bias: [3], m: [3], s: [3] },
      build: (g, x) => sum(g, g.relu(g.batchNormalization(v(x, 'x'), v(x, 'scale'), v(x, 'bias'), v(x, 'm'), v(x, 's')))),
      by: ['x', 'scale', 'bias'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,4], scale: float32[3], bias: float32[3], m: float32[3], s: float32[3]) -> (y, grad/x, grad/scale, grad/bias)
      %1: float32[N,3,4,4] = BatchNormalization(x, scale, bias, m, s)
      %2: float32[N,3,4,4] = Relu(%1)
      y: float32[] = ReduceSum<keepdims=0>(%2)
      %3: bool[N,3,4,4] = Greater(%2, float32(0))
      %4: float32[N,3,4,4] = Where(%3, float32(1), float32(0))
      %5: float32[3] = Add(s, float32(0.00001))
      %6: float32[3] = Sqrt(%5)
      %7: float32[3] = Reciprocal(%6)
      %8: float32[3] = Mul(scale, %7)
      %9: float32[3,1,1] = Unsqueeze(m, int64{1,2})
      %10: float32[N,3,4,4] = Sub(x, %9)
      %11: float32[N,3,4,4] = Mul(%4, %10)
      %12: float32[3] = ReduceSum<keepdims=0>(%11, int64{0,2,3})
      grad/scale: float32[3] = Mul(%12, %7)
      %13: float32[3,1,1] = Unsqueeze(%8, int64{1,2})
      grad/x: float32[N,3,4,4] = Mul(%4, %13)
      grad/bias: float32[3] = ReduceSum<keepdims=0>(%4, int64{0,2,3})"
  `);
});

test('layer normalisation', () => {
  expect(
    printed({
      inputs: { x: ['N', 5, 16], scale: [16], bias: [16] },
      build: (g, x) => sum(g, square(g, g.layerNormalization(v(x, 'x'), v(x, 'scale'), v(x, 'bias')))),
      by: ['x', 'scale', 'bias'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,5,16], scale: float32[16], bias: float32[16]) -> (y, grad/x, grad/scale, grad/bias)
      %1: float32[N,5,16], %2: float32[N,5,1], %3: float32[N,5,1] = LayerNormalization(x, scale, bias)
      %4: float32[N,5,16] = Mul(%1, %1)
      y: float32[] = ReduceSum<keepdims=0>(%4)
      %5: float32[N,5,16] = Mul(float32(2), %1)
      %6: float32[N,5,16] = Sub(x, %2)
      %7: float32[N,5,16] = Mul(%6, %3)
      %8: float32[N,5,16] = Mul(%5, scale)
      %9: float32[N,5,16] = Mul(%8, %7)
      %10: float32[N,5,1] = ReduceMean<axes=[-1], keepdims=1>(%9)
      %11: float32[N,5,16] = Mul(%7, %10)
      %12: float32[N,5,1] = ReduceMean<axes=[-1], keepdims=1>(%8)
      %13: float32[N,5,16] = Sub(%8, %12)
      %14: float32[N,5,16] = Sub(%13, %11)
      grad/x: float32[N,5,16] = Mul(%3, %14)
      %15: float32[N,5,16] = Mul(%5, %7)
      grad/scale: float32[16] = ReduceSum<keepdims=0>(%15, int64{0,1})
      grad/bias: float32[16] = ReduceSum<keepdims=0>(%5, int64{0,1})"
  `);
});

test('log-softmax', () => {
  expect(
    printed({
      inputs: { x: ['N', 5] },
      build: (g, x) => g.logSoftmax(v(x, 'x')),
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,5], seed/y: float32[N,5]) -> (y, grad/x)
      y: float32[N,5] = LogSoftmax(x)
      %1: float32[N,5] = Exp(y)
      %2: float32[N,1] = ReduceSum<keepdims=1>(seed/y, int64{1})
      %3: float32[N,5] = Mul(%1, %2)
      grad/x: float32[N,5] = Sub(seed/y, %3)"
  `);
});

test('log sum exp', () => {
  expect(
    printed({
      inputs: { x: ['N', 5] },
      build: (g, x) => mean(g, g.reduceLogSumExp(v(x, 'x'), [1], { keepdims: 0 })),
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,5]) -> (y, grad/x)
      %1: float32[N] = ReduceLogSumExp<axes=[1], keepdims=0>(x)
      y: float32[] = ReduceMean<keepdims=0>(%1)
      %2: int64[] = Size(%1)
      %3: float32[] = Cast<to=float32>(%2)
      %4: float32[] = Div(float32(1), %3)
      %5: int64[1] = Shape(%1)
      %6: float32[N] = Expand(%4, %5)
      %7: float32[N,5] = Softmax<axis=1>(x)
      %8: float32[N,1] = Unsqueeze(%6, int64{1})
      grad/x: float32[N,5] = Mul(%8, %7)"
  `);
});

test('attention, one projection for queries, keys and values', () => {
  expect(
    printed({
      inputs: { x: [2, 5, 8], w: [8, 24] },
      build: (g, x) => {
        const [q, k, values] = g.op('Split', [g.matMul(v(x, 'x'), v(x, 'w')), g.ints([8, 8, 8])], { axis: 2 }, 3) as [
          Value,
          Value,
          Value,
        ];
        const weights = g.softmax(g.mul(g.matMul(q, g.transpose(k, { perm: [0, 2, 1] })), g.scalar(0.35, q)));
        return sum(g, square(g, g.matMul(weights, values)));
      },
      by: ['w'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[2,5,8], w: float32[8,24]) -> (y, grad/w)
      grad/Mul_1/Mul/out: float32[2,5,8]
      %1: float32[2,5,24] = MatMul(x, w)
      %2: float32[2,5,8], %3: float32[2,5,8], %4: float32[2,5,8] = Split<axis=2>(%1, int64{8,8,8})
      %5: float32[2,8,5] = Transpose<perm=[0,2,1]>(%3)
      %6: float32[2,5,5] = MatMul(%2, %5)
      %7: float32[2,5,5] = Mul(%6, float32(0.35))
      %8: float32[2,5,5] = Softmax(%7)
      %9: float32[2,5,8] = MatMul(%8, %4)
      %10: float32[2,5,8] = Mul(%9, %9)
      y: float32[] = ReduceSum<keepdims=0>(%10)
      %11: float32[2,5,8] = Mul(grad/Mul_1/Mul/out, %9)
      %12: float32[2,8,5] = Transpose<perm=[0,2,1]>(%4)
      %13: float32[2,5,5] = MatMul(%11, %12)
      %14: float32[2,5,5] = Transpose<perm=[0,2,1]>(%8)
      %15: float32[2,5,8] = MatMul(%14, %11)
      %16: float32[2,5,5] = Mul(%13, %8)
      %17: float32[2,5,1] = ReduceSum<keepdims=1>(%16, int64{2})
      %18: float32[2,5,5] = Mul(%8, %17)
      %19: float32[2,5,5] = Sub(%16, %18)
      %20: float32[2,5,5] = Mul(%19, float32(0.35))
      %21: float32[2,5,8] = MatMul(%20, %3)
      %22: float32[2,8,5] = Transpose<perm=[0,2,1]>(%2)
      %23: float32[2,8,5] = MatMul(%22, %20)
      %24: float32[2,5,8] = Transpose<perm=[0,2,1]>(%23)
      %25: float32[2,5,24] = Concat<axis=2>(%21, %24, %15)
      %26: float32[10,8] = Reshape(x, int64{-1,8})
      %27: float32[10,24] = Reshape(%25, int64{-1,24})
      grad/w: float32[8,24] = Gemm<transA=1>(%26, %27)"
  `);
});

test('slices that cover the whole', () => {
  expect(
    printed({
      inputs: { x: ['N', 6] },
      build: (g, x) => {
        const part = (from: number) => g.slice(v(x, 'x'), g.ints([from]), g.ints([from + 2]), g.ints([1]));
        return sum(g, g.mul(g.mul(g.sin(part(0)), part(4)), g.exp(part(2))));
      },
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,6]) -> (y, grad/x)
      %1: float32[N,2] = Slice(x, int64{0}, int64{2}, int64{1})
      %2: float32[N,2] = Sin(%1)
      %3: float32[N,2] = Slice(x, int64{4}, int64{6}, int64{1})
      %4: float32[N,2] = Mul(%2, %3)
      %5: float32[N,2] = Slice(x, int64{2}, int64{4}, int64{1})
      %6: float32[N,2] = Exp(%5)
      %7: float32[N,2] = Mul(%4, %6)
      y: float32[] = ReduceSum<keepdims=0>(%7)
      %8: float32[N,2] = Mul(%6, %3)
      %9: float32[N,2] = Mul(%6, %2)
      %10: float32[N,2] = Cos(%1)
      %11: float32[N,2] = Mul(%8, %10)
      grad/x: float32[N,6] = Concat<axis=1>(%11, %7, %9)"
  `);
});

test('an embedding', () => {
  expect(
    printed({
      inputs: { table: [50, 8], tokens: ['int64', ['N', 'T']] },
      build: (g, x) => sum(g, square(g, g.gather(v(x, 'table'), v(x, 'tokens')))),
      by: ['table'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (table: float32[50,8], tokens: int64[N,T]) -> (y, grad/table)
      grad/Gather/Expand/out: float32[50,8]
      %1: float32[N,T,8] = Gather(table, tokens)
      %2: float32[N,T,8] = Mul(%1, %1)
      y: float32[] = ReduceSum<keepdims=0>(%2)
      %3: float32[N,T,8] = Mul(float32(2), %1)
      %4: int64[N,T,1] = Unsqueeze(tokens, int64{-1})
      grad/table: float32[50,8] = ScatterND<reduction="add">(grad/Gather/Expand/out, %4, %3)"
  `);
});

test('a sum that broadcasts symbols', () => {
  expect(
    printed({
      inputs: { x: ['N', 'T', 4], t: ['T', 1], z: [4] },
      build: (g, x) => sum(g, square(g, g.add(g.add(v(x, 'x'), v(x, 't')), v(x, 'z')))),
      by: ['x', 't', 'z'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,T,4], t: float32[T,1], z: float32[4]) -> (y, grad/x, grad/t, grad/z)
      %1: float32[N,T,4] = Add(x, t)
      %2: float32[N,T,4] = Add(%1, z)
      %3: float32[N,T,4] = Mul(%2, %2)
      y: float32[] = ReduceSum<keepdims=0>(%3)
      grad/x: float32[N,T,4] = Mul(float32(2), %2)
      grad/z: float32[4] = ReduceSum<keepdims=0>(grad/x, int64{0,1})
      %4: float32[T] = ReduceSum<keepdims=0>(grad/x, int64{0,2})
      %5: int64[2] = Shape(t)
      grad/t: float32[T,1] = Reshape(%4, %5)"
  `);
});

test('a sum whose shapes are known only at run time', () => {
  expect(
    printed({
      inputs: { a: ['A', 3], b: ['B', 3] },
      build: (g, x) => g.add(v(x, 'a'), v(x, 'b')),
      by: ['a', 'b'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (a: float32[A,3], b: float32[B,3], seed/y: float32[?,3]) -> (y, grad/a, grad/b)
      y: float32[?,3] = Add(a, b)
      %1: int64[2] = Shape(a)
      %2: bool[2] = Equal(%1, int64(1))
      %3: int64[1,?] = NonZero(%2)
      %4: int64[?] = Reshape(%3, int64{-1})
      grad/a: float32[A,3] = ReduceSum<keepdims=1, noop_with_empty_axes=1>(seed/y, %4)
      %5: int64[2] = Shape(b)
      %6: bool[2] = Equal(%5, int64(1))
      %7: int64[1,?] = NonZero(%6)
      %8: int64[?] = Reshape(%7, int64{-1})
      grad/b: float32[B,3] = ReduceSum<keepdims=1, noop_with_empty_axes=1>(seed/y, %8)"
  `);
});

test('a residual block', () => {
  expect(
    printed({
      inputs: { x: ['N', 4], w: [4, 4] },
      build: (g, x) => sum(g, g.mul(g.scalar(0.5, v(x, 'x')), g.add(v(x, 'x'), g.tanh(g.matMul(v(x, 'x'), v(x, 'w')))))),
      by: ['x', 'w'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4], w: float32[4,4]) -> (y, grad/x, grad/w)
      %1: float32[N,4] = MatMul(x, w)
      %2: float32[N,4] = Tanh(%1)
      %3: float32[N,4] = Add(x, %2)
      %4: float32[N,4] = Mul(float32(0.5), %3)
      y: float32[] = ReduceSum<keepdims=0>(%4)
      %5: float32[N,4] = Mul(%2, %2)
      %6: float32[N,4] = Sub(float32(1), %5)
      %7: float32[N,4] = Mul(float32(0.5), %6)
      %8: float32[N,4] = Gemm<transB=1>(%7, w)
      grad/w: float32[4,4] = Gemm<transA=1>(x, %7)
      grad/x: float32[N,4] = Add(float32(0.5), %8)"
  `);
});

test('an If', () => {
  expect(
    printed({
      inputs: { c: ['bool', []], x: ['N'] },
      build: (g, x) => {
        const branch = (name: string, f: (b: Ops) => Value) => {
          const b = g.subgraph(name);
          b.output(f(b));
          return b.graph;
        };
        const y = g.if(v(x, 'c'), {
          then_branch: branch('then', (b) => b.sin(v(x, 'x'))),
          else_branch: branch('else', (b) => b.mul(v(x, 'x'), b.scalar(3, 'float32'))),
        });
        return sum(g, y);
      },
      by: ['x'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (c: bool[], x: float32[N]) -> (y, grad/x)
      %1: float32[N] = If(c)
        then_branch: graph then () -> (%2)
          %2: float32[N] = Sin(x)
        else_branch: graph else () -> (%3)
          %3: float32[N] = Mul(x, float32(3))
      y: float32[] = ReduceSum<keepdims=0>(%1)
      %4: int64[1] = Shape(%1)
      grad/x: float32[N] = If(c)
        then_branch: graph then_branch () -> (%5)
          %5: float32[N] = Cos(x)
        else_branch: graph else_branch () -> (%6)
          %6: float32[N] = Expand(float32(3), %4)"
  `);
});

test('a Loop', () => {
  expect(
    printed({
      inputs: { x: [3], w: [3] },
      build: (g, x) => {
        const b = g.subgraph('body');
        b.input('i', 'int64', []);
        const go = b.input('go', 'bool', []);
        const state = b.input('state', 'float32', [3]);
        b.output(go, 'go_on');
        b.output(b.sin(b.mul(state, v(x, 'w'))), 'next');
        return sum(g, g.loop(g.scalar(4, 'int64'), null, v(x, 'x'), { body: b.graph }));
      },
      by: ['x', 'w'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[3], w: float32[3]) -> (y, grad/x, grad/w)
      %1: float32[3], %2: float32[4,3] = Loop(int64(4), _, x)
        body: graph body (%3: int64[], %4: bool[], %5: float32[3]) -> (%6, %8, %9)
          %6: bool[] = Identity(%4)
          %7: float32[3] = Mul(%5, w)
          %8: float32[3] = Sin(%7)
          %9: float32[3] = Identity(%5)
      y: float32[] = ReduceSum<keepdims=0>(%1)
      grad/x: float32[3], grad/w: float32[3] = Scan<num_scan_inputs=1, scan_input_directions=[1]>(float32{1,1,1}, float32{0,0,0}, %2)
        body: graph backward (%10: float32[3], %11: float32[3], %12: float32[3]) -> (%16, %18)
          %13: float32[3] = Mul(%12, w)
          %14: float32[3] = Cos(%13)
          %15: float32[3] = Mul(%10, %14)
          %16: float32[3] = Mul(%15, w)
          %17: float32[3] = Mul(%15, %12)
          %18: float32[3] = Add(%11, %17)"
  `);
});

test('a Scan', () => {
  expect(
    printed({
      inputs: { h: [3], xs: ['T', 3] },
      build: (g, x) => {
        const b = g.subgraph('body');
        const h = b.input('h_in', 'float32', [3]);
        const step = b.input('x_in', 'float32', [3]);
        const next = b.tanh(b.add(h, step));
        b.output(next, 'h_out');
        return sum(g, g.op('Scan', [v(x, 'h'), v(x, 'xs')], { body: b.graph, num_scan_inputs: 1 }, 1)[0] as Value);
      },
      by: ['h', 'xs'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (h: float32[3], xs: float32[T,3]) -> (y, grad/h, grad/xs)
      %1: float32[3], %2: float32[T,3] = Scan<num_scan_inputs=1>(h, xs)
        body: graph body (%3: float32[3], %4: float32[3]) -> (%6, %7)
          %5: float32[3] = Add(%3, %4)
          %6: float32[3] = Tanh(%5)
          %7: float32[3] = Identity(%3)
      y: float32[] = ReduceSum<keepdims=0>(%1)
      grad/h: float32[3], grad/xs: float32[T,3] = Scan<num_scan_inputs=2, scan_input_directions=[1,1], scan_output_directions=[1]>(float32{1,1,1}, %2, xs)
        body: graph backward (%8: float32[3], %9: float32[3], %10: float32[3]) -> (%15, %16)
          %11: float32[3] = Add(%9, %10)
          %12: float32[3] = Tanh(%11)
          %13: float32[3] = Mul(%12, %12)
          %14: float32[3] = Sub(float32(1), %13)
          %15: float32[3] = Mul(%8, %14)
          %16: float32[3] = Identity(%15)"
  `);
});

test('an LSTM', () => {
  expect(
    printed({
      inputs: { x: [5, 'N', 3], w: [1, 8, 3], r: [1, 8, 2], b: [1, 16] },
      build: (g, x) =>
        sum(g, g.op('LSTM', [v(x, 'x'), v(x, 'w'), v(x, 'r'), v(x, 'b')], { hidden_size: 2 }, [false, true])[1] as Value),
      by: ['w', 'r', 'b'],
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[5,N,3], w: float32[1,8,3], r: float32[1,8,2], b: float32[1,16]) -> (y, grad/w, grad/r, grad/b)
      %1: float32[5,1,N,2], %2: float32[1,N,2] = LSTM<hidden_size=2>(x, w, r, b)
      y: float32[] = ReduceSum<keepdims=0>(%2)
      %3: int64[3] = Shape(%2)
      %4: float32[1,N,2] = Expand(float32(1), %3)
      %5: int64[1] = Shape<start=1, end=2>(x)
      %6: int64[2] = Concat<axis=0>(%5, int64{2})
      %7: float32[N,2] = Expand(float32(0), %6)
      %8: float32[5,N,2] = Squeeze(%1, int64{1})
      %9: float32[4,N,2] = Slice(%8, int64{0}, int64{-1}, int64{0})
      %10: float32[1,N,2] = Unsqueeze(%7, int64{0})
      %11: float32[5,N,2] = Concat<axis=0>(%10, %9)
      %12: float32[8,3] = Squeeze(w, int64{0})
      %13: float32[8,2] = Squeeze(r, int64{0})
      %14: float32[16] = Squeeze(b, int64{0})
      %15: float32[8], %16: float32[8] = Split<axis=0>(%14)
      %17: float32[N,2] = Squeeze(%4, int64{0})
      %18: float32[8] = Add(%15, %16)
      %19: float32[3,8] = Transpose<perm=[1,0]>(%12)
      %20: float32[5,N,8] = MatMul(x, %19)
      %21: float32[5,N,8] = Add(%20, %18)
      %22: float32[2,8] = Transpose<perm=[1,0]>(%13)
      %23: float32[5,N,8] = MatMul(%11, %22)
      %24: float32[5,N,8] = Add(%21, %23)
      %25: float32[5,N,2], %26: float32[5,N,2], %27: float32[5,N,2], %28: float32[5,N,2] = Split<axis=2>(%24, int64{2,2,2,2})
      %29: float32[5,N,2] = Tanh(%28)
      %30: float32[5,N,2] = Mul(%29, %29)
      %31: float32[5,N,2] = Sub(float32(1), %30)
      %32: float32[5,N,2] = Sigmoid(%25)
      %33: float32[5,N,2] = Sub(float32(1), %32)
      %34: float32[5,N,2] = Mul(%32, %33)
      %35: float32[5,N,2] = Sigmoid(%27)
      %36: float32[5,N,2] = Sub(float32(1), %35)
      %37: float32[5,N,2] = Mul(%35, %36)
      %38: float32[5,N,2] = Mul(%32, %29)
      %39: float32[N,2], %40: float32[5,N,2] = Scan<num_scan_inputs=2, scan_input_directions=[0,0], scan_output_directions=[0]>(%7, %35, %38)
        body: graph step (%41: float32[N,2], %42: float32[N,2], %43: float32[N,2]) -> (%45, %46)
          %44: float32[N,2] = Mul(%41, %42)
          %45: float32[N,2] = Add(%44, %43)
          %46: float32[N,2] = Identity(%45)
      %47: float32[4,N,2] = Slice(%40, int64{0}, int64{-1}, int64{0})
      %48: float32[5,N,2] = Concat<axis=0>(%10, %47)
      %49: float32[5,N,2] = Sigmoid(%26)
      %50: float32[5,N,2] = Sub(float32(1), %49)
      %51: float32[5,N,2] = Mul(%49, %50)
      %52: float32[5,N,2] = Tanh(%40)
      %53: float32[5,N,2] = Mul(%52, %52)
      %54: float32[5,N,2] = Sub(float32(1), %53)
      %55: float32[5,N,2] = Mul(%29, %34)
      %56: float32[5,N,2] = Mul(%48, %37)
      %57: float32[5,N,2] = Mul(%52, %51)
      %58: float32[5,N,2] = Mul(%32, %31)
      %59: float32[5,N,2] = Mul(%49, %54)
      %60: float32[N,2], %61: float32[N,2], %62: float32[5,N,8] = Scan<num_scan_inputs=6, scan_input_directions=[1,1,1,1,1,1], scan_output_directions=[1]>(%17, %7, %55, %57, %58, %59, %35, %56)
        body: graph step (%63: float32[N,2], %64: float32[N,2], %65: float32[N,2], %66: float32[N,2], %67: float32[N,2], %68: float32[N,2], %69: float32[N,2], %70: float32[N,2]) -> (%79, %78, %77)
          %71: float32[N,2] = Mul(%63, %66)
          %72: float32[N,2] = Mul(%63, %68)
          %73: float32[N,2] = Add(%64, %72)
          %74: float32[N,2] = Mul(%73, %65)
          %75: float32[N,2] = Mul(%73, %70)
          %76: float32[N,2] = Mul(%73, %67)
          %77: float32[N,8] = Concat<axis=1>(%74, %71, %75, %76)
          %78: float32[N,2] = Mul(%73, %69)
          %79: float32[N,2] = MatMul(%77, %13)
      %80: float32[?,8] = Reshape(%62, int64{-1,8})
      %81: float32[?,3] = Reshape(x, int64{-1,3})
      %82: float32[8,3] = Gemm<transA=1>(%80, %81)
      grad/w: float32[1,8,3] = Unsqueeze(%82, int64{0})
      %83: float32[?,2] = Reshape(%11, int64{-1,2})
      %84: float32[8,2] = Gemm<transA=1>(%80, %83)
      grad/r: float32[1,8,2] = Unsqueeze(%84, int64{0})
      %85: float32[8] = ReduceSum<keepdims=0>(%62, int64{0,1})
      %86: float32[16] = Concat<axis=0>(%85, %85)
      grad/b: float32[1,16] = Unsqueeze(%86, int64{0})"
  `);
});

test('forward mode', () => {
  expect(
    printed({
      inputs: { x: ['N', 4], w: [4, 2] },
      build: (g, x) => g.tanh(g.matMul(v(x, 'x'), v(x, 'w'))),
      by: ['x', 'w'],
      mode: 'jvp',
    }),
  ).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4], w: float32[4,2], tangent/x: float32[N,4], tangent/w: float32[4,2]) -> (y, jvp/y)
      %1: float32[N,2] = MatMul(x, w)
      y: float32[N,2] = Tanh(%1)
      %2: float32[N,2] = Mul(y, y)
      %3: float32[N,2] = Sub(float32(1), %2)
      %4: float32[N,2] = Gemm(x, tangent/w)
      %5: float32[N,2] = Gemm(tangent/x, w)
      %6: float32[N,2] = Add(%4, %5)
      jvp/y: float32[N,2] = Mul(%6, %3)"
  `);
});
