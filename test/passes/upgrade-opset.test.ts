// Models of opsets 6 to 21 give the same numbers after the upgrade, on ONNX Runtime, and can be differentiated.
import { describe, expect, it } from 'vitest';
import { float32, Tensor } from '../../src/core/tensor.js';
import { gradientModel } from '../../src/deploy/gradient-model.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Attribute, Value } from '../../src/ir/graph.js';
import type { Model } from '../../src/ir/model.js';
import { tensorType } from '../../src/ir/types.js';
import { upgradeOpset } from '../../src/passes/upgrade-opset.js';
import { fromBinary } from '../../src/serde/from-binary.js';
import { toBinary } from '../../src/serde/to-binary.js';
import { runtime } from '../support/run.js';

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
}

const x = Tensor.from(
  'float32',
  Array.from({ length: 2 * 3 * 4 * 4 }, (_, i) => Math.sin(i) * 1.5),
  [2, 3, 4, 4],
);
const vector = (n: number) => float32(Array.from({ length: n }, (_, i) => 0.5 + 0.25 * i));

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
  ...Array.from({ length: 15 }, (_, i) => net(7 + i)),
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

function modelOf({ opset, build }: Row): Model {
  const g = new Old(opset);
  const y = build(g, g.input('x', 'float32', x.dims));
  y.type = tensorType('float32');
  g.output(y, 'y');
  const model = g.model();
  model.irVersion = opset < 9 ? 4 : 8;
  return model;
}

async function run(model: Model, feeds: Record<string, Tensor>) {
  const session = await runtime.createSession(toBinary(model), { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('the same numbers before and after', () => {
  it.each(rows.map((r) => [r.opset, r.name, r] as const))('opset %i: %s', async (opset, _name, row) => {
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
    const made = gradientModel(model, { of: 'y', by: ['x'] });
    const seed = Tensor.from(
      'float32',
      Array.from({ length: before.size }, (_, i) => Math.cos(i)),
      before.dims,
    );
    const results = await run(made, { x, 'seed/y': seed });
    expect(results['grad/x']?.dims).toEqual(x.dims);
    expect(model.opset).toBe(opset);
  });
});

it('initializers of IR 3 are inputs no more', () => {
  const model = modelOf({ name: '', opset: 7, build: (g, v) => g.op('Mul', [v, g.initializer('w', vector(4))]) });
  model.irVersion = 3;
  model.graph.inputs.push(...model.graph.initializers);
  upgradeOpset(model);
  expect(model.graph.inputs.map((v) => v.name)).toEqual(['x']);
  expect(model.irVersion).toBe(8);
  const made = gradientModel(model, { of: 'y', by: ['w', 'x'] });
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
    'random Dropout',
    6,
    (g: Old, v: Value) => g.op('Dropout', [v]),
    'Dropout "Dropout": cannot be brought to opset 17, it drops at random (is_test = 0)',
  ],
] as const)('%s is refused by name', (_name, opset, build, message) => {
  expect(() => upgradeOpset(modelOf({ name: '', opset, build }))).toThrow(message);
});
