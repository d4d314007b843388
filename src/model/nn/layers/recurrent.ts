// Layers that read a sequence [T,F] step by step: lstm, gru and rnn, ONNX's own ops. Weights stand as ONNX has them: gates in the order i, o, f, c
// (lstm) and z, r, h (gru), both biases.
import * as z from 'zod';
import type { Value } from '../../../onnx/ir/graph.js';
import { type InitInput, recurrentInit } from '../init.js';
import { layer } from '../layer.js';
import { lowerRecurrent, sequenceJoint } from '../recurrent.js';
import type { Layout } from '../sample.js';
import { flag, oneOf, size, strict } from '../schema.js';

/** Options of `lstm` and `gru`. */
export interface RecurrentOptions {
  /** So many, each over the states of the one before; 1 when absent. */
  layers?: number;
  /** "forward" (when absent), "reverse" from the last step to the first, or "bidirectional": both, side by side. */
  direction?: 'forward' | 'reverse' | 'bidirectional';
  /** Gives the state at every step, [T,units]; false when absent: the last one, [units]. */
  sequences?: boolean;
  /** An input that says which steps are there: a number for each, 0 where it fills up, or how many there are. They end at the last that is there. */
  mask?: string;
  /** How weights and biases begin: torch_uniform when absent, within 1 / sqrt(units) as PyTorch has it. */
  init?: InitInput;
}

/** Options of `rnn`. */
export interface RnnOptions extends RecurrentOptions {
  /** "tanh" (when absent) or "relu". */
  activation?: 'tanh' | 'relu';
}

const fields = {
  units: size.describe('Numbers of a state.'),
  layers: size.default(1).describe('So many, each over the states of the one before; 1 when absent.'),
  direction: oneOf(['forward', 'reverse', 'bidirectional'])
    .default('forward')
    .describe('"forward" (when absent), "reverse" from the last step to the first, or "bidirectional": both, side by side.'),
  sequences: flag.default(false).describe('Gives the state at every step, [T,units]; false when absent: the last one, [units].'),
  mask: z
    .string({ error: 'the name of an input' })
    .min(1, { error: 'the name of an input' })
    .optional()
    .describe(
      'An input that says which steps are there: a number for each, 0 where it fills up, or how many there are. They end at the last that is there.',
    ),
  init: recurrentInit,
};

const over = {
  joint: (_: unknown, x: Value, layout: Layout | undefined) => sequenceJoint(x, layout),
  gives: 'channels-last',
} as const;

/**
 * A long short-term memory over the steps of a sequence.
 * @function
 */
export const lstm = layer('lstm', {
  doc: 'A long short-term memory over the steps of a sequence.',
  options: strict(fields),
  main: 'units',
  example: '{ lstm: 128 }',
  call: (units: number, options: RecurrentOptions = {}) => ({ units, ...options }),
  lower: (c, o, x) => lowerRecurrent(c, { op: 'LSTM', gates: 4 }, o, x),
  ...over,
});

/**
 * Gated recurrent units over the steps of a sequence, the reset gate after the product as PyTorch and Keras have it.
 * @function
 */
export const gru = layer('gru', {
  doc: 'Gated recurrent units over the steps of a sequence, the reset gate after the product as PyTorch and Keras have it.',
  options: strict(fields),
  main: 'units',
  example: '{ gru: 128 }',
  call: (units: number, options: RecurrentOptions = {}) => ({ units, ...options }),
  lower: (c, o, x) => lowerRecurrent(c, { op: 'GRU', gates: 3, attributes: { linear_before_reset: 1 } }, o, x),
  ...over,
});

/**
 * A plain recurrent layer over the steps of a sequence: h = f(W x + R h' + b).
 * @function
 */
export const rnn = layer('rnn', {
  doc: "A plain recurrent layer over the steps of a sequence: h = f(W x + R h' + b).",
  options: strict({ ...fields, activation: oneOf(['tanh', 'relu']).default('tanh').describe('"tanh" (when absent) or "relu".') }),
  main: 'units',
  example: '{ rnn: 128 }',
  call: (units: number, options: RnnOptions = {}) => ({ units, ...options }),
  lower: (c, o, x) => {
    const activation = o.activation === 'relu' ? 'Relu' : 'Tanh';
    const activations = o.direction === 'bidirectional' ? [activation, activation] : [activation];
    return lowerRecurrent(c, { op: 'RNN', gates: 1, attributes: { activations } }, o, x);
  },
  ...over,
});
