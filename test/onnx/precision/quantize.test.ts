// quantize: one function over the three precisions, for any model, its types inferred or not.
import { expect, it } from 'vitest';
import { UsageError } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { printModel } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { type QuantizeOptions, quantize } from '../../../src/onnx/precision/quantize.js';
import { runModel, runtime } from '../../support/run.js';
import { type SmallNode, smallModel } from '../small-model.js';

const tensor = (dims: readonly number[], at: (i: number) => number) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, (_, i) => at(i)),
  );

function dense({ typed = true } = {}): Model {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 4]);
  const w = g.initializer(
    'w',
    tensor([4, 3], (i) => Math.sin(i)),
  );
  g.output(
    g.relu(
      g.gemm(
        x,
        w,
        g.initializer(
          'b',
          tensor([3], (i) => i / 8),
        ),
      ),
    ),
    'y',
  );
  const model = g.model();
  if (!typed) for (const node of model.graph.nodes) for (const v of node.outputs) if (v.name !== 'y') v.type = undefined;
  return model;
}

const x = tensor([16, 4], (i) => Math.cos(i * 1.7));
const samples = [{ x }];
const each: readonly (readonly [QuantizeOptions, op: string, within: number])[] = [
  [{ precision: 'fp16' }, 'Cast', 0.002],
  [{ precision: 'int8', samples }, 'DequantizeLinear', 0.03],
  [{ precision: 'int8', samples, percentile: 99.9, reduceRange: true }, 'DequantizeLinear', 0.05],
  [{ precision: 'int8-dynamic' }, 'DynamicQuantizeLinear', 0.03],
];

it.each(each)('%o answers nearly as before and leaves the model as it was', async (options, op, within) => {
  const model = dense();
  const before = printModel(model);
  const { model: quantized } = await quantize(runtime, model, options);
  expect(printModel(model)).toBe(before);
  expect(quantized.graph.nodes.map((n) => n.opType)).toContain(op);
  const [expected, found] = [await runModel(model, { x }), await runModel(quantized, { x })];
  const off = expected.y?.numbers().map((v, i) => Math.abs(v - (found.y?.numbers()[i] ?? Number.NaN))) ?? [];
  expect(Math.max(...off)).toBeLessThan(within);
});

it.each(each)('%o infers what types a file leaves out', async (options) => {
  const [typed, bare] = [await quantize(runtime, dense(), options), await quantize(runtime, dense({ typed: false }), options)];
  expect(printModel(bare.model)).toBe(printModel(typed.model));
});

/** Old forms of ops that have no rule at opset 11: Unsqueeze and Squeeze with attributes, between two products and into a recurrent layer. */
function old(): Model {
  const sizes = (dims: readonly number[]) => tensor(dims, (i) => Math.sin(i) / 2);
  return smallModel(
    {
      inputs: { x: ['float32', [5, 4]] },
      constants: {
        w: sizes([4, 6]),
        W: sizes([1, 32, 6]),
        R: sizes([1, 32, 8]),
        state: sizes([1, 8]),
        b: sizes([8]),
      },
      nodes: [
        ['MatMul', ['x', 'w'], ['h']],
        ['Unsqueeze', ['h'], ['rows'], { axes: [1n] }],
        ['Unsqueeze', ['state'], ['start'], { axes: [1n] }],
        ['LSTM', ['rows', 'W', 'R', '', '', 'start', 'start'], ['all'], { hidden_size: 8n }],
        ['Squeeze', ['all'], ['flat'], { axes: [1n, 2n] }],
        ['Add', ['flat', 'b'], ['y']],
      ],
    },
    11,
  );
}

it.each(each)('%o of a file of opset 11 brings it up first', async (options, op) => {
  const model = old();
  const feeds = { x: tensor([5, 4], (i) => Math.cos(i * 1.7)) };
  const asked: QuantizeOptions = options.precision === 'int8' ? { ...options, samples: [feeds] } : options;
  const { model: quantized } = await quantize(runtime, model, asked);
  expect([model.opset, quantized.opset]).toEqual([11, 17]);
  expect(quantized.graph.nodes.map((n) => n.opType)).toContain(op);
  const [expected, found] = [await runModel(model, feeds), await runModel(quantized, feeds)];
  const off = expected.y?.numbers().map((v, i) => Math.abs(v - (found.y?.numbers()[i] ?? Number.NaN))) ?? [Number.NaN];
  expect(Math.max(...off)).toBeLessThan(0.05);
});

it('float16 leaves a node float32 that reads what an op of strangers gives, whose type nobody knows', async () => {
  const constants = { w: tensor([4, 4], (i) => Math.sin(i)) };
  const model = smallModel({
    inputs: { x: ['float32', [16, 4]] },
    constants,
    nodes: [
      ['MatMul', ['x', 'w'], ['h']],
      ['Theirs', ['h'], ['odd']],
      ['Add', ['h', 'odd'], ['y']],
    ],
  });
  for (const node of model.graph.nodes) if (node.opType === 'Theirs') node.domain = 'strangers';
  model.opsets.set('strangers', 1);
  const { model: half, notes } = await quantize(undefined, model, { precision: 'fp16' });
  expect(half.graph.nodes.map((n) => [n.opType, n.inputs.map((v) => v?.name)])).toEqual([
    ['Cast', ['x']],
    ['MatMul', ['x_fp16', 'w']],
    ['Cast', ['h']],
    ['Theirs', ['h_fp32']],
    ['Add', ['h_fp32', 'odd']],
  ]);
  expect(notes).toEqual(['Add "add" stays float32: the type of "odd" is not known']);
});

it('says what is missing', async () => {
  await expect(quantize(undefined, dense(), { precision: 'int8', samples })).rejects.toThrow(
    'int8: a runtime is missing, expected one to run the samples on',
  );
  await expect(quantize(runtime, dense(), { precision: 'int8', samples: [] })).rejects.toThrow(UsageError);
});

const wrong: readonly (readonly [what: string, SmallNode, message: string])[] = [
  [
    'an attribute of a kind',
    ['Gemm', ['x', 'w'], ['h'], { transA: 0 }],
    'Gemm "gemm": attribute "transA" must be int, it is float',
  ],
  ['an attribute of a name', ['MatMul', ['x', 'w'], ['h'], { transB: 1n }], 'MatMul "matmul": unknown attribute "transB"'],
  [
    'a list in place of a number',
    ['Gemm', ['x', 'w'], ['h'], { alpha: [1.5, 2.5] }],
    'Gemm "gemm": attribute "alpha" must be float, it is floats',
  ],
  ['an output too many', ['Gemm', ['x', 'w'], ['h', 'more']], 'Gemm "gemm": gives 1 output (Y), the node has 2'],
];
it.each(wrong)('%s that the schema of a product does not have is refused in every precision', async (_, node, message) => {
  for (const [options] of each) {
    const constants = { w: tensor([4, 3], (i) => Math.sin(i)) };
    const nodes: SmallNode[] = [node, ['Relu', ['h'], ['y']]];
    const model = smallModel({ inputs: { x: ['float32', [16, 4]] }, constants, nodes });
    await expect(quantize(runtime, model, options), options.precision).rejects.toThrow(message);
  }
});
