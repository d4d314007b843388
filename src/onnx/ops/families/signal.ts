// Fourier transforms and the windows that go with them. Complex numbers are a last axis of two. Specification: onnx/docs/Operators.md.
import { within } from '../../core/bounds.js';
import { must } from '../../core/errors.js';
import { type Dim, formatShape, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { scatterRows } from '../rules/by-index.js';
import { reshapeLike, sizesOf, typed } from '../rules/shape-like.js';
import { knownElements } from '../rules/shape-value.js';
import { castLike, requireFloat } from './elementwise.js';
import { dtypeAttribute } from './random.js';
import { reduceSum } from './reduce.js';

type SignalOp = 'DFT' | 'STFT' | 'BlackmanWindow' | 'HammingWindow' | 'HannWindow' | 'MelWeightMatrix';

/** Bins of a transform of length n that conjugate symmetry does not give. */
function halfSpectrum(n: Dim): Dim {
  return typeof n === 'number' ? Math.floor(n / 2) + 1 : null;
}

/** The axis of a DFT: an attribute before opset 20, an input from then on; undefined when it is not constant. */
function dftAxis(c: NodeContext, rank: number): number | undefined {
  if (c.opset < 20) return c.axis(c.int('axis'), rank);
  if (!c.has(2)) return rank - 2;
  const axis = knownElements(c.value(2))?.[0];
  return typeof axis === 'number' ? c.axis(axis, rank) : undefined;
}

/** The length of a DFT over an axis of this size. */
function dftLength(c: NodeContext, size: Dim): Dim {
  if (c.has(1)) return knownElements(c.value(1))?.[0] ?? null;
  const folded = c.int('inverse') === 1 && c.int('onesided') === 1;
  return folded ? (typeof size === 'number' ? 2 * (size - 1) : null) : size;
}

function dftShape(c: NodeContext): Shape | undefined {
  requireFloat(c, 0);
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  if (shape.length < 2) return c.fail(`the input must be [..., length, 1 or 2], it is ${formatShape(shape)}`);
  const [onesided, inverse] = [c.int('onesided') === 1, c.int('inverse') === 1];
  const last = onesided && inverse ? 1 : 2;
  const axis = dftAxis(c, shape.length);
  // without a length of its own the transform keeps every size, whatever the axis
  if (axis === undefined) return [...shape.slice(0, -1).map((d) => (onesided || c.has(1) ? null : d)), last];
  const n = dftLength(c, shape[axis] ?? null);
  return [...shape.with(axis, onesided && !inverse ? halfSpectrum(n) : n).slice(0, -1), last];
}

/** An axis, or a number of samples: known, or an int64 scalar at run time. */
type Known = number | Value;

const asValue = (g: Ops, v: Known): Value => (typeof v === 'number' ? g.scalar(v, 'int64') : v);

/** A transform of the whole axis in the form of the builder's opset. */
function dft(g: Ops, x: Value, axis: Known, attributes: { inverse?: 1; onesided?: 1 } = {}): Value {
  if (g.opset >= 20) return must(g.op('DFT', [x, null, asValue(g, axis)], attributes)[0], 'output of DFT');
  return must(g.op('DFT', [x], typeof axis === 'number' ? { ...attributes, axis } : attributes)[0], 'output of DFT');
}

/** The size of `v` along the axis. */
function sizeAt(g: Ops, v: Value, axis: Known): Known {
  if (typeof axis !== 'number') return g.gather(g.shape(v), axis, { axis: 0 });
  const d = v.shape?.[axis];
  return typeof d === 'number' ? d : g.squeeze(sizesOf(g, v, axis, axis + 1), [0]);
}

/** 1 at the axis, 0 elsewhere. */
function atAxis(g: Ops, axis: Known, rank: number): Value {
  const axes = Array.from({ length: rank }, (_, i) => i);
  if (typeof axis === 'number') return g.ints(axes.map((i) => (i === axis ? 1 : 0)));
  return g.cast(g.equal(axes, axis), { to: 'int64' });
}

/** `v` cut or filled with zeros at its end to `size` along the axis. */
function fitAxis(g: Ops, v: Value, axis: Known, size: Known, rank: number): Value {
  const have = sizeAt(g, v, axis);
  if (typeof axis === 'number' && typeof size === 'number' && typeof have === 'number') {
    if (size === have) return v;
    return g.pad(
      v,
      Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis ? size - have : 0)),
    );
  }
  const by = g.mul(atAxis(g, axis, rank), g.sub(asValue(g, size), asValue(g, have)));
  return g.pad(v, g.concat(new Array<number>(rank).fill(0), by, { axis: 0 }));
}

/** The part of `v` that a real x, [..., 1], has. */
function partLike(g: Ops, v: Value, x: Value): Value {
  const channels = x.shape?.at(-1);
  if (channels === 2) return v;
  return g.slice(v, g.ints([0]), channels === 1 ? [1] : sizesOf(g, x, (x.shape?.length ?? 1) - 1), [-1]);
}

/** w_k / n for the bins of half a spectrum along the axis: w = 2 for bins that stand for two. */
function halfWeights(g: Ops, n: Known, axis: Known, rank: number, like: Value): Value {
  if (typeof n === 'number' && typeof axis === 'number' && within('constant', n)) {
    const weights = Array.from({ length: Number(halfSpectrum(n)) }, (_, k) => (k === 0 || 2 * k === n ? 1 : 2) / n);
    const dims = Array.from({ length: rank }, (_, i) => (i === axis ? weights.length : 1));
    return g.constant(Tensor.from(like.dtype, weights, dims));
  }
  const k = (v: number) => g.scalar(v, 'int64');
  const length = asValue(g, n);
  const bins = g.add(g.div(length, k(2)), k(1));
  const bin = g.range(k(0), bins, k(1));
  const single = g.or(g.equal(bin, k(0)), g.equal(g.mul(bin, k(2)), length));
  const weights = g.div(g.where(single, g.scalar(1, like), 2), castLike(g, length, like));
  const one = g.ints(new Array<number>(rank).fill(1));
  return g.reshape(weights, g.add(one, g.mul(atAxis(g, axis, rank), g.sub(bins, k(1)))));
}

