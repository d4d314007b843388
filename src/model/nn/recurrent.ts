// How recurrent layers are lowered: each of a stack is one op of ONNX, in training too, where its gradient is a Scan. Steps written out one by one take
// 1.6 times as long (docs/decisions.md).
import { must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { biasInit, type Init } from './init.js';
import type { Joint } from './joint.js';
import type { LayerContext } from './layer.js';
import { onlyPresent } from './present.js';
import { type Layout, sequenceOf } from './sample.js';
import { stepNumbers } from './steps.js';

interface Options {
  readonly units: number;
  readonly layers: number;
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
  readonly sequences: boolean;
  /** An input that says which steps are there: the states behind the last of them are 0, and the other direction begins at it. */
  readonly mask?: string | undefined;
  readonly init: Init;
}

/** An op and what it is given beside the size and the direction. */
interface Cell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly gates: number;
  readonly attributes?: Readonly<Record<string, number | readonly string[]>>;
}

/** The states [N,T,directions units] of a sequence [N,T,F], or the last ones [N,directions units]. */
export function lowerRecurrent(c: LayerContext, cell: Cell, o: Options, x: Value): Value {
  const { g } = c;
  const [, features] = sequenceOf(x, c.layout);
  // Not a Transpose at either end: ONNX Runtime moves those through what reads them, otherwise where there are other readers, and bits would differ.
  const lengths = o.mask === undefined ? [] : [c.lengths(o.mask, x)];
  let y = g.einsum(read(c, c.join(x), lengths[0]), { equation: 'ntf->tnf' });
  for (let i = 0; i < o.layers; i++) {
    const weights = weightsOf(c, cell, o, i === 0 ? features : directionsOf(o) * o.units, o.layers === 1 ? '' : `${i}/`);
    const attributes = { ...cell.attributes, hidden_size: o.units, direction: o.direction };
    const all = o.sequences || i < o.layers - 1;
    const [states, last] = g.op(cell.op, [y, ...weights, ...lengths], attributes, all ? [true] : [false, true]);
    y = all ? statesByTime(g, must(states, 'Y'), o) : lastStates(g, must(last, 'Y_h'), o);
  }
  return o.sequences ? g.einsum(y, { equation: 'tnf->ntf' }) : y;
}

/** What is read of a sequence of these lengths. The op passes over what stands behind them; products of its gradient do not, and NaN times 0 is NaN. */
function read({ g, scope }: LayerContext, sequence: Value, lengths: Value | undefined): Value {
  if (lengths === undefined || !scope.training) return sequence;
  const places = stepNumbers(g, sequence, 'int64', 0, 0);
  return onlyPresent(g, g.less(places, g.unsqueeze(g.cast(lengths, { to: 'int64' }), [1])), sequence);
}

/** Laterals join the sequence that a layer reads, where no affine layer stands at its start. */
export function sequenceJoint(x: Value, layout: Layout | undefined): Joint {
  const [steps, width] = sequenceOf(x, layout);
  return { along: 'positions', layout: 'channels-last', width, init: { kind: 'he_normal' }, size: [steps], like: x };
}

const directionsOf = ({ direction }: Options) => (direction === 'bidirectional' ? 2 : 1);

/** W, R and both biases of a layer, as ONNX's op takes them. */
function weightsOf(c: LayerContext, { gates }: Cell, o: Options, features: number, prefix: string): readonly Value[] {
  const { units, init } = o;
  const [directions, rows] = [directionsOf(o), gates * units];
  // PyTorch draws all of them within 1 / sqrt(units).
  const fanIn = init.kind === 'torch_uniform' ? units : features;
  return [
    c.trainable(`${prefix}weight`, [directions, rows, features], { by: init, fanIn, fanOut: units }),
    c.trainable(`${prefix}recurrent_weight`, [directions, rows, units], { by: init, fanIn: units, fanOut: units }),
    c.trainable(`${prefix}bias`, [directions, 2 * rows], biasInit(init, units)),
  ];
}

/** Y [T,directions,N,units] as [T,N,directions units]. */
function statesByTime(g: Ops, y: Value, { direction, units }: Options): Value {
  if (direction !== 'bidirectional') return g.squeeze(y, [1]);
  return g.reshape(g.transpose(y, { perm: [0, 2, 1, 3] }), [0, 0, 2 * units]);
}

/** Y_h [directions,N,units] as [N,directions units]. */
function lastStates(g: Ops, last: Value, { direction, units }: Options): Value {
  if (direction !== 'bidirectional') return g.squeeze(last, [0]);
  return g.reshape(g.transpose(last, { perm: [1, 0, 2] }), [0, 2 * units]);
}
