// What follows of the places of steps alone: their numbers, and the angles of positions. Constants where it is known how many there are; else made in the
// graph, of the sequence that has them.
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { counted } from '../../onnx/ops/rules/shape-like.js';
import { sampleDims } from './sample.js';

/** first, first + 1, ... for each step of a sequence [N, steps, ...]: [1, steps], or [steps, 1] with `axis` 1. */
export function stepNumbers(g: Ops, sequence: Value, dtype: 'int64' | 'float32', first: number, axis: 0 | 1): Value {
  const [steps = 1] = sampleDims(sequence);
  if (typeof steps === 'number') {
    const dims = axis === 0 ? [1, steps] : [steps, 1];
    return g.constant(
      Tensor.from(
        dtype,
        Array.from({ length: steps }, (_, t) => t + first),
        dims,
      ),
    );
  }
  const numbers = g.unsqueeze(counted(g, sequence, 1), [axis]);
  const shifted = first === 0 ? numbers : g.add(numbers, first);
  return dtype === 'int64' ? shifted : g.cast(shifted, { to: 'float32' });
}

/** Of which function an angle is taken. */
type Wave = 'sin' | 'cos';

/** sin or cos of `turn[k]` t, in radians, for each step t of a sequence [N, steps, ...] and each k: float32 [steps, turns]. */
export function waves(g: Ops, sequence: Value, turn: readonly number[], of: (k: number) => Wave): Value {
  const [steps = 1] = sampleDims(sequence);
  const { length } = turn;
  if (typeof steps === 'string') return openWaves(g, sequence, turn, of);
  const values = Array.from({ length: steps * length }, (_, i) => {
    const angle = Math.floor(i / length) * (turn[i % length] ?? 0);
    return of(i % length) === 'sin' ? Math.sin(angle) : Math.cos(angle);
  });
  return g.constant(Tensor.from('float32', values, [steps, length]));
}

/** A whole turn in parts: as many as a product with 2^16 steps has place for in int64. */
const whole = 2 ** 46;

/**
 * The same of steps that are counted in the graph. A float32 of t turns has lost its digits long before t is large: angles are whole parts of a turn, exact
 * in int64, and become float32 when whole turns are taken off, in two pieces that float16 holds as well.
 */
function openWaves(g: Ops, sequence: Value, turn: readonly number[], of: (k: number) => Wave): Value {
  const row = (values: readonly number[]) =>
    g.constant(
      new Tensor(
        'int64',
        [1, values.length],
        BigInt64Array.from(values, (v) => BigInt(Math.round(v))),
      ),
    );
  const part = (v: number) => g.constant(new Tensor('int64', [], BigInt64Array.of(BigInt(v))));
  const turned = g.mul(stepNumbers(g, sequence, 'int64', 0, 1), row(turn.map((angle) => (angle / (2 * Math.PI)) * whole)));
  // cos is sin a quarter of a turn on.
  const places = g.mod(g.add(turned, row(turn.map((_, k) => (of(k) === 'sin' ? 0 : whole / 4)))), part(whole));
  const coarse = g.div(places, part(2 ** 35));
  const fine = g.div(g.mod(places, part(2 ** 35)), part(2 ** 22));
  const radians = (v: Value, parts: number) => g.mul(g.cast(v, { to: 'float32' }), (2 * Math.PI) / parts);
  return g.sin(g.add(radians(coarse, 2 ** 11), radians(fine, 2 ** 24)));
}
