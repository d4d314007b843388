// The gradient of recurrent layers, in one piece for RNN, GRU and LSTM. The forward node gives every state h_t, so that each direction's
// cell (recurrent-cells) has all times before it; products of its da with x and h, again for all times at once, give the gradients by x and
// by the weights.
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import { reduceSum } from '../families/reduce.js';
import type { GradientContext } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { cellGradients, outer, type Pass } from './recurrent-cells.js';
import { counted, sizesOf, typed } from './shape-like.js';

/** X, W, R, B, sequence_lens, initial_h, initial_c, P. */
export const inputRanks: readonly number[] = [3, 3, 3, 2, 1, 3, 3, 2];

/** The rule of the family. Inputs: X W R B? sequence_lens? initial_h? initial_c? P?, outputs: Y Y_h Y_c. */
export function recurrentGradient(c: GradientContext, op: keyof typeof cellGradients): (Value | null)[] {
  const { g } = c;
  // The body of a Scan needs ranks, and the operator fixes them.
  inputRanks.forEach((rank, i) => {
    if (c.has(i) && c.shape(i) === undefined) c.x(i).type = tensorType(c.dtype(i), new Array<null>(rank).fill(null));
  });
  const batchFirst = c.int('layout') === 1;
  const timeFirst = (v: Value, perm: readonly number[]) => (batchFirst ? g.transpose(v, { perm }) : v);
  const direction = c.string('direction');
  const count = direction === 'bidirectional' ? 2 : 1;
  const hidden = c.shape(2)?.[2] ?? c.int('hidden_size');
  if (typeof hidden !== 'number' || hidden < 1) return c.fail('the gradient needs a known hidden size');
  const x = timeFirst(c.x(0), [1, 0, 2]);
  const optional = (i: number) => (c.has(i) ? c.x(i) : undefined);
  const dOf = (i: number, perm: readonly number[]) => {
    const d = c.dyOrNull(i);
    return d === null ? null : timeFirst(d, perm);
  };
  const lens = optional(4);
  const inside = lens === undefined ? undefined : insideOf(g, x, lens);
  const flip = (v: Value): Value => {
    if (lens === undefined) return typed(g.slice(v, [-1], [-(2 ** 31 - 1)], [0], [-1]), v);
    return g.reverseSequence(v, g.cast(lens, { to: 'int64' }), { time_axis: 0, batch_axis: 1 });
  };
  const zeros = g.expand(g.scalar(0, x), g.concat(sizesOf(g, x, 1, 2), [hidden], { axis: 0 }));
  const y = timeFirst(c.output(0, tensorType(x.dtype, yShape())), [1, 2, 0, 3]);
  const [dy, dyh, dyc] = [dOf(0, [1, 2, 0, 3]), dOf(1, [1, 0, 2]), op === 'LSTM' ? dOf(2, [1, 0, 2]) : null];
  const [h0, c0] = [5, 6].map((i) => {
    const v = op === 'LSTM' || i === 5 ? optional(i) : undefined;
    return v === undefined ? undefined : timeFirst(v, [1, 0, 2]);
  });

  const passes = Array.from({ length: count }, (_, d) => {
    const reverse = d === 1 || direction === 'reverse';
    /** The part of this direction, which has the axis `axis`. */
    const part = (v: Value, axis: number) => (count === 1 ? g.squeeze(v, [axis]) : g.gather(v, d, { axis }));
    const turned = (v: Value) => (reverse ? flip(v) : v);
    const state = (v: Value | null | undefined) => (v === null || v === undefined ? zeros : part(v, 0));
    const states = turned(part(y, 1));
    const shifted = g.slice(states, [0], [-1], [0]);
    const before = typed(g.concat(g.unsqueeze(state(h0), [0]), shifted, { axis: 0 }), states);
    const b = optional(3);
    const flown = dy === null ? null : turned(part(dy, 1));
    const pass: Pass = {
      g,
      c,
      direction: d,
      hidden,
      x: turned(x),
      w: part(c.x(1), 0),
      r: part(c.x(2), 0),
      bias:
        b === undefined
          ? undefined
          : (g.op('Split', [part(b, 0)], g.opset >= 18 ? { axis: 0, num_outputs: 2 } : { axis: 0 }, 2) as [Value, Value]),
      peepholes: op === 'LSTM' && c.has(7) ? part(c.x(7), 0) : undefined,
      before,
      dy: flown === null || inside === undefined ? flown : g.where(inside, flown, 0),
      dh: state(dyh),
      dc: state(dyc),
      c0: state(c0),
      inside,
    };
    return { pass, result: cellGradients[op](pass), turned };
  });

  /** One value per direction, joined along a new first axis. */
  const joined = (f: (p: (typeof passes)[number]) => Value): Value => {
    const parts = passes.map((p) => g.unsqueeze(f(p), [0]));
    return parts.length === 1 ? must(parts[0], 'direction') : g.concat(...parts, { axis: 0 });
  };
  const sum = (v: Value) => reduceSum(g, v, [0, 1], 0);
  const dx = () => {
    const parts = passes.map(({ pass, result, turned }) => turned(g.matMul(result.da, pass.w)));
    return timeFirst(
      parts.reduce((a, b) => g.add(a, b)),
      [1, 0, 2],
    );
  };
  return [
    c.needs(0) ? dx() : null,
    c.needs(1) ? joined(({ pass, result }) => outer(g, result.da, pass.x)) : null,
    c.needs(2) ? joined(({ pass, result }) => result.dr ?? outer(g, result.dar, pass.before)) : null,
    c.needs(3) ? joined(({ result }) => g.concat(sum(result.da), sum(result.dar), { axis: 0 })) : null,
    null,
    c.needs(5)
      ? timeFirst(
          joined(({ result }) => result.dh),
          [1, 0, 2],
        )
      : null,
    c.needs(6)
      ? timeFirst(
          joined(({ result }) => must(result.dc, 'dc')),
          [1, 0, 2],
        )
      : null,
    c.needs(7) ? joined(({ result }) => must(result.dp, 'dP')) : null,
  ].slice(0, c.inputCount);

  function yShape() {
    const [time, batch] = x.shape ?? [null, null];
    return batchFirst
      ? [batch ?? null, time ?? null, count, hidden as number]
      : [time ?? null, count, batch ?? null, hidden as number];
  }
}

/** [T, N, 1]: whether time t lies within sequence n. */
function insideOf(g: Ops, x: Value, lens: Value): Value {
  const time = counted(g, x, 0);
  return g.less(g.unsqueeze(time, [1, 2]), g.unsqueeze(g.cast(lens, { to: 'int64' }), [1]));
}
