// Gradient cases: activations, softmax, dropout.
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, one, secondOrder, values, values32 } from '../gradient-case.js';

type Unary =
  | 'relu'
  | 'leakyRelu'
  | 'thresholdedRelu'
  | 'elu'
  | 'selu'
  | 'celu'
  | 'softplus'
  | 'softsign'
  | 'sigmoid'
  | 'tanh'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'mish'
  | 'swish'
  | 'gelu'
  | 'shrink';
interface Row {
  readonly op: Unary;
  readonly kinks?: readonly number[];
  readonly attributes?: Readonly<Record<string, number | string>>;
  readonly float32?: true;
  readonly opset?: number;
}
const rows: readonly Row[] = [
  { op: 'relu' },
  { op: 'leakyRelu', float32: true },
  { op: 'leakyRelu', attributes: { alpha: 0.3 } },
  { op: 'thresholdedRelu', kinks: [1], float32: true },
  { op: 'thresholdedRelu', kinks: [-0.5], attributes: { alpha: -0.5 }, float32: true },
  { op: 'elu', float32: true },
  { op: 'elu', attributes: { alpha: 0.4 }, float32: true },
  { op: 'selu', float32: true },
  { op: 'selu', attributes: { alpha: 1.2, gamma: 0.7 }, float32: true },
  { op: 'celu', float32: true },
  { op: 'celu', attributes: { alpha: 2 }, float32: true },
  { op: 'softplus', float32: true },
  { op: 'softsign', float32: true },
  { op: 'sigmoid' },
  { op: 'tanh' },
  { op: 'hardSigmoid', kinks: [-2.5, 2.5], float32: true },
  { op: 'hardSigmoid', kinks: [-1, 1], attributes: { alpha: 0.5, beta: 0.5 }, float32: true },
  { op: 'hardSwish', kinks: [-3, 3], float32: true },
  { op: 'mish', opset: 18, float32: true },
  { op: 'swish', opset: 24, float32: true },
  { op: 'swish', opset: 24, attributes: { alpha: 0.6 }, float32: true },
  { op: 'gelu', opset: 20, float32: true },
  { op: 'gelu', opset: 20, attributes: { approximate: 'tanh' }, float32: true },
  { op: 'shrink', kinks: [-0.5, 0.5], float32: true },
  { op: 'shrink', kinks: [-1.5, 1.5], attributes: { lambd: 1.5, bias: 0.5 }, float32: true },
];

const single = rows.flatMap(({ op, kinks = [0], attributes = {}, float32, opset }): Case[] => {
  const make = float32 ? values32 : values;
  const spread = { from: -4, to: 4, kinks };
  const options = opset === undefined ? {} : { opset };
  const build: Case['build'] = (g, x) => one(g, op, [at(x)], attributes);
  const name = `${op} ${JSON.stringify(attributes)}`;
  return [
    { name, inputs: [make([3, 4], spread)], build, options },
    { name: `${name} [N,?]`, inputs: [make([2, 3], spread)], build, options: { ...options, shapes: [['N', null]] } },
  ];
});

const soft = (['softmax', 'logSoftmax'] as const).flatMap((op) =>
  [-1, 0, 1, -2].map(
    (axis): Case => ({ name: `${op} axis ${axis}`, inputs: [values([2, 3, 2])], build: (g, x) => g[op](at(x), { axis }) }),
  ),
);

const mask = Tensor.from('bool', [0]).reshape([]);
const dropout: Case[] = [
  { name: 'dropout that infers', inputs: [values32([2, 3])], build: (g, x) => g.dropout(at(x)) },
  {
    name: 'dropout that infers, by an input at run time',
    inputs: [values32([2, 3]), mask],
    build: (g, x) => g.dropout(at(x), g.scalar(0.4, 'float32'), at(x, 1)),
  },
];

const smooth = [
  ...(['sigmoid', 'tanh', 'relu'] as const).map(
    (op): Case => ({ name: op, inputs: [values([2, 3])], build: (g, x) => g[op](at(x)) }),
  ),
  ...(['softmax', 'logSoftmax'] as const).map(
    (op): Case => ({ name: op, inputs: [values([2, 3])], build: (g, x) => g[op](at(x)) }),
  ),
  ...(['softplus', 'elu'] as const).map(
    (op): Case => ({ name: op, inputs: [values32([2, 3])], build: (g, x) => g[op](at(x)), options: { tolerance: 1e-2 } }),
  ),
].map(secondOrder);

export const activationCases: readonly Case[] = [...single, ...soft, ...dropout, ...smooth];
