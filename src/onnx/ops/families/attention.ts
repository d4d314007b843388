// Attention and what goes with it: rotary positions, the update of a key or value cache. The specification gives Attention and RotaryEmbedding
// as functions; here they are written out for differentiation. Layout [batch, heads, sequence, size]. Specification: onnx/docs/Operators.md.
import { dtypeFromCode } from '../../core/dtype.js';
import { must } from '../../core/errors.js';
import { compatibleDim, type Dim, formatShape, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import { type TensorType, type Type, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { counted, shapeOf, sizesOf } from '../rules/shape-like.js';
import { addDims, mulDims } from '../rules/shape-value.js';
import type { AttributeName } from '../signature.js';
import type { Operand } from '../typed-builder.js';
import { castLike, floatType } from './elementwise.js';
import { reduceBy } from './reduce.js';

type AttentionOp = 'Attention' | 'RotaryEmbedding' | 'TensorScatter';

/** What Attention computes from Q, K and V and the state behind them, as shapes [batch, heads, sequence, size]. */
interface HeadShapes {
  readonly q: Shape;
  readonly k: Shape;
  readonly v: Shape;
}

function quotient(d: Dim, n: number): Dim {
  return typeof d === 'number' && n > 0 && d % n === 0 ? d / n : null;
}

/** The shape of Q, K or V with its heads on an axis of their own; undefined when its rank is unknown. */
function headShape(c: NodeContext, i: number, attribute: AttributeName<'int'>): Shape | undefined {
  const shape = c.shape(i);
  if (shape === undefined || shape.length === 4) return shape;
  const heads = c.int(attribute, 0);
  const [batch = null, length = null, size = null] = shape;
  if (shape.length !== 3)
    return c.fail(`input ${i} must have rank 3 or 4, it is ${formatShape(shape)}`, { expected: 'rank 3 or 4' });
  if (heads < 1) return c.fail(`attribute ${attribute} is missing, input ${i} has rank 3`, { expected: attribute });
  return [batch, heads, length, quotient(size, heads)];
}

function headShapes(c: NodeContext): HeadShapes | undefined {
  const q = headShape(c, 0, 'q_num_heads');
  const k = headShape(c, 1, 'kv_num_heads');
  const v = headShape(c, 2, 'kv_num_heads');
  return q === undefined || k === undefined || v === undefined ? undefined : { q, k, v };
}

function inferAttention(c: NodeContext): Type[] {
  const [key, value] = [c.dtype(1), c.dtype(2)];
  const dtype = floatType(c)[0]?.dtype ?? key;
  const mode = c.int('qk_matmul_output_mode');
  if (mode < 0 || mode > 3)
    c.fail(`qk_matmul_output_mode is ${mode}, expected 0 to 3`, { expected: '0 to 3', got: String(mode) });
  const mask = c.has(3) ? c.rank(3) : undefined;
  if (mask !== undefined && (mask < 1 || mask > 4)) c.fail(`attn_mask must have 1 to 4 axes, it is ${formatShape(c.shape(3))}`);
  const heads = headShapes(c);
  if (heads === undefined) return [tensorType(dtype), tensorType(key), tensorType(value), tensorType(dtype)];
  const { q, k, v } = heads;
  const total = addDims(k[2] ?? null, c.has(4) ? (c.shape(4)?.[2] ?? null) : 0);
  const [batch = null, count = null, length = null] = q;
  const size = v[3] ?? null;
  const y = c.rank(0) === 3 ? [batch, length, mulDims(count, size)] : [batch, count, length, size];
  return [
    tensorType(dtype, y),
    tensorType(key, k.with(2, total)),
    tensorType(value, v.with(2, total)),
    tensorType(dtype, [batch, count, length, total]),
  ];
}

/** [batch, sequence, heads * size] to [batch, heads, sequence, size]. */
function splitHeads(c: GradientContext, i: number, attribute: AttributeName<'int'>): Value {
  const { g } = c;
  if (c.rank(i) === 4) return c.x(i);
  return g.transpose(g.reshape(c.x(i), [0, 0, c.int(attribute, 0), -1]), { perm: [0, 2, 1, 3] });
}

/** Which keys a query may see by `is_causal` and by `nonpad_kv_seqlen`, as a condition that broadcasts to the scores; undefined: all. */
function visible(c: GradientContext, q: Value, k: Value): Value | undefined {
  const { g } = c;
  const [causal, padded] = [c.int('is_causal') === 1, c.has(6)];
  if (!causal && !padded) return undefined;
  const key = counted(g, k, 2);
  const filled = padded ? g.reshape(c.x(6), [-1, 1, 1, 1]) : undefined;
  const there = filled === undefined ? undefined : g.less(key, filled);
  if (!causal) return there;
  // query i stands behind the keys of the cache: it sees key j where j <= i + offset
  const query = g.unsqueeze(counted(g, q, 2), [1]);
  const offset = c.has(4) ? sizesOf(g, c.x(4), 2, 3) : filled === undefined ? undefined : g.sub(filled, sizesOf(g, q, 2, 3));
  const before = g.lessOrEqual(key, offset === undefined ? query : g.add(query, offset));
  return there === undefined ? before : g.and(there, before);
}

/** The mask as numbers to add, -infinity where a key is not seen; filled up to the number of keys with -infinity where it is shorter. */
function maskBias(c: GradientContext, scores: Value): Value {
  const { g } = c;
  const mask = c.x(3);
  const never = g.scalar(Number.NEGATIVE_INFINITY, scores);
  const bias = mask.dtype === 'bool' ? g.where(mask, 0, never) : castLike(g, mask, scores);
  const [have, want] = [mask.shape?.at(-1), scores.shape?.at(-1)];
  if (c.opset < 24 || (typeof have === 'number' && have === want)) return bias;
  const rank = mask.shape?.length ?? c.fail('the gradient needs a mask of known rank');
  const missing = g.sub(sizesOf(g, scores, 3, 4), sizesOf(g, mask, rank - 1, rank));
  return g.pad(bias, g.concat(new Array<number>(2 * rank - 1).fill(0), missing, { axis: 0 }), never);
}

// S = scale Q K^T, capped to softcap tanh(S / softcap), plus the bias of the masks; P = softmax S, Y = P V. A query that sees no key gives 0.
function expandAttention(c: GradientContext): Value[] {
  const { g } = c;
  const heads = headShapes(c) ?? c.fail('the gradient needs inputs of known rank');
  // of opset 25, which no ONNX Runtime has yet
  const window = (['left_window_size', 'right_window_size'] as const).find((name) => c.int(name) >= 0);
  if (window !== undefined) return c.fail(`no gradient is known for ${window} ${c.int(window)}`);
  const q = splitHeads(c, 0, 'q_num_heads');
  const state = (i: number, past: number) => {
    const now = splitHeads(c, i, 'kv_num_heads');
    return c.has(past) ? g.concat(c.x(past), now, { axis: 2 }) : now;
  };
  const [k, v] = [state(1, 4), state(2, 5)];
  // Several heads of Q may share one of K and V: their queries stand one behind the other as those of one head.
  const shared = heads.q[1] === null || heads.k[1] === null || heads.q[1] !== heads.k[1];
  const together = (t: Value) =>
    shared ? g.reshape(t, g.concat(sizesOf(g, k, 0, 2), g.ints([-1]), sizesOf(g, t, 3), { axis: 0 })) : t;
  const apart = (t: Value) => (shared ? g.reshape(t, g.concat(sizesOf(g, q, 0, 3), [-1], { axis: 0 })) : t);

  const size = heads.q[3];
  const scale = c.float('scale', 0);
  const by = () => g.pow(g.cast(sizesOf(g, q, 3), { to: q.dtype }), -0.5);
  const factor = scale !== 0 ? scale : typeof size === 'number' ? size ** -0.5 : by();
  const raw = apart(g.matMul(together(g.mul(q, factor)), g.transpose(k, { perm: [0, 1, 3, 2] })));
  const cap = c.float('softcap');
  const capped = cap === 0 ? raw : g.mul(g.tanh(g.div(raw, cap)), cap);
  const allowed = visible(c, q, k);
  const added = c.has(3) ? g.add(capped, maskBias(c, capped)) : capped;
  const scores = allowed === undefined ? added : g.where(allowed, added, Number.NEGATIVE_INFINITY);

  const precision = c.int('softmax_precision', 0);
  const inner = precision === 0 ? undefined : dtypeFromCode(precision);
  const soft = (s: Value) => castLike(g, g.softmax(inner === undefined ? s : g.cast(s, { to: inner }), { axis: -1 }), s);
  const zero = g.scalar(0, scores);
  const seen = () => g.greater(reduceBy(g, 'ReduceMax', scores, [-1]), Number.NEGATIVE_INFINITY);
  const guarded = () => {
    const some = seen();
    return g.where(some, soft(g.where(some, scores, zero)), zero);
  };
  const p = c.has(3) || c.has(6) ? guarded() : soft(scores);
  const y = apart(g.matMul(together(p), castLike(g, v, p)));
  const flat = c.rank(0) === 3 ? g.reshape(g.transpose(y, { perm: [0, 2, 1, 3] }), [0, 0, -1]) : y;
  return [flat, k, v, must([raw, capped, scores, p][c.int('qk_matmul_output_mode')], 'mode 0 to 3')];
}

// each pair (a, b) of the first `rotary_embedding_dim` elements turns by its angle: (a cos - b sin, a sin + b cos)
function expandRotary(c: GradientContext): Value[] {
  const { g } = c;
  const x = c.x(0);
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  // of rank 3 the heads come behind the sequence
  const split = rank === 3 ? g.reshape(x, [0, 0, c.int('num_heads', 0), -1]) : x;
  const perHead = [rank === 3 ? 2 : 1];
  const angle = (i: number) => g.unsqueeze(c.has(3) ? g.gather(c.x(i), c.x(3), { axis: 0 }) : c.x(i), perHead);
  const [cos, sin] = [angle(1), angle(2)];
  const interleaved = c.int('interleaved') === 1;
  const half = sizesOf(g, cos, 3);
  const whole = g.mul(half, [2]);
  const cut = (from: Operand, to: Operand, step = 1) => g.slice(split, from, to, [3], [step]);
  const a = interleaved ? cut([0], whole, 2) : cut([0], half);
  const b = interleaved ? cut([1], whole, 2) : cut(half, whole);
  const turned = [g.sub(g.mul(cos, a), g.mul(sin, b)), g.add(g.mul(sin, a), g.mul(cos, b))];
  const pairs = () => g.reshape(g.concat(...turned.map((v) => g.unsqueeze(v, [4])), { axis: 4 }), [0, 0, 0, -1]);
  const rotated = interleaved ? pairs() : g.concat(...turned, { axis: 3 });
  const rest = () => cut(whole, [2 ** 31 - 1]);
  const all = c.int('rotary_embedding_dim') === 0 ? rotated : g.concat(rotated, rest(), { axis: 3 });
  return [rank === 3 ? g.reshape(all, shapeOf(g, x)) : all];
}

// present[b, (w_b + i) mod size, ..] = update[b, i, ..], with the sequence turned to axis 1
/** The update has the dims of the cache, but along the axis; the batch, axis 0, is none to write along. */
function inferTensorScatter(c: NodeContext): TensorType[] {
  const [cache, update] = [c.shape(0), c.shape(1)];
  if (c.has(2) && (c.rank(2) ?? 1) !== 1) c.fail(`write_indices has rank ${c.rank(2)}, expected 1`, { expected: '1' });
  if (cache !== undefined) {
    const axis = c.axis(c.int('axis'), cache.length);
    if (axis === 0) c.fail('axis 0 is the batch, expected another');
    const fits = update?.length === cache.length && update.every((d, i) => i === axis || compatibleDim(d, cache[i] ?? null));
    if (update !== undefined && !fits)
      c.fail(`update is ${formatShape(update)}, past_cache ${formatShape(cache)}: they differ in more than axis ${axis}`);
  }
  return [c.like(0, cache)];
}

function expandTensorScatter(c: GradientContext): Value[] {
  const { g } = c;
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  const axis = c.axis(c.int('axis'), rank);
  const perm = [0, axis, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 0 && i !== axis)];
  const turn = (v: Value) => (axis === 1 ? v : g.transpose(v, { perm }));
  const [cache, update] = [turn(c.x(0)), turn(c.x(1))];
  const steps = g.unsqueeze(counted(g, update, 1), [0]);
  const from = c.has(2) ? g.add(g.unsqueeze(c.x(2), [1]), steps) : steps;
  const place = c.string('mode') === 'circular' ? g.mod(from, sizesOf(g, cache, 1, 2)) : from;
  const sample = g.unsqueeze(counted(g, update, 0), [1]);
  const both = [g.add(sample, g.mul(place, 0)), g.add(place, g.mul(sample, 0))];
  const indices = g.concat(...both.map((v) => g.unsqueeze(v, [2])), { axis: 2 });
  const present = g.scatterND(cache, indices, update);
  return [axis === 1 ? present : g.transpose(present, { perm: perm.map((_, i) => perm.indexOf(i)) })];
}

export const attention: Readonly<Record<AttentionOp, OpRules>> = {
  Attention: {
    infer: inferAttention,
    gradient: { expand: expandAttention },
  },
  RotaryEmbedding: {
    infer: (c) => {
      const [angles, positions] = [c.rank(1), c.has(3) ? c.rank(3) : undefined];
      if (positions !== undefined && positions !== 2) c.fail(`position_ids must have rank 2, it is ${formatShape(c.shape(3))}`);
      const want = c.has(3) ? 2 : 3;
      if (angles !== undefined && angles !== want) c.fail(`cos_cache must have rank ${want}, it is ${formatShape(c.shape(1))}`);
      if (c.rank(0) === 3 && c.int('num_heads', 0) < 1) c.fail('attribute num_heads is missing, the input has rank 3');
      return floatType(c);
    },
    gradient: { expand: expandRotary },
  },
  TensorScatter: {
    infer: inferTensorScatter,
    gradient: { expand: expandTensorScatter },
  },
};