// The adjoint of y_k = sum_n x_n e^(-i theta k n) is dx_n = sum_k dy_k e^(i theta k n) = N IDFT(dy), that of the inverse DFT(dy) / N
function dftGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, dy] = [c.x(0), c.dy()];
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  const axis = dftAxis(c, rank) ?? g.mod(g.add(g.reshape(c.x(2), []), rank), rank);
  const [onesided, inverse] = [c.int('onesided') === 1, c.int('inverse') === 1];
  const stated = c.has(1) ? knownElements(c.value(1))?.[0] : undefined;
  const size = sizeAt(g, x, axis);
  const length = (): Known => {
    if (typeof stated === 'number') return stated;
    if (c.has(1)) return g.reshape(c.x(1), []);
    return inverse ? sizeAt(g, dy, axis) : size;
  };
  const n = length();
  const factor = () => (typeof n === 'number' ? n : castLike(g, n, x));
  let d: Value;
  if (!inverse) d = g.mul(dft(g, onesided ? fitAxis(g, dy, axis, n, rank) : dy, axis, { inverse: 1 }), factor());
  else if (!onesided) d = g.div(dft(g, dy, axis), factor());
  // y_n = 1/N sum_k w_k Re(x_k e^(i theta k n))
  else d = g.mul(dft(g, dy, axis, { onesided: 1 }), halfWeights(g, n, axis, rank, x));
  return [typed(partLike(g, fitAxis(g, d, axis, size, rank), x), x), null, null].slice(0, c.inputCount);
}

/** Length of a frame: of the window, or stated, or the signal's. */
function frameLength(c: NodeContext): Dim {
  if (c.has(3)) return knownElements(c.value(3))?.[0] ?? null;
  return c.has(2) ? (c.shape(2)?.[0] ?? null) : (c.shape(0)?.[1] ?? null);
}

function frameCount(c: NodeContext): Dim {
  const [size, length, step] = [c.shape(0)?.[1], frameLength(c), knownElements(c.value(1))?.[0]];
  if (typeof size !== 'number' || typeof length !== 'number' || typeof step !== 'number') return null;
  return Math.floor((size - length) / step) + 1;
}

// y = DFT(window * frame): the adjoint of each, and frames added back where they were taken
function stftGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const x = c.x(0);
  const known = frameLength(c);
  const stated = () => (c.has(3) ? g.reshape(c.x(3), []) : asValue(g, sizeAt(g, c.has(2) ? c.x(2) : x, c.has(2) ? 0 : 1)));
  const length: Known = typeof known === 'number' ? known : stated();
  const dy = c.int('onesided') === 1 ? fitAxis(g, c.dy(), 2, length, 4) : c.dy();
  const back = g.mul(dft(g, dy, 2, { inverse: 1 }), typeof length === 'number' ? length : castLike(g, length, x));
  const channels = x.shape?.[2];
  const d = channels === 2 ? back : g.slice(back, [0], [1], [-1]);
  const upTo = (n: Known) => g.range(g.scalar(0, 'int64'), asValue(g, n), 1);
  const starts = g.mul(upTo(sizeAt(g, c.dy(), 1)), castLike(g, g.reshape(c.x(1), []), g.scalar(0, 'int64')));
  const places = g.add(g.unsqueeze(starts, [1]), upTo(length));
  const windowed = c.has(2) ? g.mul(d, g.unsqueeze(c.x(2), [1])) : d;
  const dx = () => scatterRows(g, { x, axis: 1, indices: places, q: 2, dy: windowed, repeats: 'repeated' });
  const dwindow = () => reshapeLike(g, reduceSum(g, g.mul(d, g.gather(x, places, { axis: 1 })), [0, 1, 3], 0), c.x(2));
  return [c.needs(0) ? dx() : null, null, c.has(2) && c.needs(2) ? dwindow() : null, null].slice(0, c.inputCount);
}

const windowOp: OpRules = {
  infer: (c) => [tensorType(dtypeAttribute(c, 'output_datatype', 'float32'), [knownElements(c.value(0))?.[0] ?? null])],
  gradient: 'zero',
};

export const signal: Readonly<Record<SignalOp, OpRules>> = {
  DFT: {
    infer: (c) => [c.like(0, dftShape(c))],
    gradient: dftGradient,
  },
  STFT: {
    infer: (c) => {
      requireFloat(c, 0);
      const length = frameLength(c);
      const bins = c.int('onesided') === 1 ? halfSpectrum(length) : length;
      return [c.like(0, [c.shape(0)?.[0] ?? null, frameCount(c), bins, 2])];
    },
    gradient: stftGradient,
  },
  BlackmanWindow: windowOp,
  HammingWindow: windowOp,
  HannWindow: windowOp,
  // the edges are rounded to bins: piecewise constant
  MelWeightMatrix: {
    infer: (c) => {
      const [bins, length] = [0, 1].map((i) => knownElements(c.value(i))?.[0] ?? null);
      return [tensorType(dtypeAttribute(c, 'output_datatype', 'float32'), [halfSpectrum(length ?? null), bins ?? null])];
    },
    gradient: 'zero',
  },
};
