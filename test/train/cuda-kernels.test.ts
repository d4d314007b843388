// Training stays on CUDA, as far as that can be told without a device: every node of a training chunk has a CUDA kernel for its types. The
// table is what ONNX Runtime's docs/OperatorKernels.md lists under CUDAExecutionProvider for opsets 17 to 21.
import { expect, it } from 'vitest';
import type { ColumnInput } from '../../src/model/description/description.js';
import { must } from '../../src/onnx/core/errors.js';
import { allNodes } from '../../src/onnx/ir/graph.js';
import { optimizer } from '../../src/train/optim/optimizer.js';
import { stepGraph } from '../../src/train/step/step-graph.js';
import { columnAt } from '../support/by-place.js';
import { columnsOf, describe } from '../support/random-network.js';

const floats = ['float32', 'float64', 'float16'];
const numbers = [...floats, 'int32', 'int64'];
const all = [...numbers, 'bool', 'uint8'];

/** Ops by the element types that their kernels take as first input. */
const groups: readonly (readonly [string, readonly string[]])[] = [
  [
    'AveragePool Conv ConvTranspose Elu Erf Exp Gemm GlobalAveragePool LayerNormalization LeakyRelu Log LogSoftmax MatMul MaxPool',
    floats,
  ],
  ['Reciprocal ReduceMean ReduceSumSquare Relu Sigmoid Softmax Softplus Sqrt Tanh', floats],
  ['Add Div Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Neg Range ReduceMax ReduceSum Sub', numbers],
  ['Equal', [...numbers, 'bool']],
  ['Pad', [...floats, 'bool']],
  ['And Not Where', ['bool']],
  [
    'Cast Concat ConstantOfShape Expand Flatten Gather GatherElements Identity Loop Reshape ScatterElements Shape Size Slice',
    all,
  ],
  ['Squeeze Transpose Unsqueeze', all],
];
const kernels = new Map(groups.flatMap(([ops, types]) => ops.split(' ').map((op) => [op, new Set(types)] as const)));

const columns: readonly ColumnInput[] = [
  ...['dense', 'deep', 'conv', 'strided', 'normed', 'residual', 'plain'].map((body) => {
    const [first] = columnsOf({ first: body, second: body, laterals: { kind: 'linear' }, head: { classify: 3 }, seed: 1 });
    return first;
  }),
  {
    task: 'a',
    blocks: [
      [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'batch_norm', 'relu', { maxpool2d: 2 }],
      ['flatten', { dense: 5 }, 'relu', { dropout: 0.2 }],
    ],
    head: { classify: 3 },
  },
];
const optimizers = [
  optimizer({ kind: 'sgd', momentum: 0.9, nesterov: true }),
  optimizer({ kind: 'adam' }),
  optimizer({ kind: 'adamw' }),
  optimizer({ kind: 'rmsprop' }),
];

/** The nodes of training chunks that CUDA has no kernel for, as `Op dtype`. */
function without(classes: 'int32' | 'int64', of: readonly ColumnInput[]) {
  const missing = new Set<string>();
  let nodes = 0;
  for (const first of of)
    for (const laterals of [{ kind: 'linear' }, { kind: 'adapter', rank: 4, activation: 'gelu' }] as const)
      for (const head of [{ classify: 3 }, { binary: 2 }, { regress: 2 }] as const)
        for (const rule of optimizers) {
          const description = describe([first, { ...first, task: 'b', laterals, head }], 1);
          const { model } = stepGraph({
            column: columnAt(description, 1),
            optimizer: rule,
            dtypes: { image: 'uint8' },
            clip: { kind: 'norm', limit: 1 },
            classes,
          });
          for (const node of allNodes(model.graph)) {
            nodes++;
            const dtype = must(node.inputs[0], node.name).dtype ?? '';
            if (kernels.get(node.opType)?.has(dtype) !== true) missing.add(`${node.opType} ${dtype}`);
          }
        }
  return { missing, nodes };
}

it('every node of a training chunk has a CUDA kernel', () => {
  const { missing, nodes } = without('int32', columns);
  expect(nodes).toBeGreaterThan(10_000);
  expect([...missing]).toEqual([]);
});

it('classes as int64 would not: the loss falls back to the CPU', () => {
  expect([...without('int64', columns.slice(0, 1)).missing]).toEqual(['SoftmaxCrossEntropyLoss float32']);
});
