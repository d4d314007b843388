// Gradients of the three recurrent cells, one direction at a time: all gates and all that does not depend on the gradient are computed for
// all times at once; a Scan backwards in time carries dh (and dc) and gives the gradients da of what goes into the activations. Steps beyond
// the end of a sequence change nothing: their factors are 0, and the states pass.
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import { reduceSum } from '../families/reduce.js';
import type { GradientContext } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { scan } from '../scan.js';
import { type Activated, activationsOf } from './recurrent-activation.js';
import { sizesOf, typed } from './shape-like.js';

/** One direction, time first and in the order of processing; h is of size `hidden`. */
export interface Pass {
  readonly g: Ops;
  readonly c: GradientContext;
  readonly direction: number;
  readonly hidden: number;
  /** [T, N, I] */
  readonly x: Value;
  /** [G H, I] */
  readonly w: Value;
  /** [G H, H] */
  readonly r: Value;
  /** Biases of W and of R, [G H] each. */
  readonly bias: readonly [Value, Value] | undefined;
  readonly peepholes: Value | undefined;
  /** States before each step, [T, N, H]. */
  readonly before: Value;
  /** Gradient by each state, [T, N, H]; 0 beyond the end. */
  readonly dy: Value | null;
  /** Gradients by the last states, [N, H]; null for zero. */
  readonly dh: Value;
  readonly dc: Value;
  readonly c0: Value;
  /** True within the sequence, [T, N, 1]. */
  readonly inside: Value | undefined;
}

interface Result {
  /** By what goes into each gate from W, and from R: [T, N, G H]. */
  readonly da: Value;
  readonly dar: Value;
  /** By the weights of the recurrence; where all gates read h, it is dar^T h. */
  readonly dr?: Value;
  readonly dh: Value;
  readonly dc?: Value;
  readonly dp?: Value;
}

const transposed = (g: Ops, v: Value) => g.transpose(v, { perm: [1, 0] });

/** a^T b over all times and samples: [T, N, A] and [T, N, B] to [A, B]. */
export function outer(g: Ops, a: Value, b: Value): Value {
  const rows = (v: Value) => g.reshape(v, g.concat(g.ints([-1]), sizesOf(g, v, 2, 3), { axis: 0 }));
  return g.gemm(rows(a), rows(b), { transA: 1 });
}

/** A factor within the sequence, 0 (or `else_`) beyond its end. */
function within(p: Pass, v: Value, beyond = 0): Value {
  return p.inside === undefined ? v : p.g.where(p.inside, v, beyond);
}

/** What the state keeps beyond the end of a sequence: 1 there, [T, N, 1]. */
function keepers(p: Pass): Value[] {
  return p.inside === undefined ? [] : [p.g.where(p.inside, p.g.scalar(0, p.x), 1)];
}

function split(g: Ops, v: Value, parts: number, size: number): Value[] {
  return g.op('Split', [v, g.ints(new Array<number>(parts).fill(size))], { axis: 2 }, parts);
}

/** v[from, to) along the first axis. */
const rowsOf = (g: Ops, v: Value, from: number, to: number) => g.slice(v, [from], [to], [0]);

/** x W^T + b for all times. */
function projected(p: Pass, bias: Value | undefined): Value {
  const a = p.g.matMul(p.x, transposed(p.g, p.w));
  return bias === undefined ? a : p.g.add(a, bias);
}

const sumOf = (g: Ops, pair: Pass['bias']) => (pair === undefined ? undefined : g.add(pair[0], pair[1]));

// h = f(W x + R h' + b): da = dh f', dh' = R^T da
function rnn(p: Pass): Result {
  const { g } = p;
  const [f] = activationsOf(p.c, ['Tanh'], p.direction);
  const a = g.add(projected(p, sumOf(g, p.bias)), g.matMul(p.before, transposed(g, p.r)));
  const slope = within(p, must(f, 'activation')(g, a).slope);
  const [dh, da] = scan(g, [p.dh], [slope, ...given(p.dy), ...keepers(p)], 'backward', (b, [dh], xs) => {
    const state = must(dh, 'dh');
    const [k, ...more] = xs;
    const d = p.dy === null ? state : b.add(state, must(more.shift(), 'dy'));
    const da = b.mul(d, must(k, 'slope'));
    return { states: [kept(b, b.matMul(da, p.r), state, more.shift())], outputs: [da] };
  });
  const all = must(da, 'da');
  return { da: all, dar: all, dh: must(dh, 'dh') };
}

const given = (v: Value | null) => (v === null ? [] : [v]);

