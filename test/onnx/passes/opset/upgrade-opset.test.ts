// Models of opsets 7 to 24 give the same numbers after the upgrade, on ONNX Runtime, and a gradient that fits finite differences of the model
// as it was. The rows hold every form that an op had between opsets 7 and 24.
import { describe, expect, it, test } from 'vitest';
import { grad } from '../../../../src/onnx/autodiff/grad.js';
import { float32, int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { GraphBuilder } from '../../../../src/onnx/ir/builder.js';
import type { Attribute, Value } from '../../../../src/onnx/ir/graph.js';
import { irVersionFor, type Model } from '../../../../src/onnx/ir/model.js';
import { tensorType } from '../../../../src/onnx/ir/types.js';
import { raiseOpset, upgradeOpset } from '../../../../src/onnx/passes/opset/upgrade-opset.js';
import { fromBinary } from '../../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../../src/onnx/serde/to-binary.js';
import { runtime } from '../../../support/run.js';

type Attributes = Readonly<Record<string, number | readonly number[] | string>>;

/** A builder that lets every form of every opset pass. */
class Old extends GraphBuilder {
  constructor(opset: number) {
    super(() => [], opset);
  }
  op(opType: string, inputs: readonly (Value | null)[], attributes: Attributes = {}, floats: readonly string[] = []): Value {
    const list = Object.entries(attributes).map(([name, v]): [string, Attribute] => {
      if (typeof v === 'string') return [name, { kind: 'string', value: new TextEncoder().encode(v) }];
      if (typeof v === 'number')
        return [name, floats.includes(name) ? { kind: 'float', value: v } : { kind: 'int', value: BigInt(v) }];
      return [name, floats.includes(name) ? { kind: 'floats', value: v } : { kind: 'ints', value: v.map(BigInt) }];
    });
    return this.single(opType, inputs, new Map(list));
  }
  several(opType: string, inputs: readonly (Value | null)[], attributes: Attributes, outputs: number): Value[] {
    const list = Object.entries(attributes).map(([name, v]): [string, Attribute] =>
      typeof v === 'number'
        ? [name, { kind: 'int', value: BigInt(v) }]
        : [name, { kind: 'ints', value: Array.from(v as readonly number[], BigInt) }],
    );
    return this.node(opType, inputs, new Map(list), outputs);
  }
}

const x = Tensor.from(
  'float32',
  Array.from({ length: 2 * 3 * 4 * 4 }, (_, i) => Math.sin(i + 0.5) * 1.5),
  [2, 3, 4, 4],
);
const vector = (n: number) => float32(Array.from({ length: n }, (_, i) => 0.5 + 0.25 * i));

/** The same model at several opsets, for ops that kept their form but have rules or kernels of their own at each. */
const over = (opsets: readonly number[], name: string, build: (g: Old, x: Value) => Value): Row[] =>
  opsets.map((opset) => ({ name, opset, build }));
const weights = (g: Old, name: string, dims: readonly number[]) =>
  g.initializer(
    name,
    Tensor.from(
      'float32',
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => 0.6 * Math.cos(2 * i + 1)),
      dims,
    ),
  );
const list = (g: Old, ...v: number[]) => g.constant(int64(v));
const number = (g: Old, v: number) => g.constant(Tensor.from('float32', v));
const first = (g: Old, op: string, inputs: readonly (Value | null)[], attributes: Attributes, outputs: number, i = 0) =>
  g.several(op, inputs, attributes, outputs)[i] as Value;

interface Row {
  readonly name: string;
  readonly opset: number;
  readonly build: (g: Old, x: Value) => Value;
}

