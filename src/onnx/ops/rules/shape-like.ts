// Shapes of forward values inside gradient rules: constants where they are static, Shape at run time where they are not.
import { within } from '../../core/bounds.js';
import { isStatic } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';

/** Gives `v` the type of `like`, which it has by construction. */
export function typed(v: Value, like: Value): Value {
  if (like.type !== undefined) v.type = like.type;
  return v;
}

/** The shape of `v` as an int64 vector. */
export function shapeOf(g: Ops, v: Value): Value {
  return isStatic(v.shape) ? g.ints(v.shape) : g.shape(v);
}

/** Sizes [from, to) of `v` as an int64 vector; to the last when `to` is left out. */
export function sizesOf(g: Ops, v: Value, from: number, to?: number): Value {
  const part = v.shape?.slice(from, to);
  if (isStatic(part)) return g.ints(part);
  if (g.opset >= 15) return g.shape(v, { start: from, end: to });
  return g.slice(g.shape(v), [from], [to ?? 2 ** 31 - 1], [0]);
}

/** `d` in the shape of `x`, which has as many elements. One unknown dimension becomes -1. */
export function reshapeLike(g: Ops, d: Value, x: Value): Value {
  const { shape } = x;
  // a size of 0 would copy that of d
  if (isStatic(shape) && shape.includes(0)) return typed(g.reshape(d, shape, { allowzero: 1 }), x);
  const unknown = shape?.filter((s) => typeof s !== 'number').length;
  const plain = shape !== undefined && unknown === 1 && !shape.includes(0);
  return typed(g.reshape(d, plain ? g.ints(shape.map((s) => (typeof s === 'number' ? s : -1))) : shapeOf(g, x)), x);
}

/** `d` broadcast to the shape of `x`. */
export function expandLike(g: Ops, d: Value, x: Value): Value {
  return typed(g.expand(d, shapeOf(g, x)), x);
}

/** `value` everywhere, of the type of `x`. */
export function fullLike(g: Ops, value: number, x: Value): Value {
  return expandLike(g, g.scalar(value, x), x);
}

/** Zeros of the type of `x`. */
export function zerosLike(g: Ops, x: Value): Value {
  return fullLike(g, 0, x);
}

/** int64 0, step, 2 step, ...: a constant, or where that would be large a Range. */
export function numbered(g: Ops, count: number, step = 1): Value {
  if (within('constant', count)) return g.ints(Array.from({ length: count }, (_, i) => i * step));
  return g.range(g.scalar(0, 'int64'), count * step, step);
}

/** int64 0, 1, ... below the size of an axis of `v`. */
export function counted(g: Ops, v: Value, axis: number): Value {
  return g.range(g.scalar(0, 'int64'), g.squeeze(sizesOf(g, v, axis, axis + 1), [0]), 1);
}
