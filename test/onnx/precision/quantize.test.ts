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
