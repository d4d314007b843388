// Gradient cases: RNN, GRU, LSTM. float32, fourth-order differences.
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import type { AttributeInputs } from '../../../../src/onnx/ops/attribute-inputs.js';
import { type Case, values32 } from '../gradient-case.js';

const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Op = keyof typeof gates;

interface Setting {
  readonly direction?: 'forward' | 'reverse' | 'bidirectional';
  readonly attributes?: AttributeInputs;
  /** Which optional inputs are given: biases, lengths, initial states, peepholes. */
  readonly bias?: true;
  readonly lens?: readonly number[];
  readonly initial?: true;
  readonly peepholes?: true;
  readonly outputs?: readonly boolean[];
  readonly unknown?: true;
}
const [T, N, I, H] = [3, 2, 2, 2];

function row(op: Op, name: string, s: Setting): Case {
  const d = s.direction === 'bidirectional' ? 2 : 1;
  const n = gates[op];
  const small = (dims: readonly number[], seed: number) => values32(dims, { from: -0.9, to: 0.9, seed });
  const list: (Tensor | null)[] = [
    small([T, N, I], 1),
    small([d, n * H, I], 2),
    small([d, n * H, H], 3),
    s.bias ? small([d, 2 * n * H], 4) : null,
    s.lens ? Tensor.from('int32', s.lens) : null,
    s.initial ? small([d, N, H], 5) : null,
    ...(op === 'LSTM' ? [s.initial ? small([d, N, H], 6) : null, s.peepholes ? small([d, 3 * H], 7) : null] : []),
  ];
  const there = list.flatMap((t, i) => (t === null ? [] : [i]));
  const outputs = s.outputs ?? (op === 'LSTM' ? [true, true, true] : [true, true]);
  return {
    name: `${op} ${name}`,
    inputs: list.filter((t) => t !== null),
    build: (g, x) => {
      const inputs = list.map((_, i) => (there.includes(i) ? x[there.indexOf(i)] : null));
      const attributes = { hidden_size: H, direction: s.direction ?? 'forward', ...s.attributes };
      return g.op(op, inputs, attributes, outputs).filter((_, i) => outputs[i]);
    },
    options: {
      tolerance: 1e-3,
      step: 0.004,
      ...(s.unknown ? { shapes: [[null, null, I]] } : {}),
    },
  };
}

const settings: Readonly<Record<string, Setting>> = {
  plain: {},
  'with all inputs': { bias: true, initial: true },
  reverse: { direction: 'reverse', bias: true, initial: true },
  bidirectional: { direction: 'bidirectional', bias: true, initial: true },
  lengths: { bias: true, lens: [3, 1], initial: true },
  'lengths, bidirectional': { direction: 'bidirectional', bias: true, lens: [1, 3], initial: true },
  'last state alone': { bias: true, outputs: [false, true] },
  'all states alone': { bias: true, outputs: [true] },
  'T and N unknown': { bias: true, unknown: true, lens: [2, 3] },
  clip: { bias: true, attributes: { clip: 0.453 } },
};

const common = (Object.keys(gates) as Op[]).flatMap((op) => Object.entries(settings).map(([name, s]) => row(op, name, s)));
const special: Case[] = [
  row('GRU', 'linear_before_reset', { bias: true, initial: true, attributes: { linear_before_reset: 1 } }),
  row('GRU', 'linear_before_reset, lengths, bidirectional', {
    bias: true,
    lens: [2, 3],
    direction: 'bidirectional',
    attributes: { linear_before_reset: 1 },
  }),
  row('LSTM', 'peepholes', { bias: true, initial: true, peepholes: true }),
  row('LSTM', 'peepholes, lengths, bidirectional', {
    bias: true,
    initial: true,
    peepholes: true,
    lens: [1, 3],
    direction: 'bidirectional',
  }),
  row('LSTM', 'input_forget', { bias: true, initial: true, attributes: { input_forget: 1 } }),
  row('LSTM', 'last cell alone', { bias: true, outputs: [false, false, true] }),
  ...[
    'Relu',
    'Tanh',
    'Sigmoid',
    'Affine',
    'LeakyRelu',
    'ThresholdedRelu',
    'ScaledTanh',
    'HardSigmoid',
    'Elu',
    'Softsign',
    'Softplus',
  ].map((f) =>
    row('RNN', f, {
      bias: true,
      attributes: { activations: [f], activation_alpha: [{ ThresholdedRelu: 0.1, Elu: 1 }[f] ?? 0.6], activation_beta: [0.3] },
    }),
  ),
  row('LSTM', 'other activations', {
    bias: true,
    attributes: {
      activations: ['HardSigmoid', 'Softsign', 'ScaledTanh'],
      activation_alpha: [0.3, 0.8],
      activation_beta: [0.4, 0.7],
    },
  }),
  row('GRU', 'other activations', { bias: true, attributes: { activations: ['Softsign', 'Elu'], activation_alpha: [0.7] } }),
];

export const recurrentCases: readonly Case[] = [...common, ...special];
