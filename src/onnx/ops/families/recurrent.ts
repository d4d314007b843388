// Recurrent layers: types. The gradient stands in recurrent-gradient.ts. Specification: onnx/docs/Operators.md, RNN, GRU, LSTM.
import type { Dim } from '../../core/shape.js';
import type { TensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import { activationNames } from '../rules/recurrent-activation.js';
import { inputRanks, recurrentGradient } from '../rules/recurrent-gradient.js';
import { requireFloat } from './elementwise.js';

type RecurrentOp = 'RNN' | 'GRU' | 'LSTM';

/** Activations of a direction. */
const activationCounts: Readonly<Record<string, number>> = { RNN: 1, GRU: 2, LSTM: 3 };

const names = ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h', 'initial_c', 'P'];

/** Y, Y_h and, for LSTM, Y_c. Layout 0 has the time first, layout 1 the batch. */
function inferRecurrent(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  activationNames(c, activationCounts[c.node.opType] ?? 1);
  const r = c.shape(2);
  inputRanks.forEach((rank, i) => {
    const given = c.has(i) ? c.rank(i) : undefined;
    if (given !== undefined && given !== rank)
      c.fail(`${names[i]} must have rank ${rank}, it has ${given}`, { expected: String(rank), got: String(given) });
  });
  // The operator fixes the rank where nothing else tells it.
  const x = c.shape(0) ?? [null, null, null];
  const directions = c.string('direction') === 'bidirectional' ? 2 : 1;
  const hidden: Dim = r?.[2] ?? (c.node.attributes.has('hidden_size') ? c.int('hidden_size') : null);
  const batchFirst = c.int('layout') === 1;
  const [first = null, second = null] = x;
  const [time, batch] = batchFirst ? [second, first] : [first, second];
  const all = batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden];
  const last = c.like(0, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  const outputs = [c.like(0, all), last];
  return c.node.opType === 'LSTM' ? [...outputs, last] : outputs;
}

export const recurrent: Readonly<Record<RecurrentOp, OpRules>> = {
  RNN: {
    traits: ['half'],
    infer: inferRecurrent,
    gradient: (c) => recurrentGradient(c, 'RNN'),
  },
  GRU: {
    traits: ['half'],
    infer: inferRecurrent,
    gradient: (c) => recurrentGradient(c, 'GRU'),
  },
  LSTM: {
    traits: ['half'],
    infer: inferRecurrent,
    gradient: (c) => recurrentGradient(c, 'LSTM'),
  },
};
