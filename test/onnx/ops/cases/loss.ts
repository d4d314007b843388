// Gradient cases: losses over labels, with weights, ignored labels and every reduction.
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { type Case, one, secondOrder, values } from '../gradient-case.js';

const shapes = [
  [4, 3],
  [2, 3, 2],
] as const;
const labelsOf = (x: readonly number[], dtype: 'int64' | 'int32') => {
  const dims = x.filter((_, i) => i !== 1);
  return Tensor.from(
    dtype,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i * 2) % 3),
    dims,
  );
};
const weights = values([3], { from: 0.4, to: 1.6, kinks: [], seed: 4 });

const cases = (['softmaxCrossEntropyLoss', 'negativeLogLikelihoodLoss'] as const).flatMap((op) =>
  shapes.flatMap((x) =>
    ['none', 'sum', 'mean'].flatMap((reduction) =>
      [false, true].flatMap((weighted) =>
        [undefined, 2].map(
          (ignore_index): Case => ({
            name: `${op} ${JSON.stringify(x)} ${reduction}${weighted ? ', weights' : ''}${ignore_index === undefined ? '' : ', ignore_index'}`,
            inputs: [values(x), labelsOf(x, 'int64'), ...(weighted ? [weights] : [])],
            build: (g, v) => one(g, op, v, { reduction, ignore_index }),
          }),
        ),
      ),
    ),
  ),
);
const more: Case[] = [
  {
    name: 'softmaxCrossEntropyLoss, int32 labels',
    inputs: [values([4, 3]), labelsOf([4, 3], 'int32')],
    build: (g, v) => one(g, 'SoftmaxCrossEntropyLoss', v),
  },
  {
    name: 'softmaxCrossEntropyLoss, log_prob read too',
    inputs: [values([4, 3]), labelsOf([4, 3], 'int64')],
    build: (g, v) => g.op('SoftmaxCrossEntropyLoss', v, {}, 2),
  },
  {
    name: 'softmaxCrossEntropyLoss, N and C unknown',
    inputs: [values([4, 3]), labelsOf([4, 3], 'int64')],
    build: (g, v) => one(g, 'SoftmaxCrossEntropyLoss', v),
    options: { shapes: [['N', null], ['N']] },
  },
];
const smooth = [
  {
    name: 'softmaxCrossEntropyLoss',
    inputs: [values([3, 3]), labelsOf([3, 3], 'int64')],
    build: (g, v) => one(g, 'SoftmaxCrossEntropyLoss', v),
    options: { by: [0] },
  } satisfies Case,
].map(secondOrder);

export const lossCases: readonly Case[] = [...cases, ...more, ...smooth];
