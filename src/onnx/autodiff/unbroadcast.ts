// The adjoint of broadcasting: sums over the axes along which a value was repeated.
import { ShapeError } from '../core/errors.js';
import { formatShape, isStatic, type Shape, sameShape } from '../core/shape.js';
import type { Value } from '../ir/graph.js';
import type { Ops } from '../ops/ops-builder.js';
import { typed } from '../ops/rules/shape-like.js';

/** Sums `d` over the axes along which `x` was broadcast (static where both shapes are known, else computed at run time). */
export function unbroadcast(g: Ops, d: Value, x: Value): Value {
  const { shape: from } = d;
  const { shape: to } = x;
  if (from !== undefined && to !== undefined && decidable(from, to)) {
    const lead = from.length - to.length;
    if (lead < 0)
      throw new ShapeError(
        `"${x.name}" is ${formatShape(to)} here and ${formatShape(from)} where it is read: no gradient is known of a value whose rank changes in a loop or between branches`,
      );
    const axes = from.map((_, i) => i).filter((i) => i < lead || (to[i - lead] === 1 && from[i] !== 1));
    if (axes.length === 0) return d;
    const keep = axes.every((i) => i >= lead);
    const sum = g.reduceSum(d, axes, { keepdims: keep ? 1 : 0 });
    if (sameShape(sum.shape, to)) return sum;
    return isStatic(to) ? g.reshape(sum, to) : g.reshape(sum, g.shape(x));
  }
  // axes = where(shape of x, padded with ones on the left, is 1): summing over an axis of size 1 changes nothing.
  const target = g.shape(x);
  const rank = from?.length;
  const lead = rank === undefined || to === undefined ? undefined : rank - to.length;
  let padded = target;
  if (lead !== 0) {
    const pad = lead === undefined ? g.sub(g.size(g.shape(d)), g.size(target)) : g.scalar(lead, 'int64');
    const ones = g.expand(g.scalar(1, 'int64'), g.reshape(pad, [1]));
    padded = g.concat(ones, target, { axis: 0 });
  }
  const axes = g.squeeze(g.transpose(g.nonZero(g.equal(padded, 1)), { perm: [1, 0] }), [1]);
  const sum = g.reduceSum(d, axes, { keepdims: 1, noop_with_empty_axes: 1 });
  return lead === 0 ? typed(sum, x) : typed(g.reshape(sum, target), x);
}

function decidable(from: Shape, to: Shape): boolean {
  const lead = from.length - to.length;
  return to.every((d, i) => {
    const f = from[i + lead];
    return d === 1 || (d !== null && d === f) || (typeof d === 'number' && d > 1);
  });
}
