// Interpolation at points between pixels, written in standard ops: which pixels a point reads along an axis, with which weights, and how
// these move with the point. GridSample's gradient is made of it. Specification: onnx/docs/Operators.md, GridSample.
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';

export type Interpolation = 'nearest' | 'linear' | 'cubic';
export type Padding = 'zeros' | 'border' | 'reflection';

/** Along one axis, for points [N, P]: pixels [N, P, k] as int64, their weights, and the slopes of the weights by the point. */
export interface Taps {
  readonly index: Value;
  readonly weight: Value;
  readonly slope: Value;
}

export interface Axis {
  /** Pixels along the axis, int64 scalar. */
  readonly size: Value;
  readonly mode: Interpolation;
  readonly padding: Padding;
  readonly alignCorners: boolean;
}

/** Constant of cubic convolution. */
const cubicA = -0.75;

// weights of the pixels before, at, after and after next, for a point at a fraction t behind the second: w(|x|) of cubic convolution
const cubic: readonly (readonly number[])[] = [
  // coefficients of 1, t, t^2, t^3
  [0, cubicA, -2 * cubicA, cubicA],
  [1, 0, -(cubicA + 3), cubicA + 2],
  [0, -cubicA, 2 * cubicA + 3, -(cubicA + 2)],
  [0, 0, cubicA, -cubicA],
];
const polynomials: Readonly<Record<Interpolation, { readonly from: number; readonly weights: readonly (readonly number[])[] }>> =
  {
    nearest: { from: 0, weights: [[1]] },
    linear: {
      from: 0,
      weights: [
        [1, -1],
        [0, 1],
      ],
    },
    cubic: { from: -1, weights: cubic },
  };

function polynomial(g: Ops, coefficients: readonly number[], t: Value): Value {
  // Horner; the value has the shape of t even when it is constant
  const [highest = 0, ...rest] = [...coefficients].reverse();
  let sum = g.add(g.mul(t, 0), highest);
  for (const c of rest) sum = g.add(g.mul(sum, t), c);
  return sum;
}

const derivative = (coefficients: readonly number[]): number[] =>
  coefficients.length === 1 ? [0] : coefficients.slice(1).map((c, i) => c * (i + 1));

/** The points from -1..1 in pixels, and the pixels per unit. */
function inPixels(g: Ops, points: Value, axis: Axis): { at: Value; scale: Value } {
  const size = g.cast(axis.size, { to: points.dtype });
  const [one, half] = [g.scalar(1, points), g.scalar(0.5, points)];
  const scale = g.mul(axis.alignCorners ? g.sub(size, one) : size, half);
  const at = g.mul(g.add(points, one), scale);
  return { at: axis.alignCorners ? at : g.sub(at, half), scale };
}

/** A triangle wave between the borders: +1 on the way up, -1 on the way back. */
function reflect(g: Ops, at: Value, axis: Axis): { at: Value; slope: Value } {
  const size = g.cast(axis.size, { to: at.dtype });
  const k = (v: number) => g.scalar(v, at);
  const low = axis.alignCorners ? k(0) : k(-0.5);
  const range = axis.alignCorners ? g.sub(size, k(1)) : size;
  // an axis of one pixel has nothing to reflect within when corners are aligned
  const period = g.mul(g.max(range, k(1e-6)), k(2));
  const from = g.sub(at, low);
  const t = g.sub(from, g.mul(g.floor(g.div(from, period)), period));
  const back = g.greater(t, range);
  return { at: g.add(g.where(back, g.sub(period, t), t), low), slope: g.where(back, k(-1), k(1)) };
}

/** The taps of points [N, P] along an axis. */
export function tapsOf(g: Ops, points: Value, axis: Axis): Taps {
  const { weights, from } = polynomials[axis.mode];
  const zero = g.scalar(0, points);
  const { at: raw, scale } = inPixels(g, points, axis);
  const last = g.sub(g.cast(axis.size, { to: points.dtype }), 1);
  let at = axis.mode === 'nearest' ? g.round(raw) : raw;
  let slope = scale;
  // the cubic taps of a point outside are moved one by one
  if (axis.padding === 'border' && axis.mode !== 'cubic') {
    const inside = g.min(g.max(at, zero), last);
    slope = g.where(g.equal(at, inside), slope, zero);
    at = inside;
  } else if (axis.padding === 'reflection') {
    const reflected = reflect(g, at, axis);
    slope = g.mul(slope, reflected.slope);
    at = reflected.at;
  }
  const base = axis.mode === 'nearest' ? at : g.floor(at);
  const t = g.sub(at, base);
  const stack = (list: readonly Value[]) => {
    const parts = list.map((v) => g.unsqueeze(v, [2]));
    return parts.length === 1 ? must(parts[0], 'tap') : g.concat(...parts, { axis: 2 });
  };
  const pixels = stack(weights.map((_, i) => g.add(base, from + i)));
  const moved = axis.padding === 'reflection' ? reflect(g, pixels, axis).at : pixels;
  const clipped = g.min(g.max(moved, zero), last);
  const index = g.cast(g.round(clipped), { to: 'int64' });
  const inside = (v: Value) => (axis.padding === 'zeros' ? g.where(g.equal(pixels, clipped), v, zero) : v);
  return {
    index,
    weight: inside(stack(weights.map((w) => polynomial(g, w, t)))),
    slope: g.mul(
      inside(stack(weights.map((w) => polynomial(g, derivative(w), t)))),
      g.unsqueeze(g.expand(slope, g.shape(at)), [2]),
    ),
  };
}