/** The state before a step: what flows back through it, or beyond the end the state itself. */
function kept(b: Ops, flown: Value, state: Value, keep: Value | undefined): Value {
  return keep === undefined ? flown : b.add(flown, b.mul(state, keep));
}

// z = f(Wz x + Rz h'), r = f(Wr x + Rr h'), n = g(Wh x + q), h = (1 - z) n + z h',
// with q = Rh (r h') + b, or r (Rh h' + b) when linear_before_reset
function gru(p: Pass): Result {
  const { g, hidden: H } = p;
  const [f, act] = activationsOf(p.c, ['Sigmoid', 'Tanh'], p.direction);
  const linear = p.c.int('linear_before_reset') !== 0;
  const h = p.before;
  const [rzr, rh] = [rowsOf(g, p.r, 0, 2 * H), rowsOf(g, p.r, 2 * H, 3 * H)];
  const rb = p.bias?.[1];
  const [az, ar, ah] = split(g, projected(p, p.bias?.[0]), 3, H) as [Value, Value, Value];
  const withBias = (v: Value, from: number, to: number) => (rb === undefined ? v : g.add(v, rowsOf(g, rb, from * H, to * H)));
  const [hz, hr] = split(g, withBias(g.matMul(h, transposed(g, rzr)), 0, 2), 2, H) as [Value, Value];
  const z = must(f, 'activation')(g, g.add(az, hz));
  const r = must(f, 'activation')(g, g.add(ar, hr));
  const reset = g.mul(r.y, h);
  const q = withBias(g.matMul(linear ? h : reset, transposed(g, rh)), 2, 3);
  const n = must(act, 'activation')(g, g.add(ah, linear ? g.mul(r.y, q) : q));
  const kz = within(p, g.mul(g.sub(h, n.y), z.slope));
  const kn = within(p, g.mul(g.sub(1, z.y), n.slope));
  const kr = g.mul(linear ? q : h, r.slope);
  const inputs = [kz, kn, kr, r.y, within(p, z.y, 1), ...given(p.dy)];
  const [dh, da] = scan(g, [p.dh], inputs, 'backward', (b, [dh], xs) => {
    const [kz, kn, kr, r, z, dy] = xs as [Value, Value, Value, Value, Value, Value | undefined];
    const state = must(dh, 'dh');
    const d = dy === undefined ? state : b.add(state, dy);
    const [daz, dan] = [b.mul(d, kz), b.mul(d, kn)];
    const passed = b.mul(d, z);
    if (linear) {
      const dar = b.mul(dan, kr);
      const back = b.matMul(b.concat(daz, dar, b.mul(dan, r), { axis: 1 }), p.r);
      return { states: [b.add(passed, back)], outputs: [b.concat(daz, dar, dan, { axis: 1 })] };
    }
    const dreset = b.matMul(dan, rh);
    const dar = b.mul(dreset, kr);
    const back = b.add(b.mul(dreset, r), b.matMul(b.concat(daz, dar, { axis: 1 }), rzr));
    return { states: [b.add(passed, back)], outputs: [b.concat(daz, dar, dan, { axis: 1 })] };
  });
  const all = must(da, 'da');
  if (!linear) {
    const [dzr, dn] = g.outputs(2).split(all, [2 * H, H], { axis: 2 });
    return { da: all, dar: all, dr: g.concat(outer(g, dzr, h), outer(g, dn, reset), { axis: 0 }), dh: must(dh, 'dh') };
  }
  const [daz, dar, dan] = split(g, all, 3, H) as [Value, Value, Value];
  return { da: all, dar: g.concat(daz, dar, g.mul(dan, r.y), { axis: 2 }), dh: must(dh, 'dh') };
}

