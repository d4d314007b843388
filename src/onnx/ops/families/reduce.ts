// Reductions over axes, and CumSum. Before opset 18 (ReduceSum: 13) the axes are an attribute, from then on an input; the helpers at the
// top hide that from whoever emits one. Specification: Operators.md.
import { must } from '../../core/errors.js';
import { type Dim, product, type Shape, sameShape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import { formatType, type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, GradientRule, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { expandLike, sizesOf } from '../rules/shape-like.js';
import { requireFloat, sign } from './elementwise.js';

type ReductionOp =
  | 'ReduceSum'
  | 'ReduceMean'
  | 'ReduceMax'
  | 'ReduceMin'
  | 'ReduceProd'
  | 'ReduceL1'
  | 'ReduceL2'
  | 'ReduceLogSum'
  | 'ReduceLogSumExp'
  | 'ReduceSumSquare';
type ReduceOp = ReductionOp | 'ArgMax' | 'ArgMin' | 'CumSum' | 'CumProd';

/** Axes known now, a vector known at run time, all of them, or none (noop_with_empty_axes). */
type Axes = readonly number[] | Value | 'all' | 'none';

const isList = (axes: Axes): axes is readonly number[] => Array.isArray(axes);

/** First opset at which `axes` is an input. */
const axesInputSince = (op: string): number => (op === 'ReduceSum' ? 13 : 18);

/** Adds a reduction in the form of the builder's opset. Without axes: over all. `keepdims` is 1 by default, as in ONNX. */
export function reduceBy(
  g: Ops,
  op: ReductionOp,
  x: Value,
  axes: readonly number[] | Value | 'all' = 'all',
  keepdims: 0 | 1 = 1,
): Value {
  const input = axes === 'all' ? null : isList(axes) ? g.ints(axes) : axes;
  const byInput = g.opset >= axesInputSince(op);
  const attribute = !byInput && isList(axes) ? axes : undefined;
  return must(g.op(op, byInput ? [x, input] : [x], { axes: attribute, keepdims })[0], `output of ${op}`);
}

/** ReduceSum in the form of the builder's opset. */
export function reduceSum(g: Ops, x: Value, axes?: readonly number[] | Value | 'all', keepdims: 0 | 1 = 1): Value {
  return reduceBy(g, 'ReduceSum', x, axes, keepdims);
}

/** ReduceMean in the form of the builder's opset. */
export function reduceMean(g: Ops, x: Value, axes?: readonly number[] | Value | 'all', keepdims: 0 | 1 = 1): Value {
  return reduceBy(g, 'ReduceMean', x, axes, keepdims);
}

/** `v` broadcast to the shape of `x`, unless it has it. */
function broadcastTo(g: Ops, v: Value, x: Value): Value {
  return sameShape(v.shape, x.shape) ? v : expandLike(g, v, x);
}

/**
 * `d` over how many elements of `x` fall on one of `y`, its reduction over `axes`. float16 ends at 65504, which a count may pass though its
 * reciprocal does not: there the reciprocal is multiplied, or the division done in float32.
 */
export function overCount(g: Ops, d: Value, x: Value, y: Value, axes: readonly number[] | 'unknown'): Value {
  const { shape } = x;
  const known =
    shape === undefined || axes === 'unknown' ? null : product(axes.map((a) => shape[a < 0 ? a + shape.length : a] ?? null));
  const half = d.dtype === 'float16';
  if (known !== null) return half ? g.mul(d, 1 / known) : g.div(d, known);
  const to = half ? 'float32' : d.dtype;
  const count = g.div(g.cast(g.size(x), { to }), g.cast(g.size(y), { to }));
  return half ? g.cast(g.div(g.cast(d, { to }), count), { to: 'float16' }) : g.div(d, count);
}

/** The axes that a reduction node names, as given (negative ones included). */
function axesOf(c: NodeContext): Axes {
  const attribute = c.ints('axes');
  if (attribute !== undefined && attribute.length > 0) return attribute;
  if (c.has(1)) {
    const known = c.constant(1);
    if (known === undefined) return c.value(1);
    if (known.size > 0) return known.numbers();
  }
  return c.int('noop_with_empty_axes') === 1 ? 'none' : 'all';
}

/** The shape after a reduction over `axes` (counted from 0). */
function reducedShape(shape: Shape, axes: ReadonlySet<number>, keepdims: boolean): Dim[] {
  return keepdims ? shape.map((d, i) => (axes.has(i) ? 1 : d)) : shape.filter((_, i) => !axes.has(i));
}

function inferReduction(c: NodeContext): TensorType[] {
  const { dtype, shape } = c.type(0);
  const since = axesInputSince(c.node.opType);
  if (c.has(1) && c.opset < since) c.fail(`axes is an attribute before opset ${since}, this is opset ${c.opset}`);
  if (c.ints('axes') !== undefined && c.opset >= since)
    c.fail(`axes is an input from opset ${since} on, this is opset ${c.opset}`);
  if (dtype === 'string' || (dtype === 'bool' && !(c.opset >= 20 && /Max|Min/.test(c.node.opType)))) {
    c.fail(`input 0 must be numeric, it is ${formatType(c.type(0))}`, { got: dtype });
  }
  const axes = axesOf(c);
  const keepdims = c.int('keepdims') === 1;
  if (axes === 'none') return [tensorType(dtype, shape)];
  if (axes === 'all') return [tensorType(dtype, keepdims ? shape?.map(() => 1) : [])];
  if (!isList(axes)) {
    if (axes.dtype !== 'int64')
      c.fail(`axes must be int64, it is ${formatType(axes.type)}`, { expected: 'int64', got: axes.dtype });
    return [tensorType(dtype, keepdims ? shape?.map(() => null) : undefined)];
  }
  if (shape === undefined) return [tensorType(dtype)];
  return [tensorType(dtype, reducedShape(shape, new Set(axes.map((a) => c.axis(a, shape.length))), keepdims))];
}

/** A value of the reduced shape with the reduced axes put back as 1, so that it broadcasts against the input. */
function kept(c: GradientContext, v: Value): Value {
  const axes = axesOf(c);
  if (c.int('keepdims') === 1 || axes === 'all' || axes === 'none') return v;
  const rank = c.rank(0);
  if (!isList(axes)) return c.g.unsqueeze(v, axes);
  return c.g.unsqueeze(v, rank === undefined ? axes : axes.map((a) => c.axis(a, rank)).sort((a, b) => a - b));
}

/** Reduces `v`, of the input's shape, over the same axes as the node, which are kept as 1. */
function again(c: GradientContext, op: ReductionOp, v: Value): Value {
  const axes = axesOf(c);
  return axes === 'none' ? v : reduceBy(c.g, op, v, axes);
}

function mean(c: GradientContext, d: Value): Value {
  const axes = axesOf(c);
  const rank = c.rank(0);
  const all = axes === 'all' && rank !== undefined ? Array.from({ length: rank }, (_, i) => i) : undefined;
  return overCount(c.g, d, c.x(0), c.y(), all ?? (isList(axes) ? axes : 'unknown'));
}

function reduction(gradient: GradientRule, more: Partial<OpRules> = {}): OpRules {
  return {
    infer: inferReduction,
    gradient: (c) => (axesOf(c) === 'none' ? [c.dy()] : gradient(c)),
    ...more,
  };
}

/** A reduction f of which f({x}) is not x: versions of the specification differ on what noop_with_empty_axes means there. */
function nonlinear(gradient: GradientRule, more: Partial<OpRules> = {}): OpRules {
  const guarded: GradientRule = (c) =>
    axesOf(c) === 'none' ? c.fail('no gradient is known for noop_with_empty_axes = 1 without axes') : gradient(c);
  return { ...reduction(gradient), gradient: guarded, ...more };
}

function floatReduction(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  return inferReduction(c);
}

/** dy on the elements that are the extremum; ties share it equally, as in ONNX Runtime and PyTorch (amax). */
function extremum(c: GradientContext): Value[] {
  const { g } = c;
  const hit = g.cast(g.equal(c.x(0), kept(c, c.y())), { to: c.dtype(0) });
  return [g.mul(hit, g.div(kept(c, c.dy()), again(c, 'ReduceSum', hit)))];
}

/** The product of the others, also where zeros stand: with z zeros among the others it is [z = 0] p / x, p being the product without zeros. */
function productGradient(c: GradientContext): Value[] {
  const { g } = c;
  const x = c.x(0);
  const isZero = g.equal(x, 0);
  const nonZero = g.where(isZero, 1, x);
  const zeros = g.where(isZero, g.scalar(1, x), 0);
  const others = g.sub(again(c, 'ReduceSum', zeros), zeros);
  const dyp = g.mul(kept(c, c.dy()), again(c, 'ReduceProd', nonZero));
  return [g.where(g.equal(others, 0), g.div(dyp, nonZero), 0)];
}

function argument(): OpRules {
  return {
    infer: (c) => {
      const shape = c.shape(0);
      const axis = shape === undefined ? 0 : c.axis(c.int('axis'), shape.length);
      return [
        tensorType('int64', shape === undefined ? undefined : reducedShape(shape, new Set([axis]), c.int('keepdims') === 1)),
      ];
    },
    gradient: 'zero',
  };
}

/** The types of CumSum and CumProd. */
function inferCumulative(c: NodeContext): TensorType[] {
  const axis = c.constant(1)?.numbers()[0];
  const rank = c.rank(0);
  if (c.dtype(1) !== 'int64' && c.dtype(1) !== 'int32') c.fail(`axis must be int32 or int64, it is ${formatType(c.type(1))}`);
  if (axis !== undefined && rank !== undefined) c.axis(axis, rank);
  return [c.like(0, c.shape(0))];
}

// y_j is the product of the x_i up to j, or from j on: a product along i of x_i where it counts, 1 where it does not. So 0 divides nothing.
function expandCumProd(c: GradientContext): Value[] {
  const { g } = c;
  const [x, rank, stated] = [c.x(0), c.rank(0), c.constant(1)?.numbers()[0]];
  if (rank === undefined || stated === undefined) return c.fail('the gradient needs a known rank and axis');
  const axis = c.axis(stated, rank);
  const size = g.squeeze(sizesOf(g, x, axis, axis + 1), [0]);
  const i = g.range(0, size, 1);
  const j = g.unsqueeze(i, [1]);
  const [less, notMore] =
    c.int('reverse') === 1 ? [g.greater(i, j), g.greaterOrEqual(i, j)] : [g.less(i, j), g.lessOrEqual(i, j)];
  const counts = c.int('exclusive') === 1 ? less : notMore;
  const behind = Array.from({ length: rank - axis - 1 }, (_, k) => k + 2);
  const wide = behind.length === 0 ? counts : g.unsqueeze(counts, behind);
  return [reduceBy(g, 'ReduceProd', g.where(wide, g.unsqueeze(x, [axis]), 1), [axis + 1], 0)];
}

export const reduce: Readonly<Record<ReduceOp, OpRules>> = {
  ReduceSum: reduction((c) => [broadcastTo(c.g, kept(c, c.dy()), c.x(0))]),
  // dx = dy / n
  ReduceMean: reduction((c) => [broadcastTo(c.g, mean(c, kept(c, c.dy())), c.x(0))]),
  ReduceMax: reduction(extremum),
  ReduceMin: reduction(extremum),
  // dx_i = dy prod_{j != i} x_j
  ReduceProd: reduction(productGradient),
  // dx = sign(x) dy
  ReduceL1: nonlinear((c) => [c.g.mul(kept(c, c.dy()), sign(c.g, c.x(0)))]),
  // dx = x/y dy, 0 where y = 0 (and so x = 0)
  ReduceL2: nonlinear((c) => {
    const y = c.y();
    const norm = c.g.where(c.g.equal(y, 0), 1, y);
    return [c.g.mul(c.x(0), kept(c, c.g.div(c.dy(), norm)))];
  }),
  // y = log sum x: dx = dy / sum x = dy exp(-y)
  ReduceLogSum: nonlinear((c) => [broadcastTo(c.g, kept(c, c.g.mul(c.dy(), c.g.exp(c.g.neg(c.y())))), c.x(0))], {
    infer: floatReduction,
  }),
  // y = log sum exp x: dx = exp(x - y) dy; along one axis exp(x - y) is the softmax
  ReduceLogSumExp: nonlinear(
    (c) => {
      const axes = axesOf(c);
      const [axis] = isList(axes) && axes.length === 1 ? axes : [];
      const share = axis === undefined ? c.g.exp(c.g.sub(c.x(0), kept(c, c.y()))) : c.g.softmax(c.x(0), { axis });
      return [c.g.mul(kept(c, c.dy()), share)];
    },
    { infer: floatReduction },
  ),
  // dx = 2 x dy
  ReduceSumSquare: nonlinear((c) => [c.g.mul(c.x(0), c.g.mul(kept(c, c.dy()), 2))]),

  ArgMax: { ...argument(), traits: ['anyPrecision', 'labels'] },
  ArgMin: { ...argument(), traits: ['anyPrecision', 'labels'] },
  // y_i = sum_{j <= i} x_j: dx_j = sum_{i >= j} dy_i, the same sum from the other end
  CumProd: {
    infer: inferCumulative,
    gradient: { expand: expandCumProd },
  },
  CumSum: {
    infer: inferCumulative,
    gradient: (c) => [c.g.cumSum(c.dy(), c.x(1), { exclusive: c.int('exclusive'), reverse: 1 - c.int('reverse') }), null],
  },
};
