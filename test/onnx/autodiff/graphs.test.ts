// What a gradient graph looks like: some twenty graphs, printed. A change that adds a node shows here. Each is also run by its neighbours
// (gradients.test.ts, control-flow.test.ts, torch.test.ts); here only the form is looked at.
import { expect, test } from 'vitest';
import { type GradOptions, grad } from '../../../src/onnx/autodiff/grad.js';
import type { DType } from '../../../src/onnx/core/dtype.js';
import type { Shape } from '../../../src/onnx/core/shape.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { type Ops, ops } from '../../../src/onnx/ops/ops.js';

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
  return printGraph(grad(g.model(), { of: 'y', by, ...(mode === undefined ? {} : { mode }) }).graph);
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
      Gemm/out: float32[N,2] = Gemm(x, w, b)
      Mul/out: float32[N,2] = Mul(Gemm/out, Gemm/out)
      y: float32[] = ReduceMean<keepdims=0>(Mul/out)
      grad/ReduceMean/Size/out: int64[] = Size(Mul/out)
      grad/ReduceMean/Cast/out: float32[] = Cast<to=float32>(grad/ReduceMean/Size/out)
      grad/ReduceMean/Div_1/out: float32[] = Div(float32(1), grad/ReduceMean/Cast/out)
      grad/Mul/Mul/out/small: float32[] = Mul(grad/ReduceMean/Div_1/out, float32(2))
      grad/Mul/Mul_1/out: float32[N,2] = Mul(grad/Mul/Mul/out/small, Gemm/out)
      grad/w: float32[4,2] = Gemm<transA=1>(x, grad/Mul/Mul_1/out)
      grad/b: float32[2] = ReduceSum<keepdims=0>(grad/Mul/Mul_1/out, int64{0})"
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
      Gemm/out: float32[8,16] = Gemm(x, w1, b1)
      Relu/out: float32[8,16] = Relu(Gemm/out)
      Gemm_1/out: float32[8,3] = Gemm(Relu/out, w2, b2)
      y: float32[], y/out1: float32[8,3] = SoftmaxCrossEntropyLoss(Gemm_1/out, labels)
      grad/SoftmaxCrossEntropyLoss/Unsqueeze/out: int64[8,1] = Unsqueeze(labels, int64{1})
      grad/SoftmaxCrossEntropyLoss/Equal/out: bool[8,3] = Equal(grad/SoftmaxCrossEntropyLoss/Unsqueeze/out, int64{0,1,2})
      grad/SoftmaxCrossEntropyLoss/Cast/out: float32[8,3] = Cast<to=float32>(grad/SoftmaxCrossEntropyLoss/Equal/out)
      grad/SoftmaxCrossEntropyLoss/Exp/out: float32[8,3] = Exp(y/out1)
      grad/SoftmaxCrossEntropyLoss/Sub/out: float32[8,3] = Sub(grad/SoftmaxCrossEntropyLoss/Exp/out, grad/SoftmaxCrossEntropyLoss/Cast/out)
      grad/SoftmaxCrossEntropyLoss/Mul/out: float32[8,3] = Mul(grad/SoftmaxCrossEntropyLoss/Sub/out, float32(0.125))
      grad/Gemm_1/Gemm/out: float32[8,16] = Gemm<transB=1>(grad/SoftmaxCrossEntropyLoss/Mul/out, w2)
      grad/w2: float32[16,3] = Gemm<transA=1>(Relu/out, grad/SoftmaxCrossEntropyLoss/Mul/out)
      grad/b2: float32[3] = ReduceSum<keepdims=0>(grad/SoftmaxCrossEntropyLoss/Mul/out, int64{0})
      grad/Relu/Greater/out: bool[8,16] = Greater(Relu/out, float32(0))
      grad/Relu/Where/out: float32[8,16] = Where(grad/Relu/Greater/out, grad/Gemm_1/Gemm/out, float32(0))
      grad/w1: float32[4,16] = Gemm<transA=1>(x, grad/Relu/Where/out)
      grad/b1: float32[16] = ReduceSum<keepdims=0>(grad/Relu/Where/out, int64{0})"
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
      MatMul/out: float32[N,T,4] = MatMul(x, w)
      Add/out: float32[N,T,4] = Add(MatMul/out, b)
      Tanh/out: float32[N,T,4] = Tanh(Add/out)
      y: float32[] = ReduceSum<keepdims=0>(Tanh/out)
      grad/Tanh/Mul/out: float32[N,T,4] = Mul(Tanh/out, Tanh/out)
      grad/Tanh/Sub/out: float32[N,T,4] = Sub(float32(1), grad/Tanh/Mul/out)
      grad/b: float32[4] = ReduceSum<keepdims=0>(grad/Tanh/Sub/out, int64{0,1})
      grad/MatMul/Transpose/out: float32[4,8] = Transpose<perm=[1,0]>(w)
      grad/x: float32[N,T,8] = MatMul(grad/Tanh/Sub/out, grad/MatMul/Transpose/out)
      grad/MatMul/Reshape/out: float32[?,8] = Reshape(x, int64{-1,8})
      grad/MatMul/Reshape_1/out: float32[?,4] = Reshape(grad/Tanh/Sub/out, int64{-1,4})
      grad/w: float32[8,4] = Gemm<transA=1>(grad/MatMul/Reshape/out, grad/MatMul/Reshape_1/out)"
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
      Conv/out: float32[N,6,8,8] = Conv<pads=[1,1,1,1]>(x, w, b)
      Relu/out: float32[N,6,8,8] = Relu(Conv/out)
      Mul/out: float32[N,6,8,8] = Mul(Relu/out, Relu/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[N,6,8,8] = Mul(float32(2), Relu/out)
      grad/Relu/Greater/out: bool[N,6,8,8] = Greater(Relu/out, float32(0))
      grad/Relu/Where/out: float32[N,6,8,8] = Where(grad/Relu/Greater/out, grad/Mul/Mul_1/out, float32(0))
      grad/Conv/Transpose/out: float32[4,6,3,3] = Transpose<perm=[1,0,2,3]>(w)
      grad/Conv/Slice/out: float32[4,6,3,3] = Slice(grad/Conv/Transpose/out, int64{-1,-1}, int64{-2147483648,-2147483648}, int64{2,3}, int64{-1,-1})
      grad/x: float32[N,4,8,8] = Conv<kernel_shape=[3,3], dilations=[1,1], pads=[1,1,1,1]>(grad/Relu/Where/out, grad/Conv/Slice/out)
      grad/Conv/Transpose_1/out: float32[6,N,8,8] = Transpose<perm=[1,0,2,3]>(grad/Relu/Where/out)
      grad/Conv/Reshape/out: float32[6,?] = Reshape(grad/Conv/Transpose_1/out, int64{6,-1})
      grad/Conv/Reshape_1/out: float32[N,4,64] = Reshape(x, int64{0,4,-1})
      grad/Conv/Transpose_2/out: float32[N,64,4] = Transpose<perm=[0,2,1]>(grad/Conv/Reshape_1/out)
      grad/Conv/Pad/out: float32[N,65,4] = Pad(grad/Conv/Transpose_2/out, int64{0,0,0,0,1,0})
      grad/Conv/Gather/out: float32[N,576,4] = Gather<axis=1>(grad/Conv/Pad/out, windows)
      grad/Conv/Reshape_2/out: float32[?,36] = Reshape(grad/Conv/Gather/out, int64{-1,36})
      grad/Conv/MatMul/out: float32[6,36] = MatMul(grad/Conv/Reshape/out, grad/Conv/Reshape_2/out)
      grad/Conv/Reshape_3/out: float32[6,3,3,4] = Reshape(grad/Conv/MatMul/out, int64{6,3,3,4})
      grad/w: float32[6,4,3,3] = Transpose<perm=[0,3,1,2]>(grad/Conv/Reshape_3/out)
      grad/b: float32[6] = ReduceSum<keepdims=0>(grad/Relu/Where/out, int64{0,2,3})"
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
      Conv/out: float32[2,4,4,4] = Conv<strides=[2,2]>(x, w)
      Mul/out: float32[2,4,4,4] = Mul(Conv/out, Conv/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[2,4,4,4] = Mul(grad/Mul/Mul/out, Conv/out)
      grad/Conv/Gather/out: float32[2,3,12,9] = Gather<axis=2>(x, const_3)
      grad/Conv/Slice/out: float32[2,3,12,4] = Slice(grad/Conv/Gather/out, int64{0}, int64{7}, int64{3}, int64{2})
      grad/Conv/Slice_1/out: float32[2,3,12,4] = Slice(grad/Conv/Gather/out, int64{1}, int64{8}, int64{3}, int64{2})
      grad/Conv/Slice_2/out: float32[2,3,12,4] = Slice(grad/Conv/Gather/out, int64{2}, int64{9}, int64{3}, int64{2})
      grad/Conv/Concat/out: float32[2,9,12,4] = Concat<axis=1>(grad/Conv/Slice/out, grad/Conv/Slice_1/out, grad/Conv/Slice_2/out)
      grad/Conv/Reshape/out: float32[2,27,16] = Reshape(grad/Conv/Concat/out, int64{0,27,16})
      grad/Conv/Reshape_1/out: float32[2,4,16] = Reshape(grad/Mul/Mul_1/out, int64{0,4,16})
      grad/Conv/Transpose/out: float32[2,16,27] = Transpose<perm=[0,2,1]>(grad/Conv/Reshape/out)
      grad/Conv/MatMul/out: float32[2,4,27] = MatMul(grad/Conv/Reshape_1/out, grad/Conv/Transpose/out)
      grad/Conv/ReduceSum/out: float32[4,27] = ReduceSum<keepdims=0>(grad/Conv/MatMul/out, int64{0})
      grad/Conv/Reshape_2/out: float32[4,3,3,3] = Reshape(grad/Conv/ReduceSum/out, int64{4,3,3,3})
      grad/w: float32[4,3,3,3] = Transpose<perm=[0,2,3,1]>(grad/Conv/Reshape_2/out)"
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
      Conv/out: float32[N,6,?,?] = Conv<pads=[1,1,1,1]>(x, w)
      Mul/out: float32[N,6,?,?] = Mul(Conv/out, s)
      Relu/out: float32[N,6,?,?] = Relu(Mul/out)
      y: float32[] = ReduceSum<keepdims=0>(Relu/out)
      grad/ReduceSum/Shape/out: int64[4] = Shape(Relu/out)
      grad/ReduceSum/Expand/out: float32[N,6,?,?] = Expand(float32(1), grad/ReduceSum/Shape/out)
      grad/Relu/Greater/out: bool[N,6,?,?] = Greater(Relu/out, float32(0))
      grad/Relu/Where/out: float32[N,6,?,?] = Where(grad/Relu/Greater/out, grad/ReduceSum/Expand/out, float32(0))
      grad/Mul/Mul/out: float32[N,6,?,?] = Mul(grad/Relu/Where/out, s)
      grad/Mul/Mul_1/out: float32[N,6,?,?] = Mul(grad/Relu/Where/out, Conv/out)
      grad/Mul/ReduceSum/out: float32[6] = ReduceSum<keepdims=0>(grad/Mul/Mul_1/out, int64{0,2,3})
      grad/s: float32[6,1,1] = Reshape(grad/Mul/ReduceSum/out, int64{6,1,1})
      grad/Conv/Transpose/out: float32[4,N,?,?] = Transpose<perm=[1,0,2,3]>(x)
      grad/Conv/Transpose_1/out: float32[6,N,?,?] = Transpose<perm=[1,0,2,3]>(grad/Mul/Mul/out)
      grad/Conv/Conv/out: float32[4,6,?,?] = Conv<strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(grad/Conv/Transpose/out, grad/Conv/Transpose_1/out)
      grad/Conv/Slice/out: float32[4,6,?,?] = Slice(grad/Conv/Conv/out, int64{0,0}, int64{3,3}, int64{2,3})
      grad/w: float32[6,4,3,3] = Transpose<perm=[1,0,2,3]>(grad/Conv/Slice/out)"
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
      MaxPool/out: float32[2,3,3,3], MaxPool/out/out1: int64[2,3,3,3] = MaxPool<kernel_shape=[3,3], strides=[2,2]>(x)
      Mul/out: float32[2,3,3,3] = Mul(MaxPool/out, MaxPool/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[2,3,3,3] = Mul(grad/Mul/Mul/out, MaxPool/out)
      grad/MaxPool/Reshape/out: int64[54] = Reshape(MaxPool/out/out1, int64{-1})
      grad/MaxPool/Reshape_1/out: float32[54] = Reshape(grad/Mul/Mul_1/out, int64{-1})
      grad/MaxPool/ScatterElements/out: float32[294] = ScatterElements<reduction="add">(grad/MaxPool/Expand/out, grad/MaxPool/Reshape/out, grad/MaxPool/Reshape_1/out)
      grad/x: float32[2,3,7,7] = Reshape(grad/MaxPool/ScatterElements/out, int64{2,3,7,7})"
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
      GlobalAveragePool/out: float32[N,3,1,1] = GlobalAveragePool(x)
      Mul/out: float32[N,3,1,1] = Mul(GlobalAveragePool/out, GlobalAveragePool/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[N,3,1,1] = Mul(float32(2), GlobalAveragePool/out)
      grad/GlobalAveragePool/Div/out: float32[N,3,1,1] = Div(grad/Mul/Mul_1/out, float32(49))
      grad/GlobalAveragePool/Shape/out: int64[4] = Shape(x)
      grad/x: float32[N,3,7,7] = Expand(grad/GlobalAveragePool/Div/out, grad/GlobalAveragePool/Shape/out)"
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
      BatchNormalization/out: float32[N,3,4,4] = BatchNormalization(x, scale, bias, m, s)
      Relu/out: float32[N,3,4,4] = Relu(BatchNormalization/out)
      y: float32[] = ReduceSum<keepdims=0>(Relu/out)
      grad/Relu/Greater/out: bool[N,3,4,4] = Greater(Relu/out, float32(0))
      grad/Relu/Where/out: float32[N,3,4,4] = Where(grad/Relu/Greater/out, float32(1), float32(0))
      grad/BatchNormalization/Add/out: float32[3] = Add(s, float32(0.00001))
      grad/BatchNormalization/Sqrt/out: float32[3] = Sqrt(grad/BatchNormalization/Add/out)
      grad/BatchNormalization/Reciprocal/out: float32[3] = Reciprocal(grad/BatchNormalization/Sqrt/out)
      grad/BatchNormalization/Mul/out: float32[3] = Mul(scale, grad/BatchNormalization/Reciprocal/out)
      grad/BatchNormalization/Unsqueeze_1/out: float32[3,1,1] = Unsqueeze(m, int64{1,2})
      grad/BatchNormalization/Sub/out: float32[N,3,4,4] = Sub(x, grad/BatchNormalization/Unsqueeze_1/out)
      grad/BatchNormalization/Mul_1/out: float32[N,3,4,4] = Mul(grad/Relu/Where/out, grad/BatchNormalization/Sub/out)
      grad/BatchNormalization/ReduceSum/out: float32[3] = ReduceSum<keepdims=0>(grad/BatchNormalization/Mul_1/out, int64{0,2,3})
      grad/scale: float32[3] = Mul(grad/BatchNormalization/ReduceSum/out, grad/BatchNormalization/Reciprocal/out)
      grad/BatchNormalization/Unsqueeze_2/out: float32[3,1,1] = Unsqueeze(grad/BatchNormalization/Mul/out, int64{1,2})
      grad/x: float32[N,3,4,4] = Mul(grad/Relu/Where/out, grad/BatchNormalization/Unsqueeze_2/out)
      grad/bias: float32[3] = ReduceSum<keepdims=0>(grad/Relu/Where/out, int64{0,2,3})"
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
      LayerNormalization/out: float32[N,5,16], LayerNormalization/out/out1: float32[N,5,1], LayerNormalization/out/out2: float32[N,5,1] = LayerNormalization(x, scale, bias)
      Mul/out: float32[N,5,16] = Mul(LayerNormalization/out, LayerNormalization/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[N,5,16] = Mul(float32(2), LayerNormalization/out)
      grad/LayerNormalization/Sub/out: float32[N,5,16] = Sub(x, LayerNormalization/out/out1)
      grad/LayerNormalization/Mul/out: float32[N,5,16] = Mul(grad/LayerNormalization/Sub/out, LayerNormalization/out/out2)
      grad/LayerNormalization/Mul_1/out: float32[N,5,16] = Mul(grad/Mul/Mul_1/out, scale)
      grad/LayerNormalization/Mul_2/out: float32[N,5,16] = Mul(grad/LayerNormalization/Mul_1/out, grad/LayerNormalization/Mul/out)
      grad/LayerNormalization/ReduceMean/out: float32[N,5,1] = ReduceMean<axes=[-1], keepdims=1>(grad/LayerNormalization/Mul_2/out)
      grad/LayerNormalization/Mul_3/out: float32[N,5,16] = Mul(grad/LayerNormalization/Mul/out, grad/LayerNormalization/ReduceMean/out)
      grad/LayerNormalization/ReduceMean_1/out: float32[N,5,1] = ReduceMean<axes=[-1], keepdims=1>(grad/LayerNormalization/Mul_1/out)
      grad/LayerNormalization/Sub_1/out: float32[N,5,16] = Sub(grad/LayerNormalization/Mul_1/out, grad/LayerNormalization/ReduceMean_1/out)
      grad/LayerNormalization/Sub_2/out: float32[N,5,16] = Sub(grad/LayerNormalization/Sub_1/out, grad/LayerNormalization/Mul_3/out)
      grad/x: float32[N,5,16] = Mul(LayerNormalization/out/out2, grad/LayerNormalization/Sub_2/out)
      grad/LayerNormalization/Mul_5/out: float32[N,5,16] = Mul(grad/Mul/Mul_1/out, grad/LayerNormalization/Mul/out)
      grad/scale: float32[16] = ReduceSum<keepdims=0>(grad/LayerNormalization/Mul_5/out, int64{0,1})
      grad/bias: float32[16] = ReduceSum<keepdims=0>(grad/Mul/Mul_1/out, int64{0,1})"
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
      grad/LogSoftmax/Exp/out: float32[N,5] = Exp(y)
      grad/LogSoftmax/ReduceSum/out: float32[N,1] = ReduceSum<keepdims=1>(seed/y, int64{1})
      grad/LogSoftmax/Mul/out: float32[N,5] = Mul(grad/LogSoftmax/Exp/out, grad/LogSoftmax/ReduceSum/out)
      grad/x: float32[N,5] = Sub(seed/y, grad/LogSoftmax/Mul/out)"
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
      ReduceLogSumExp/out: float32[N] = ReduceLogSumExp<axes=[1], keepdims=0>(x)
      y: float32[] = ReduceMean<keepdims=0>(ReduceLogSumExp/out)
      grad/ReduceMean/Size/out: int64[] = Size(ReduceLogSumExp/out)
      grad/ReduceMean/Cast/out: float32[] = Cast<to=float32>(grad/ReduceMean/Size/out)
      grad/ReduceMean/Div_1/out: float32[] = Div(float32(1), grad/ReduceMean/Cast/out)
      grad/ReduceMean/Shape/out: int64[1] = Shape(ReduceLogSumExp/out)
      grad/ReduceMean/Expand/out: float32[N] = Expand(grad/ReduceMean/Div_1/out, grad/ReduceMean/Shape/out)
      grad/ReduceLogSumExp/Softmax/out: float32[N,5] = Softmax<axis=1>(x)
      grad/ReduceLogSumExp/Unsqueeze/out: float32[N,1] = Unsqueeze(grad/ReduceMean/Expand/out, int64{1})
      grad/x: float32[N,5] = Mul(grad/ReduceLogSumExp/Unsqueeze/out, grad/ReduceLogSumExp/Softmax/out)"
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
      MatMul/out: float32[2,5,24] = MatMul(x, w)
      Split/out: float32[2,5,8], Split/out1: float32[2,5,8], Split/out2: float32[2,5,8] = Split<axis=2>(MatMul/out, int64{8,8,8})
      Transpose/out: float32[2,8,5] = Transpose<perm=[0,2,1]>(Split/out1)
      MatMul_1/out: float32[2,5,5] = MatMul(Split/out, Transpose/out)
      Mul/out: float32[2,5,5] = Mul(MatMul_1/out, float32(0.35))
      Softmax/out: float32[2,5,5] = Softmax(Mul/out)
      MatMul_2/out: float32[2,5,8] = MatMul(Softmax/out, Split/out2)
      Mul_1/out: float32[2,5,8] = Mul(MatMul_2/out, MatMul_2/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul_1/out)
      grad/Mul_1/Mul_1/out: float32[2,5,8] = Mul(grad/Mul_1/Mul/out, MatMul_2/out)
      grad/MatMul_2/Transpose/out: float32[2,8,5] = Transpose<perm=[0,2,1]>(Split/out2)
      grad/MatMul_2/MatMul/out: float32[2,5,5] = MatMul(grad/Mul_1/Mul_1/out, grad/MatMul_2/Transpose/out)
      grad/MatMul_2/Transpose_1/out: float32[2,5,5] = Transpose<perm=[0,2,1]>(Softmax/out)
      grad/MatMul_2/MatMul_1/out: float32[2,5,8] = MatMul(grad/MatMul_2/Transpose_1/out, grad/Mul_1/Mul_1/out)
      grad/Softmax/Mul/out: float32[2,5,5] = Mul(grad/MatMul_2/MatMul/out, Softmax/out)
      grad/Softmax/ReduceSum/out: float32[2,5,1] = ReduceSum<keepdims=1>(grad/Softmax/Mul/out, int64{2})
      grad/Softmax/Mul_1/out: float32[2,5,5] = Mul(Softmax/out, grad/Softmax/ReduceSum/out)
      grad/Softmax/Sub/out: float32[2,5,5] = Sub(grad/Softmax/Mul/out, grad/Softmax/Mul_1/out)
      grad/Mul/Mul/out: float32[2,5,5] = Mul(grad/Softmax/Sub/out, float32(0.35))
      grad/MatMul_1/MatMul/out: float32[2,5,8] = MatMul(grad/Mul/Mul/out, Split/out1)
      grad/MatMul_1/Transpose_1/out: float32[2,8,5] = Transpose<perm=[0,2,1]>(Split/out)
      grad/MatMul_1/MatMul_1/out: float32[2,8,5] = MatMul(grad/MatMul_1/Transpose_1/out, grad/Mul/Mul/out)
      grad/Transpose/Transpose/out: float32[2,5,8] = Transpose<perm=[0,2,1]>(grad/MatMul_1/MatMul_1/out)
      grad/Split/Concat/out: float32[2,5,24] = Concat<axis=2>(grad/MatMul_1/MatMul/out, grad/Transpose/Transpose/out, grad/MatMul_2/MatMul_1/out)
      grad/MatMul/Reshape/out: float32[10,8] = Reshape(x, int64{-1,8})
      grad/MatMul/Reshape_1/out: float32[10,24] = Reshape(grad/Split/Concat/out, int64{-1,24})
      grad/w: float32[8,24] = Gemm<transA=1>(grad/MatMul/Reshape/out, grad/MatMul/Reshape_1/out)"
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
      Slice/out: float32[N,2] = Slice(x, int64{0}, int64{2}, int64{1})
      Sin/out: float32[N,2] = Sin(Slice/out)
      Slice_1/out: float32[N,2] = Slice(x, int64{4}, int64{6}, int64{1})
      Mul/out: float32[N,2] = Mul(Sin/out, Slice_1/out)
      Slice_2/out: float32[N,2] = Slice(x, int64{2}, int64{4}, int64{1})
      Exp/out: float32[N,2] = Exp(Slice_2/out)
      Mul_1/out: float32[N,2] = Mul(Mul/out, Exp/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul_1/out)
      grad/Mul/Mul/out: float32[N,2] = Mul(Exp/out, Slice_1/out)
      grad/Mul/Mul_1/out: float32[N,2] = Mul(Exp/out, Sin/out)
      grad/Sin/Cos/out: float32[N,2] = Cos(Slice/out)
      grad/Sin/Mul/out: float32[N,2] = Mul(grad/Mul/Mul/out, grad/Sin/Cos/out)
      grad/x: float32[N,6] = Concat<axis=1>(grad/Sin/Mul/out, Mul_1/out, grad/Mul/Mul_1/out)"
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
      Gather/out: float32[N,T,8] = Gather(table, tokens)
      Mul/out: float32[N,T,8] = Mul(Gather/out, Gather/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Mul/Mul_1/out: float32[N,T,8] = Mul(float32(2), Gather/out)
      grad/Gather/Unsqueeze/out: int64[N,T,1] = Unsqueeze(tokens, int64{-1})
      grad/table: float32[50,8] = ScatterND<reduction="add">(grad/Gather/Expand/out, grad/Gather/Unsqueeze/out, grad/Mul/Mul_1/out)"
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
      Add/out: float32[N,T,4] = Add(x, t)
      Add_1/out: float32[N,T,4] = Add(Add/out, z)
      Mul/out: float32[N,T,4] = Mul(Add_1/out, Add_1/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/x: float32[N,T,4] = Mul(float32(2), Add_1/out)
      grad/z: float32[4] = ReduceSum<keepdims=0>(grad/x, int64{0,1})
      grad/Add/ReduceSum/out: float32[T] = ReduceSum<keepdims=0>(grad/x, int64{0,2})
      grad/Add/Shape/out: int64[2] = Shape(t)
      grad/t: float32[T,1] = Reshape(grad/Add/ReduceSum/out, grad/Add/Shape/out)"
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
      grad/Add/Shape/out: int64[2] = Shape(a)
      grad/Add/Equal/out: bool[2] = Equal(grad/Add/Shape/out, int64(1))
      grad/Add/NonZero/out: int64[1,?] = NonZero(grad/Add/Equal/out)
      grad/Add/Squeeze/out: int64[?] = Reshape(grad/Add/NonZero/out, int64{-1})
      grad/a: float32[A,3] = ReduceSum<keepdims=1, noop_with_empty_axes=1>(seed/y, grad/Add/Squeeze/out)
      grad/Add/Shape_1/out: int64[2] = Shape(b)
      grad/Add/Equal_1/out: bool[2] = Equal(grad/Add/Shape_1/out, int64(1))
      grad/Add/NonZero_1/out: int64[1,?] = NonZero(grad/Add/Equal_1/out)
      grad/Add/Squeeze_1/out: int64[?] = Reshape(grad/Add/NonZero_1/out, int64{-1})
      grad/b: float32[B,3] = ReduceSum<keepdims=1, noop_with_empty_axes=1>(seed/y, grad/Add/Squeeze_1/out)"
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
      MatMul/out: float32[N,4] = MatMul(x, w)
      Tanh/out: float32[N,4] = Tanh(MatMul/out)
      Add/out: float32[N,4] = Add(x, Tanh/out)
      Mul/out: float32[N,4] = Mul(float32(0.5), Add/out)
      y: float32[] = ReduceSum<keepdims=0>(Mul/out)
      grad/Tanh/Mul/out: float32[N,4] = Mul(Tanh/out, Tanh/out)
      grad/Tanh/Sub/out: float32[N,4] = Sub(float32(1), grad/Tanh/Mul/out)
      grad/Tanh/Mul_1/out: float32[N,4] = Mul(float32(0.5), grad/Tanh/Sub/out)
      grad/MatMul/Gemm/out: float32[N,4] = Gemm<transB=1>(grad/Tanh/Mul_1/out, w)
      grad/w: float32[4,4] = Gemm<transA=1>(x, grad/Tanh/Mul_1/out)
      grad/x: float32[N,4] = Add(float32(0.5), grad/MatMul/Gemm/out)"
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
      If/out: float32[N] = If(c)
        then_branch: graph then () -> (Sin/out)
          Sin/out: float32[N] = Sin(x)
        else_branch: graph else () -> (Mul/out)
          Mul/out: float32[N] = Mul(x, float32(3))
      y: float32[] = ReduceSum<keepdims=0>(If/out)
      grad/ReduceSum/Shape/out: int64[1] = Shape(If/out)
      grad/x: float32[N] = If(c)
        then_branch: graph then_branch () -> (grad/Sin_1/Mul/out)
          grad/Sin_1/Mul/out: float32[N] = Cos(x)
        else_branch: graph else_branch () -> (grad/Mul_1/Mul/out)
          grad/Mul_1/Mul/out: float32[N] = Expand(float32(3), grad/ReduceSum/Shape/out)"
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
      Loop/out: float32[3], state/each/stacked: float32[4,3] = Loop(int64(4), _, x)
        body: graph body (i: int64[], go: bool[], state: float32[3]) -> (go_on, next, state/each)
          go_on: bool[] = Identity(go)
          Mul/out: float32[3] = Mul(state, w)
          next: float32[3] = Sin(Mul/out)
          state/each: float32[3] = Identity(state)
      y: float32[] = ReduceSum<keepdims=0>(Loop/out)
      grad/x: float32[3], grad/w: float32[3] = Scan<num_scan_inputs=1, scan_input_directions=[1]>(float32{1,1,1}, float32{0,0,0}, state/each/stacked)
        body: graph backward (d_state: float32[3], d_w: float32[3], state_1: float32[3]) -> (grad/Mul_1/Mul/out, Add/out)
          Mul/out_1: float32[3] = Mul(state_1, w)
          grad/Sin_1/Cos/out: float32[3] = Cos(Mul/out_1)
          grad/Sin_1/Mul/out: float32[3] = Mul(d_state, grad/Sin_1/Cos/out)
          grad/Mul_1/Mul/out: float32[3] = Mul(grad/Sin_1/Mul/out, w)
          grad/Mul_1/Mul_1/out: float32[3] = Mul(grad/Sin_1/Mul/out, state_1)
          Add/out: float32[3] = Add(d_w, grad/Mul_1/Mul_1/out)"
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
      Scan/out: float32[3], h_in/each/stacked: float32[T,3] = Scan<num_scan_inputs=1>(h, xs)
        body: graph body (h_in: float32[3], x_in: float32[3]) -> (h_out, h_in/each)
          Add/out: float32[3] = Add(h_in, x_in)
          h_out: float32[3] = Tanh(Add/out)
          h_in/each: float32[3] = Identity(h_in)
      y: float32[] = ReduceSum<keepdims=0>(Scan/out)
      grad/h: float32[3], grad/xs: float32[T,3] = Scan<num_scan_inputs=2, scan_input_directions=[1,1], scan_output_directions=[1]>(float32{1,1,1}, h_in/each/stacked, xs)
        body: graph backward (d_h_in: float32[3], h_in_1: float32[3], x_in_1: float32[3]) -> (grad/Tanh_1/Mul_1/out, Identity/out)
          Add/out_1: float32[3] = Add(h_in_1, x_in_1)
          h_out_1: float32[3] = Tanh(Add/out_1)
          grad/Tanh_1/Mul/out: float32[3] = Mul(h_out_1, h_out_1)
          grad/Tanh_1/Sub/out: float32[3] = Sub(float32(1), grad/Tanh_1/Mul/out)
          grad/Tanh_1/Mul_1/out: float32[3] = Mul(d_h_in, grad/Tanh_1/Sub/out)
          Identity/out: float32[3] = Identity(grad/Tanh_1/Mul_1/out)"
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
      LSTM/out1/out0: float32[5,1,N,2], LSTM/out1: float32[1,N,2] = LSTM<hidden_size=2>(x, w, r, b)
      y: float32[] = ReduceSum<keepdims=0>(LSTM/out1)
      grad/ReduceSum/Shape/out: int64[3] = Shape(LSTM/out1)
      grad/ReduceSum/Expand/out: float32[1,N,2] = Expand(float32(1), grad/ReduceSum/Shape/out)
      grad/LSTM/Shape/out: int64[1] = Shape<start=1, end=2>(x)
      grad/LSTM/Concat/out: int64[2] = Concat<axis=0>(grad/LSTM/Shape/out, int64{2})
      grad/LSTM/Expand/out: float32[N,2] = Expand(float32(0), grad/LSTM/Concat/out)
      grad/LSTM/Squeeze/out: float32[5,N,2] = Squeeze(LSTM/out1/out0, int64{1})
      grad/LSTM/Slice/out: float32[4,N,2] = Slice(grad/LSTM/Squeeze/out, int64{0}, int64{-1}, int64{0})
      grad/LSTM/Unsqueeze/out: float32[1,N,2] = Unsqueeze(grad/LSTM/Expand/out, int64{0})
      grad/LSTM/Concat_1/out: float32[5,N,2] = Concat<axis=0>(grad/LSTM/Unsqueeze/out, grad/LSTM/Slice/out)
      grad/LSTM/Squeeze_1/out: float32[8,3] = Squeeze(w, int64{0})
      grad/LSTM/Squeeze_2/out: float32[8,2] = Squeeze(r, int64{0})
      grad/LSTM/Squeeze_3/out: float32[16] = Squeeze(b, int64{0})
      grad/LSTM/Split/out: float32[8], grad/LSTM/Split/out1: float32[8] = Split<axis=0>(grad/LSTM/Squeeze_3/out)
      grad/LSTM/Squeeze_4/out: float32[N,2] = Squeeze(grad/ReduceSum/Expand/out, int64{0})
      grad/LSTM/Add/out: float32[8] = Add(grad/LSTM/Split/out, grad/LSTM/Split/out1)
      grad/LSTM/Transpose/out: float32[3,8] = Transpose<perm=[1,0]>(grad/LSTM/Squeeze_1/out)
      grad/LSTM/MatMul/out: float32[5,N,8] = MatMul(x, grad/LSTM/Transpose/out)
      grad/LSTM/Add_1/out: float32[5,N,8] = Add(grad/LSTM/MatMul/out, grad/LSTM/Add/out)
      grad/LSTM/Transpose_1/out: float32[2,8] = Transpose<perm=[1,0]>(grad/LSTM/Squeeze_2/out)
      grad/LSTM/MatMul_1/out: float32[5,N,8] = MatMul(grad/LSTM/Concat_1/out, grad/LSTM/Transpose_1/out)
      grad/LSTM/Add_2/out: float32[5,N,8] = Add(grad/LSTM/Add_1/out, grad/LSTM/MatMul_1/out)
      grad/LSTM/Split_1/out: float32[5,N,2], grad/LSTM/Split_1/out1: float32[5,N,2], grad/LSTM/Split_1/out2: float32[5,N,2], grad/LSTM/Split_1/out3: float32[5,N,2] = Split<axis=2>(grad/LSTM/Add_2/out, int64{2,2,2,2})
      grad/LSTM/Tanh/out: float32[5,N,2] = Tanh(grad/LSTM/Split_1/out3)
      grad/LSTM/Mul/out: float32[5,N,2] = Mul(grad/LSTM/Tanh/out, grad/LSTM/Tanh/out)
      grad/LSTM/Sub/out: float32[5,N,2] = Sub(float32(1), grad/LSTM/Mul/out)
      grad/LSTM/Sigmoid/out: float32[5,N,2] = Sigmoid(grad/LSTM/Split_1/out)
      grad/LSTM/Sub_1/out: float32[5,N,2] = Sub(float32(1), grad/LSTM/Sigmoid/out)
      grad/LSTM/Mul_1/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid/out, grad/LSTM/Sub_1/out)
      grad/LSTM/Sigmoid_1/out: float32[5,N,2] = Sigmoid(grad/LSTM/Split_1/out2)
      grad/LSTM/Sub_2/out: float32[5,N,2] = Sub(float32(1), grad/LSTM/Sigmoid_1/out)
      grad/LSTM/Mul_2/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid_1/out, grad/LSTM/Sub_2/out)
      grad/LSTM/Mul_3/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid/out, grad/LSTM/Tanh/out)
      grad/LSTM/Scan/out: float32[N,2], grad/LSTM/Scan/out1: float32[5,N,2] = Scan<num_scan_inputs=2, scan_input_directions=[0,0], scan_output_directions=[0]>(grad/LSTM/Expand/out, grad/LSTM/Sigmoid_1/out, grad/LSTM/Mul_3/out)
        body: graph step (grad/LSTM/Expand/out/step: float32[N,2], grad/LSTM/Sigmoid_1/out/step: float32[N,2], grad/LSTM/Mul_3/out/step: float32[N,2]) -> (Add/out, Identity/out)
          Mul/out: float32[N,2] = Mul(grad/LSTM/Expand/out/step, grad/LSTM/Sigmoid_1/out/step)
          Add/out: float32[N,2] = Add(Mul/out, grad/LSTM/Mul_3/out/step)
          Identity/out: float32[N,2] = Identity(Add/out)
      grad/LSTM/Slice_1/out: float32[4,N,2] = Slice(grad/LSTM/Scan/out1, int64{0}, int64{-1}, int64{0})
      grad/LSTM/Concat_2/out: float32[5,N,2] = Concat<axis=0>(grad/LSTM/Unsqueeze/out, grad/LSTM/Slice_1/out)
      grad/LSTM/Sigmoid_2/out: float32[5,N,2] = Sigmoid(grad/LSTM/Split_1/out1)
      grad/LSTM/Sub_3/out: float32[5,N,2] = Sub(float32(1), grad/LSTM/Sigmoid_2/out)
      grad/LSTM/Mul_4/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid_2/out, grad/LSTM/Sub_3/out)
      grad/LSTM/Tanh_1/out: float32[5,N,2] = Tanh(grad/LSTM/Scan/out1)
      grad/LSTM/Mul_5/out: float32[5,N,2] = Mul(grad/LSTM/Tanh_1/out, grad/LSTM/Tanh_1/out)
      grad/LSTM/Sub_4/out: float32[5,N,2] = Sub(float32(1), grad/LSTM/Mul_5/out)
      grad/LSTM/Mul_6/out: float32[5,N,2] = Mul(grad/LSTM/Tanh/out, grad/LSTM/Mul_1/out)
      grad/LSTM/Mul_7/out: float32[5,N,2] = Mul(grad/LSTM/Concat_2/out, grad/LSTM/Mul_2/out)
      grad/LSTM/Mul_8/out: float32[5,N,2] = Mul(grad/LSTM/Tanh_1/out, grad/LSTM/Mul_4/out)
      grad/LSTM/Mul_9/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid/out, grad/LSTM/Sub/out)
      grad/LSTM/Mul_10/out: float32[5,N,2] = Mul(grad/LSTM/Sigmoid_2/out, grad/LSTM/Sub_4/out)
      grad/LSTM/Scan_1/out: float32[N,2], grad/LSTM/Scan_1/out1: float32[N,2], grad/LSTM/Scan_1/out2: float32[5,N,8] = Scan<num_scan_inputs=6, scan_input_directions=[1,1,1,1,1,1], scan_output_directions=[1]>(grad/LSTM/Squeeze_4/out, grad/LSTM/Expand/out, grad/LSTM/Mul_6/out, grad/LSTM/Mul_8/out, grad/LSTM/Mul_9/out, grad/LSTM/Mul_10/out, grad/LSTM/Sigmoid_1/out, grad/LSTM/Mul_7/out)
        body: graph step (grad/LSTM/Squeeze_4/out/step: float32[N,2], grad/LSTM/Expand/out/step_1: float32[N,2], grad/LSTM/Mul_6/out/step: float32[N,2], grad/LSTM/Mul_8/out/step: float32[N,2], grad/LSTM/Mul_9/out/step: float32[N,2], grad/LSTM/Mul_10/out/step: float32[N,2], grad/LSTM/Sigmoid_1/out/step_1: float32[N,2], grad/LSTM/Mul_7/out/step: float32[N,2]) -> (MatMul/out, Mul_6/out, Concat/out)
          Mul_1/out: float32[N,2] = Mul(grad/LSTM/Squeeze_4/out/step, grad/LSTM/Mul_8/out/step)
          Mul_2/out: float32[N,2] = Mul(grad/LSTM/Squeeze_4/out/step, grad/LSTM/Mul_10/out/step)
          Add_1/out: float32[N,2] = Add(grad/LSTM/Expand/out/step_1, Mul_2/out)
          Mul_3/out: float32[N,2] = Mul(Add_1/out, grad/LSTM/Mul_6/out/step)
          Mul_4/out: float32[N,2] = Mul(Add_1/out, grad/LSTM/Mul_7/out/step)
          Mul_5/out: float32[N,2] = Mul(Add_1/out, grad/LSTM/Mul_9/out/step)
          Concat/out: float32[N,8] = Concat<axis=1>(Mul_3/out, Mul_1/out, Mul_4/out, Mul_5/out)
          Mul_6/out: float32[N,2] = Mul(Add_1/out, grad/LSTM/Sigmoid_1/out/step_1)
          MatMul/out: float32[N,2] = MatMul(Concat/out, grad/LSTM/Squeeze_2/out)
      grad/LSTM/Reshape/out: float32[?,8] = Reshape(grad/LSTM/Scan_1/out2, int64{-1,8})
      grad/LSTM/Reshape_1/out: float32[?,3] = Reshape(x, int64{-1,3})
      grad/LSTM/Gemm/out: float32[8,3] = Gemm<transA=1>(grad/LSTM/Reshape/out, grad/LSTM/Reshape_1/out)
      grad/w: float32[1,8,3] = Unsqueeze(grad/LSTM/Gemm/out, int64{0})
      grad/LSTM/Reshape_3/out: float32[?,2] = Reshape(grad/LSTM/Concat_1/out, int64{-1,2})
      grad/LSTM/Gemm_1/out: float32[8,2] = Gemm<transA=1>(grad/LSTM/Reshape/out, grad/LSTM/Reshape_3/out)
      grad/r: float32[1,8,2] = Unsqueeze(grad/LSTM/Gemm_1/out, int64{0})
      grad/LSTM/ReduceSum/out: float32[8] = ReduceSum<keepdims=0>(grad/LSTM/Scan_1/out2, int64{0,1})
      grad/LSTM/Concat_7/out: float32[16] = Concat<axis=0>(grad/LSTM/ReduceSum/out, grad/LSTM/ReduceSum/out)
      grad/b: float32[1,16] = Unsqueeze(grad/LSTM/Concat_7/out, int64{0})"
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
      MatMul/out: float32[N,2] = MatMul(x, w)
      y: float32[N,2] = Tanh(MatMul/out)
      grad/Tanh/Mul/out: float32[N,2] = Mul(y, y)
      grad/Tanh/Sub/out: float32[N,2] = Sub(float32(1), grad/Tanh/Mul/out)
      grad/grad/MatMul/Gemm_1/Gemm/out: float32[N,2] = Gemm(x, tangent/w)
      grad/grad/MatMul/Gemm/Gemm/out: float32[N,2] = Gemm(tangent/x, w)
      Add/out: float32[N,2] = Add(grad/grad/MatMul/Gemm_1/Gemm/out, grad/grad/MatMul/Gemm/Gemm/out)
      jvp/y: float32[N,2] = Mul(Add/out, grad/Tanh/Sub/out)"
  `);
});