// i, o, f = f(W x + R h' + b + P c), n = g(W x + R h' + b), c = f c' + i n, h = o k(c); P sees c' for i and f, c for o.
// input_forget makes f = 1 - i.
function lstm(p: Pass): Result {
  const { g, hidden: H } = p;
  const [f, act, out] = activationsOf(p.c, ['Sigmoid', 'Tanh', 'Tanh'], p.direction);
  const gate = must(f, 'activation');
  const coupled = p.c.int('input_forget') !== 0;
  const one = g.scalar(1, p.x);
  const a = g.add(projected(p, sumOf(g, p.bias)), g.matMul(p.before, transposed(g, p.r)));
  const [ai, ao, af, an] = split(g, a, 4, H) as [Value, Value, Value, Value];
  const n = must(act, 'activation')(g, an);
  const peep =
    p.peepholes === undefined
      ? undefined
      : ([0, 1, 2].map((k) => rowsOf(g, must(p.peepholes, 'P'), k * H, (k + 1) * H)) as [Value, Value, Value]);
  const [pi, po, pf] = peep ?? [];
  const looking = (b: Ops, v: Value, weights: Value | undefined, c: Value) =>
    weights === undefined ? v : b.add(v, b.mul(weights, c));
  const gates = (b: Ops, ai: Value, af: Value, c: Value): { i: Activated; f: Activated } => {
    const i = gate(b, looking(b, ai, pi, c));
    return { i, f: coupled ? { y: b.sub(one, i.y), slope: i.slope } : gate(b, looking(b, af, pf, c)) };
  };
  const known = peep === undefined ? gates(g, ai, af, p.c0) : undefined;
  const cells = known === undefined ? peepingCells() : plainCells(known);
  const before = g.concat(g.unsqueeze(p.c0, [0]), g.slice(cells, [0], [-1], [0]), { axis: 0 });
  const previous = typed(before, cells);
  const { i, f: forget } = known ?? gates(g, ai, af, previous);
  const o = gate(g, looking(g, ao, po, cells));
  const k = must(out, 'activation')(g, cells);
  const ki = within(p, g.mul(coupled ? g.sub(n.y, previous) : n.y, i.slope));
  const kf = coupled ? [] : [within(p, g.mul(previous, forget.slope))];
  const inputs = [
    ki,
    within(p, g.mul(k.y, o.slope)),
    within(p, g.mul(i.y, n.slope)),
    within(p, g.mul(o.y, k.slope)),
    within(p, forget.y, 1),
    ...kf,
    ...given(p.dy),
    ...keepers(p),
  ];
  const [dh, dc, da] = scan(g, [p.dh, p.dc], inputs, 'backward', (b, states, xs) => {
    const [sh, sc] = states as [Value, Value];
    const [ki, ko, kn, kc, f, ...more] = xs as [Value, Value, Value, Value, Value, ...Value[]];
    const kf = coupled ? undefined : must(more.shift(), 'kf');
    const d = p.dy === null ? sh : b.add(sh, must(more.shift(), 'dy'));
    const dao = b.mul(d, ko);
    const dcell = b.add(looking(b, sc, po, dao), b.mul(d, kc));
    const dai = b.mul(dcell, ki);
    const daf = kf === undefined ? b.mul(dcell, 0) : b.mul(dcell, kf);
    const da = b.concat(dai, dao, daf, b.mul(dcell, kn), { axis: 1 });
    const dprevious = looking(b, looking(b, b.mul(dcell, f), pi, dai), coupled ? undefined : pf, daf);
    return { states: [kept(b, b.matMul(da, p.r), sh, more.shift()), dprevious], outputs: [da] };
  });
  const all = must(da, 'da');
  const base = { da: all, dar: all, dh: must(dh, 'dh'), dc: must(dc, 'dc') };
  if (peep === undefined) return base;
  const [dai, dao, daf] = split(g, all, 4, H) as [Value, Value, Value, Value];
  const summed = (v: Value, c: Value) => reduceSum(g, g.mul(v, c), [0, 1], 0);
  return { ...base, dp: g.concat(summed(dai, previous), summed(dao, cells), summed(daf, previous), { axis: 0 }) };

  /** c_t of every step: gates are known for all times. */
  function plainCells({ i, f }: { i: Activated; f: Activated }): Value {
    const inputs = [within(p, f.y, 1), within(p, g.mul(i.y, n.y))];
    const [, stacked] = scan(g, [p.c0], inputs, 'forward', (b, [cell], [f, add]) => {
      const next = b.add(b.mul(must(cell, 'c'), must(f, 'f')), must(add, 'i n'));
      return { states: [next], outputs: [b.identity(next)] };
    });
    return must(stacked, 'c');
  }
  /** The same where gates see the cell. */
  function peepingCells(): Value {
    const [, stacked] = scan(g, [p.c0], [ai, af, n.y, ...keepers(p)], 'forward', (b, [cell], xs) => {
      const [ai, af, n, keep] = xs as [Value, Value, Value, Value | undefined];
      const c = must(cell, 'c');
      const { i, f } = gates(b, ai, af, c);
      const next = b.add(b.mul(c, f.y), b.mul(i.y, n));
      const held = keep === undefined ? next : b.add(next, b.mul(b.sub(c, next), keep));
      return { states: [held], outputs: [b.identity(held)] };
    });
    return must(stacked, 'c');
  }
}

/** By op type. */
export const cellGradients = { RNN: rnn, GRU: gru, LSTM: lstm } as const;