const net = (opset: number): Row => ({
  name: 'Conv, BatchNormalization, Relu, MaxPool, Flatten, Gemm, Softmax',
  opset,
  build: (g, v) => {
    const w = g.initializer(
      'w',
      Tensor.from(
        'float32',
        Array.from({ length: 4 * 3 * 9 }, (_, i) => Math.cos(i) * 0.3),
        [4, 3, 3, 3],
      ),
    );
    const [scale, bias, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((name) => g.initializer(name, vector(4)));
    const y = g.op('Conv', [v, w], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    const n = g.op(
      'BatchNormalization',
      [y, scale as Value, bias as Value, mean as Value, variance as Value],
      opset < 9 ? { spatial: 1 } : {},
    );
    const p = g.op('MaxPool', [g.op('Relu', [n])], { kernel_shape: [2, 2], strides: [2, 2] });
    const d = g.initializer(
      'd',
      Tensor.from(
        'float32',
        Array.from({ length: 16 * 3 }, (_, i) => Math.sin(3 * i) * 0.2),
        [16, 3],
      ),
    );
    return g.op('Softmax', [g.op('Gemm', [g.op('Flatten', [p]), d, g.initializer('c', vector(3))])], { axis: 1 });
  },
});

const rows: Row[] = [
  ...Array.from({ length: 18 }, (_, i) => net(7 + i)),
  {
    name: 'Squeeze, Unsqueeze with attributes',
    opset: 11,
    build: (g, v) => g.op('Squeeze', [g.op('Unsqueeze', [v], { axes: [0, 3] })], { axes: [0] }),
  },
  { name: 'ReduceSum with an attribute', opset: 12, build: (g, v) => g.op('ReduceSum', [v], { axes: [1, -1], keepdims: 0 }) },
  {
    name: 'ReduceMean keeps its attribute at 17',
    opset: 9,
    build: (g, v) => g.op('ReduceMean', [v], { axes: [2], keepdims: 1 }),
  },
  { name: 'Softmax over a matrix', opset: 11, build: (g, v) => g.op('Softmax', [v], { axis: 2 }) },
  { name: 'Softmax, axis 1 by default', opset: 8, build: (g, v) => g.op('Softmax', [v]) },
  { name: 'LogSoftmax over the last axis', opset: 12, build: (g, v) => g.op('LogSoftmax', [v], { axis: 3 }) },
  { name: 'Clip with attributes', opset: 7, build: (g, v) => g.op('Clip', [v], { min: -0.5, max: 0.75 }, ['min', 'max']) },
  { name: 'Clip, one bound', opset: 10, build: (g, v) => g.op('Clip', [v], { max: 0.75 }, ['max']) },
  { name: 'Dropout that infers', opset: 7, build: (g, v) => g.op('Dropout', [v], { ratio: 0.3 }, ['ratio']) },
  { name: 'Dropout with ratio', opset: 10, build: (g, v) => g.op('Dropout', [v], { ratio: 0.3 }, ['ratio']) },
  {
    name: 'Pad with attributes',
    opset: 10,
    build: (g, v) => g.op('Pad', [v], { pads: [0, 0, 1, 0, 0, 0, 0, 2], value: 1.5, mode: 'constant' }, ['value']),
  },
  { name: 'Pad, reflected', opset: 8, build: (g, v) => g.op('Pad', [v], { pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: 'reflect' }) },
  {
    name: 'Slice with attributes',
    opset: 9,
    build: (g, v) => g.op('Slice', [v], { starts: [0, -3], ends: [2, 2 ** 40], axes: [1, 3] }),
  },
  {
    name: 'TopK with an attribute',
    opset: 9,
    build: (g, v) => g.node('TopK', [v], new Map([['k', { kind: 'int', value: 2n }]]), 2)[0] as Value,
  },
  {
    name: 'Split with sizes',
    opset: 11,
    build: (g, v) =>
      g.node(
        'Split',
        [v],
        new Map([
          ['axis', { kind: 'int', value: 1n }],
          ['split', { kind: 'ints', value: [1n, 2n] }],
        ]),
        2,
      )[1] as Value,
  },
  {
    name: 'Upsample, scales as an attribute',
    opset: 7,
    build: (g, v) => g.op('Upsample', [v], { scales: [1, 1, 2, 2], mode: 'nearest' }, ['scales']),
  },
  {
    name: 'Upsample, scales as an input',
    opset: 9,
    build: (g, v) => g.op('Upsample', [v, g.initializer('s', float32([1, 1, 2, 3]))], { mode: 'linear' }),
  },
  {
    name: 'Resize of opset 10, smaller',
    opset: 10,
    build: (g, v) => g.op('Resize', [v, g.initializer('s', float32([1, 1, 0.5, 0.5]))], { mode: 'nearest' }),
  },
  {
    name: 'Scatter',
    opset: 10,
    build: (g, v) =>
      g.op(
        'Scatter',
        [
          v,
          g.initializer('i', Tensor.from('int64', [1, 0], [1, 1, 1, 2])),
          g.initializer('u', Tensor.from('float32', [7, 8], [1, 1, 1, 2])),
        ],
        { axis: 2 },
      ),
  },
  {
    name: 'Sum, Min, Max without broadcasting',
    opset: 7,
    build: (g, v) => g.op('Sum', [g.op('Max', [v, v]), g.op('Min', [v, v])]),
  },
];

const versions: Row[] = [
  ...over([12, 13, 22], 'Dropout with ratio as an input', (g, v) => g.op('Dropout', [v, number(g, 0.3)])),
  ...over([13, 16, 18, 24], 'Softmax and LogSoftmax over one axis', (g, v) =>
    g.op('Add', [g.op('Softmax', [v], { axis: 1 }), g.op('LogSoftmax', [v])]),
  ),
  ...over([13, 18, 21, 23], 'Squeeze, Unsqueeze with inputs', (g, v) =>
    g.op('Squeeze', [g.op('Unsqueeze', [v, list(g, 0, 3)]), list(g, 0)]),
  ),
  ...over([13, 21], 'ReduceSum with an input', (g, v) => g.op('ReduceSum', [v, list(g, 1, -1)], { keepdims: 0 })),
  ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceLogSumExp', 'ReduceProd', 'ReduceSumSquare'].flatMap(
    (op) => [
      ...over([7, 11, 13, 17], `${op} with an attribute`, (g, v) => g.op(op, [v], { axes: [2, 3], keepdims: 0 })),
      ...over([18, 20], `${op} with an input`, (g, v) => g.op(op, [v, list(g, 2, 3)], { keepdims: 0 })),
    ],
  ),
  ...over([11, 12, 13], 'Clip with inputs', (g, v) => g.op('Clip', [v, number(g, -0.5), number(g, 0.75)])),
  ...over([11, 13, 19, 21, 23], 'Pad with inputs', (g, v) => g.op('Pad', [v, list(g, 0, 0, 1, 0, 0, 0, 0, 2), number(g, 1.5)])),
  ...over([18, 21], 'Pad with axes', (g, v) => g.op('Pad', [v, list(g, 1, 2), null, list(g, -1)], { mode: 'edge' })),
  ...over([10, 11, 13], 'Slice with inputs', (g, v) =>
    g.op('Slice', [v, list(g, 3, -1), list(g, 0, -9), list(g, 2, 3), list(g, -2, -1)]),
  ),
  ...over([10, 11, 24], 'TopK with an input', (g, v) => first(g, 'TopK', [v, list(g, 2)], { axis: 1 }, 2)),
  ...over([7, 9, 13, 19, 21, 23], 'Cast to float64 and back', (g, v) => g.op('Cast', [g.op('Cast', [v], { to: 11 })], { to: 1 })),
  ...over([7, 11], 'Split in equal parts', (g, v) => first(g, 'Split', [v], { axis: 2 }, 2, 1)),
  ...over([13, 17, 18], 'Split with an input', (g, v) => first(g, 'Split', [v, list(g, 1, 2)], { axis: 1 }, 2, 1)),
  ...over([18, 21], 'Split by num_outputs', (g, v) => first(g, 'Split', [v], { axis: 1, num_outputs: 2 }, 2)),
  ...over([11, 13, 18, 19], 'Resize with scales', (g, v) =>
    g.op('Resize', [v, g.initializer('roi', float32([])), g.initializer('s', float32([1, 1, 1.5, 2]))], { mode: 'linear' }),
  ),
  ...over([11, 13, 18, 19], 'Resize with sizes', (g, v) =>
    g.op('Resize', [v, g.initializer('roi', float32([])), g.initializer('s', float32([])), list(g, 2, 3, 7, 3)], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
  ),
  ...over([7, 9, 11, 13], 'Gemm of Flatten', (g, v) =>
    g.op('Gemm', [g.op('Flatten', [v], { axis: 2 }), weights(g, 'w', [5, 16]), weights(g, 'c', [1, 5])], { transB: 1 }),
  ),
  ...over([7, 10, 11, 19, 22], 'AveragePool', (g, v) =>
    g.op('AveragePool', [v], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  ),
  ...over([8, 10, 11, 12, 22], 'MaxPool', (g, v) =>
    g.op('MaxPool', [v], { kernel_shape: [3, 2], strides: [1, 2], pads: [1, 0, 0, 1] }),
  ),
  ...over([10, 12, 22], 'MaxPool with ceil_mode and dilations', (g, v) =>
    g.op('MaxPool', [v], { kernel_shape: [2, 2], dilations: [2, 1], strides: [2, 2], ceil_mode: 1 }),
  ),
  ...over([7, 11, 18, 22], 'LpPool', (g, v) => g.op('LpPool', [v], { kernel_shape: [2, 2], p: 2 })),
  ...over([7, 11, 22], 'Conv and ConvTranspose', (g, v) =>
    g.op('ConvTranspose', [g.op('Conv', [v, weights(g, 'w', [3, 1, 2, 2])], { group: 3 }), weights(g, 't', [3, 2, 3, 3])], {
      strides: [2, 2],
    }),
  ),
  ...over([18], 'GroupNormalization, a scale per group', (g, v) =>
    g.op('GroupNormalization', [g.op('Concat', [v, v], { axis: 1 }), weights(g, 's', [2]), weights(g, 'b', [2])], {
      num_groups: 2,
    }),
  ),
  ...over([21, 22], 'GroupNormalization, a scale per channel', (g, v) =>
    g.op('GroupNormalization', [g.op('Concat', [v, v], { axis: 1 }), weights(g, 's', [6]), weights(g, 'b', [6])], {
      num_groups: 2,
    }),
  ),
  ...over([7, 13, 22], 'InstanceNormalization', (g, v) =>
    g.op('InstanceNormalization', [v, weights(g, 's', [3]), weights(g, 'b', [3])]),
  ),
  ...over([17, 21], 'LayerNormalization', (g, v) => g.op('LayerNormalization', [v, weights(g, 's', [4, 4])], { axis: 2 })),
  ...over([7, 13], 'LRN', (g, v) => g.op('LRN', [v], { size: 3, alpha: 0.5 }, ['alpha'])),
  ...over([11, 13, 16, 18], 'ScatterElements', (g, v) =>
    g.op('ScatterElements', [v, g.initializer('i', Tensor.from('int64', [1, 0], [1, 1, 1, 2])), weights(g, 'u', [1, 1, 1, 2])], {
      axis: 2,
    }),
  ),
  ...over([11, 13, 16, 18], 'ScatterND', (g, v) =>
    g.op('ScatterND', [v, g.initializer('i', Tensor.from('int64', [1, 2], [1, 2])), weights(g, 'u', [1, 4, 4])]),
  ),
  ...over([7, 11, 13], 'Gather and Concat', (g, v) =>
    g.op('Concat', [v, g.op('Gather', [v, g.initializer('i', int64([2, 0, 2]))], { axis: 1 })], { axis: 1 }),
  ),
  ...over([11, 13], 'GatherElements, negative indices', (g, v) =>
    g.op('GatherElements', [v, g.initializer('i', Tensor.from('int64', [-1, 0], [1, 1, 1, 2]))], { axis: 1 }),
  ),
  ...over([11, 12, 13], 'GatherND', (g, v) =>
    g.op('GatherND', [v, g.initializer('i', Tensor.from('int64', [1, 2, 0, 1], [2, 2]))]),
  ),
  ...over([7, 13, 14, 19, 21, 23], 'Reshape and Transpose', (g, v) =>
    g.op('Transpose', [g.op('Reshape', [v, list(g, 0, -1, 2)])], { perm: [2, 0, 1] }),
  ),
  ...over([7, 9, 16], 'PRelu and LeakyRelu', (g, v) => g.op('LeakyRelu', [g.op('PRelu', [v, weights(g, 's', [3, 1, 1])])])),
  ...over([9, 16], 'Where', (g, v) => g.op('Where', [g.op('Greater', [v, number(g, 0.1)]), g.op('Mul', [v, v]), v])),
  ...over([8, 13], 'Expand and Tile', (g, v) => g.op('Tile', [g.op('Expand', [v, list(g, 2, 3, 4, 4)]), list(g, 1, 2, 1, 1)])),
  ...over([7, 12, 13, 15], 'Pow', (g, v) => g.op('Pow', [g.op('Abs', [v]), number(g, 1.5)])),
  ...over([8, 12, 13], 'Max, Min, Mean with broadcasting', (g, v) =>
    g.op('Mean', [g.op('Max', [v, weights(g, 'a', [4])]), g.op('Min', [v, weights(g, 'b', [4, 1])])]),
  ),
  ...over([11, 14], 'CumSum', (g, v) => g.op('CumSum', [v, g.initializer('axis', Tensor.from('int64', 2))], { reverse: 1 })),
  ...over([12, 18], 'Einsum', (g, v) => g.op('Einsum', [v, weights(g, 'w', [4, 2])], { equation: 'nchw,wk->nkhc' })),
  ...over([14, 18], 'Trilu', (g, v) => g.op('Trilu', [v], { upper: 0 })),
  ...over([7, 11, 13], 'DepthToSpace', (g, v) =>
    g.op('DepthToSpace', [g.op('Concat', [v, v, v, v], { axis: 1 })], { blocksize: 2 }),
  ),
  ...over([10, 13, 21], 'a scale of DequantizeLinear', (g, v) =>
    g.op('DequantizeLinear', [g.initializer('q', Tensor.from('uint8', [3, 200])), g.op('ReduceMax', [v], { keepdims: 0 })]),
  ),
  ...over([16, 18], 'GridSample, bilinear', (g, v) =>
    g.op('GridSample', [v, weights(g, 'p', [2, 2, 3, 2])], { mode: 'bilinear' }),
  ),
  ...over([20, 22], 'GridSample, linear', (g, v) => g.op('GridSample', [v, weights(g, 'p', [2, 2, 3, 2])], { mode: 'linear' })),
  ...over([17, 18], 'DFT with an attribute', (g, v) => g.op('DFT', [g.op('Unsqueeze', [v, list(g, 4)])], { axis: 2 })),
  ...over([20], 'DFT with an input', (g, v) =>
    g.op('DFT', [g.op('Unsqueeze', [v, list(g, 4)]), null, g.initializer('axis', Tensor.from('int64', 2))]),
  ),
  ...over([11, 12, 13, 17, 21], 'Clip with bounds of shape [1]', (g, v) =>
    g.op('Clip', [v, g.initializer('least', float32([-0.5])), g.initializer('most', float32([0.75]))]),
  ),
  ...over([7, 8, 9, 13], 'BatchNormalization that further outputs put in training mode', (g, v) => {
    // ONNX Runtime joins equal constants and writes the running statistics into them: these differ.
    const parameters = ['scale', 'bias', 'mean', 'variance'].map((name) => weights(g, name, [3]));
    for (const [i, p] of parameters.entries()) if (p.constant !== undefined) p.constant = float32([i + 1, i + 2, i + 3.5]);
    return first(g, 'BatchNormalization', [v, ...parameters], {}, 5);
  }),
  ...over([7, 14, 22], 'LSTM', (g, v) =>
    first(
      g,
      'LSTM',
      [g.op('Reshape', [v, list(g, 4, 3, 8)]), weights(g, 'w', [1, 8, 8]), weights(g, 'r', [1, 8, 2])],
      { hidden_size: 2 },
      1,
    ),
  ),
  ...over([7, 14, 22], 'GRU and RNN', (g, v) => {
    const sequence = g.op('Reshape', [v, list(g, 4, 3, 8)]);
    const gru = first(g, 'GRU', [sequence, weights(g, 'w', [1, 6, 8]), weights(g, 'r', [1, 6, 2])], { hidden_size: 2 }, 1);
    return g.op('Add', [
      gru,
      first(g, 'RNN', [sequence, weights(g, 'v', [1, 2, 8]), weights(g, 'q', [1, 2, 2])], { hidden_size: 2 }, 1),
    ]);
  }),
];

/** What ONNX Runtime computes by another kernel from opset 19 on: up to rounding. */
const rounded = /^AveragePool/;

const later: Row[] = [
  ...[0, 1].flatMap((count_include_pad) =>
    over([11, 17], `AveragePool with ceil_mode, count_include_pad ${count_include_pad}`, (g, v) =>
      g.op('AveragePool', [v], { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 1, 0], ceil_mode: 1, count_include_pad }),
    ),
  ),
  ...over([17], 'LpPool, overlapping', (g, v) =>
    g.op('LpPool', [v], { kernel_shape: [3, 2], strides: [1, 2], pads: [1, 0, 1, 0] }),
  ),
  ...over([17], 'ReduceMean and ReduceLogSum over everything', (g, v) =>
    g.op('Add', [g.op('ReduceMean', [v]), g.op('ReduceLogSum', [g.op('Abs', [v])], { keepdims: 0 })]),
  ),
  ...over([17], 'GridSample, bicubic and by default', (g, v) =>
    g.op('Add', [
      g.op('GridSample', [v, weights(g, 'p', [2, 2, 3, 2])], { mode: 'bicubic' }),
      g.op('GridSample', [v, weights(g, 'q', [2, 2, 3, 2])]),
    ]),
  ),
  ...over([17], 'DFT of the axis by default', (g, v) => g.op('DFT', [g.op('Unsqueeze', [v, list(g, 4)])])),
  ...over([17], 'RoiAlign', (g, v) =>
    g.op('RoiAlign', [v, weights(g, 'r', [2, 4]), g.initializer('i', int64([0, 1]))], { output_height: 2, output_width: 2 }),
  ),
];

later.push(
  ...over([17], 'MaxRoiPool', (g, v) =>
    g.op('MaxRoiPool', [v, g.initializer('r', Tensor.from('float32', [0, 0, 0, 2, 2], [1, 5]))], { pooled_shape: [2, 2] }),
  ),
  ...over([17], 'MaxUnpool', (g, v) =>
    g.op('MaxUnpool', g.several('MaxPool', [v], { kernel_shape: [2, 2], strides: [2, 2] }, 2), {
      kernel_shape: [2, 2],
      strides: [2, 2],
    }),
  ),
  ...over([17], 'EyeLike', (g, v) => g.op('EyeLike', [g.op('Reshape', [v, list(g, 8, 12)])])),
);
const unary =
  'Acos Acosh Asin Asinh Atan Atanh Cos Cosh Sin Sinh Tan Det Elu GlobalAveragePool GlobalLpPool GlobalMaxPool HardSigmoid HardSwish LpNormalization Round Selu Softplus Softsign ThresholdedRelu'.split(
    ' ',
  );
later.push(...unary.flatMap((op) => over([17], op, (g, v) => g.op(op, [v]))));

describe('the same bits at every later opset', () => {
  it.each([...rows, ...versions, ...later].map((r) => [r.opset, r.name, r] as const))(
    'opset %i: %s',
    async (opset, name, row) => {
      const model = fromBinary(toBinary(modelOf(row)));
      upgradeOpset(model);
      const before = (await run(model, { x })).y as Tensor;
      for (let to = Math.max(opset, 17) + 1; to <= 25; to++) {
        const newer = fromBinary(toBinary(model));
        if (to > 20 && newer.opset < 21 && newer.graph.nodes.some((node) => node.opType === 'GroupNormalization')) {
          expect(() => raiseOpset(newer, to)).toThrow('it has a scale for each group, from opset 21 on one for each channel');
          continue;
        }
        if (to > 21 && ['RoiAlign', 'GlobalLpPool', 'MaxRoiPool'].includes(name)) {
          expect(() => raiseOpset(newer, to)).toThrow('ONNX Runtime has no kernel for it from opset 22 on');
          continue;
        }
        if (rounded.test(name) && newer.opset < 19 && to >= 19)
          expect(() => raiseOpset(fromBinary(toBinary(newer)), to, { sameBits: true })).toThrow(
            `AveragePool "AveragePool": cannot be brought to opset ${to}, ONNX Runtime rounds it otherwise from opset 19 on`,
          );
        raiseOpset(newer, to);
        expect(newer.opset).toBe(to);
        const after = (await run(newer, { x })).y as Tensor;
        if (rounded.test(name)) for (const [i, v] of before.numbers().entries()) expect(after.numbers()[i]).toBeCloseTo(v, 5);
        else expect(Buffer.compare(after.bytes, before.bytes), `opset ${to}`).toBe(0);
      }
    },
  );
});

/** How many models of each opset were upgraded, and how many were differentiated as they are. */
const tally = new Map<number, { upgraded: number; kept: number }>();

function modelOf({ opset, build }: Row): Model {
  const g = new Old(opset);
  const y = build(g, g.input('x', 'float32', x.dims));
  y.type = tensorType('float32');
  g.output(y, 'y');
  const model = g.model();
  model.irVersion = opset < 9 ? 4 : irVersionFor(opset);
  return model;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

async function run(model: Model, feeds: Record<string, Tensor>) {
  const session = await runtime.createSession(toBinary(model), { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('the same numbers before and after', () => {
  it.each([...rows, ...versions].map((r) => [r.opset, r.name, r] as const))('opset %i: %s', async (opset, _name, row) => {
    const model = modelOf(row);
    const before = (await run(model, { x })).y as Tensor;
    const newer = fromBinary(toBinary(model));
    expect(upgradeOpset(newer)).toBe(opset < 17);
    expect(newer.opset).toBe(Math.max(opset, 17));
    const after = (await run(newer, { x })).y as Tensor;
    expect(after.dims).toEqual(before.dims);
    Array.from(before.data as Float32Array).forEach((v, i) => {
      expect(Math.abs(v - Number(after.data[i]))).toBeLessThan(1e-6);
    });
    const made = grad(model, { of: 'y', by: ['x'] });
    const seed = Tensor.from(
      'float32',
      Array.from({ length: before.size }, (_, i) => Math.cos(i)),
      before.dims,
    );
    const scalar = before.size === 1;
    const results = await run(made, scalar ? { x } : { x, 'seed/y': seed });
    expect(results['grad/x']?.dims).toEqual(x.dims);
    expect(made.opset).toBe(Math.max(opset, 17));
    expect(model.opset).toBe(opset);
    // the derivative along u, by the gradient and by the model as it was
    const [w, d] = [scalar ? [1] : seed.numbers(), results['grad/x']?.numbers() ?? []];
    const u = Array.from({ length: x.size }, (_, i) => Math.cos(5 * i + 1));
    const weighted = async (h: number) => {
      const t = Tensor.from(
        'float32',
        Array.from(x.numbers(), (a, i) => a + h * (u[i] ?? 0)),
        x.dims,
      );
      return sum(Array.from((await run(model, { x: t })).y?.numbers() ?? [], (v, i) => v * (w[i] ?? 0)));
    };
    const h = 2e-3;
    const want = ((await weighted(h)) - (await weighted(-h))) / (2 * h);
    const got = sum(Array.from(d, (v, i) => v * (u[i] ?? 0)));
    const size = Math.sqrt(sum(Array.from(d, (v) => v * v)));
    expect(Math.abs(got - want) / Math.max(1, Math.abs(want), size)).toBeLessThan(5e-3);
    const counted = tally.get(opset) ?? { upgraded: 0, kept: 0 };
    counted[opset < 17 ? 'upgraded' : 'kept']++;
    tally.set(opset, counted);
  });
});

test('there are models of every opset', () => {
  const opsets = Array.from({ length: 18 }, (_, i) => 7 + i);
  console.log(opsets.map((o) => `opset ${o}: ${tally.get(o)?.upgraded} upgraded, ${tally.get(o)?.kept} kept`).join('\n'));
  for (const o of opsets) expect(tally.get(o)?.[o < 17 ? 'upgraded' : 'kept'] ?? 0).toBeGreaterThan(0);
});

it('initializers of IR 3 are inputs no more', () => {
  const model = modelOf({ name: '', opset: 7, build: (g, v) => g.op('Mul', [v, g.initializer('w', vector(4))]) });
  model.irVersion = 3;
  model.graph.inputs.push(...model.graph.initializers);
  upgradeOpset(model);
  expect(model.graph.inputs.map((v) => v.name)).toEqual(['x']);
  expect(model.irVersion).toBe(8);
  const made = grad(model, { of: 'y', by: ['w', 'x'] });
  expect(made.graph.outputs.map((v) => v.name)).toEqual(['y', 'grad/w', 'grad/x']);
});

it.each([
  [
    'spatial statistics',
    7,
    (g: Old, v: Value) => g.op('BatchNormalization', [v, v, v, v, v], { spatial: 0 }),
    'BatchNormalization "BatchNormalization": cannot be brought to opset 17, spatial = 0 keeps statistics of every element',
  ],
  [
    'training by an attribute',
    6,
    (g: Old, v: Value) => g.op('BatchNormalization', [v, v, v, v, v]),
    'BatchNormalization "BatchNormalization": cannot be brought to opset 17, it trains (is_test = 0)',
  ],
  [
    'statistics that are read',
    9,
    (g: Old, v: Value) => g.op('Identity', [first(g, 'BatchNormalization', [v, v, v, v, v], {}, 5, 1)]),
    'BatchNormalization "BatchNormalization": cannot be brought to opset 17, it trains: it has outputs beside the first',
  ],
  [
    'random Dropout',
    6,
    (g: Old, v: Value) => g.op('Dropout', [v]),
    'Dropout "Dropout": cannot be brought to opset 17, it drops at random (is_test = 0)',
  ],
] as const)('%s is refused by name', (_name, opset, build, message) => {
  expect(() => upgradeOpset(modelOf({ name: '', opset, build }))).toThrow(message);
});
