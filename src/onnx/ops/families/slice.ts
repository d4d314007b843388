// Slice and Pad, each the other's adjoint, and CenterCropPad, which is both. Specification: onnx/docs/Operators.md.
import { type Dim, formatShape, isStatic, type Shape } from '../../core/shape.js';
import type { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { gradientByIndex } from '../rules/by-index.js';
import { assemble, coordinates, pickView, stridesOf, type View } from '../rules/pick.js';
import { reshapeLike, typed } from '../rules/shape-like.js';
import { addDims, knownElements } from '../rules/shape-value.js';

type SliceOp = 'Slice' | 'Pad' | 'CenterCropPad';

/** "To the end", as a slice bound. */
const far = 2 ** 31 - 1;

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** The cuts of a Slice whose bounds are constants; undefined when one is not known. */
function cutsOf(c: NodeContext, rank: number): Cut[] | undefined {
  const bounds = [1, 2, 3, 4].map((i) => (c.has(i) ? knownElements(c.value(i)) : undefined));
  const [starts, ends, axes, steps] = bounds;
  if (starts === undefined || ends === undefined || (c.has(3) && axes === undefined) || (c.has(4) && steps === undefined))
    return undefined;
  if (starts.length !== ends.length) return c.fail(`starts has ${starts.length} elements, ends has ${ends.length}`);
  const cuts: Cut[] = [];
  for (const [i, start] of starts.entries()) {
    const [end, axis, step] = [ends[i], axes === undefined ? i : axes[i], steps === undefined ? 1 : steps[i]];
    if (typeof start !== 'number' || typeof end !== 'number' || typeof axis !== 'number' || typeof step !== 'number')
      return undefined;
    if (step === 0) return c.fail(`the step along axis ${axis} is 0`);
    cuts.push({ axis: c.axis(axis, rank), start, end, step });
  }
  return cuts;
}

/** First index and number of elements that a cut takes from `size`. */
function extent({ start, end, step }: Cut, size: number): { first: number; count: number } {
  const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + size : v, step < 0 ? -1 : 0), step < 0 ? size - 1 : size);
  const first = clamp(start);
  return { first, count: Math.max(0, Math.ceil((clamp(end) - first) / step)) };
}

function slicedDim(d: Dim, cut: Cut): Dim {
  if (typeof d === 'number') return extent(cut, d).count;
  const whole = cut.step === 1 ? cut.start === 0 && cut.end >= far : cut.step === -1 && cut.start === -1 && cut.end <= -far;
  return whole ? d : null;
}

function sliceShape(c: NodeContext): Dim[] | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  const cuts = cutsOf(c, shape.length);
  if (cuts !== undefined) {
    const out = [...shape];
    for (const cut of cuts) out[cut.axis] = slicedDim(out[cut.axis] ?? null, cut);
    return out;
  }
  const axes = c.has(3) ? knownElements(c.value(3)) : knownElements(c.value(1))?.map((_, i) => i);
  const touched = axes?.map((a) => (typeof a === 'number' ? c.axis(a, shape.length) : null));
  return shape.map((d, i) => (touched !== undefined && !touched.includes(null) && !touched.includes(i) ? d : null));
}

/** Zeros around dy, [before..., after...] per axis, when the cut is known well enough; else undefined. */
function padsOfSlice(c: GradientContext): number[] | undefined {
  const shape = c.shape(0);
  const cuts = shape === undefined ? undefined : cutsOf(c, shape.length);
  if (shape === undefined || cuts === undefined) return undefined;
  const pads = new Array<number>(2 * shape.length).fill(0);
  for (const cut of cuts) {
    const d = shape[cut.axis] ?? null;
    const [before, after] = [cut.axis, cut.axis + shape.length];
    if (cut.step !== 1) return undefined;
    if (typeof d === 'number') {
      const { first, count } = extent(cut, d);
      pads[before] = first;
      pads[after] = d - first - count;
    } else if (slicedDim(d, cut) === null) return undefined;
  }
  return pads;
}

// y is a part of x: dx = dy with zeros around it
function sliceGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const pads = padsOfSlice(c);
  if (pads !== undefined) return [typed(g.pad(c.dy(), pads), c.x(0))];
  const part = (i: number) => (c.has(i) ? c.x(i) : null);
  const again = (indices: Value) => g.slice(indices, c.x(1), c.x(2), part(3), part(4));
  return [gradientByIndex(g, c.x(0), c.dy(), again, 'distinct')];
}

/** Constant pads, [before..., after...] for every axis; undefined when not known. */
function padsOf(c: NodeContext, rank: number): number[] | undefined {
  const given = knownElements(c.value(1));
  if (given === undefined || !isStatic(given)) return undefined;
  const named: Shape | undefined = c.has(3) ? knownElements(c.value(3)) : Array.from({ length: rank }, (_, i) => i);
  if (named === undefined || !isStatic(named)) return undefined;
  if (given.length !== 2 * named.length) {
    return c.fail(`pads [${given}] must have two entries for each of ${named.length} axes of ${formatShape(c.shape(0))}`, {
      expected: String(2 * named.length),
      got: String(given.length),
    });
  }
  const pads = new Array<number>(2 * rank).fill(0);
  for (const [i, a] of named.entries()) {
    const axis = c.axis(a, rank);
    pads[axis] = given[i] ?? 0;
    pads[axis + rank] = given[i + named.length] ?? 0;
  }
  return pads;
}

function padShape(c: NodeContext): Dim[] | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  const pads = padsOf(c, shape.length);
  return shape.map((d, i) => {
    if (pads === undefined) return null;
    const sum = addDims(d, (pads[i] ?? 0) + (pads[i + shape.length] ?? 0));
    return typeof sum === 'number' && sum < 0 ? c.fail(`pads [${pads}] take more than there is of ${formatShape(shape)}`) : sum;
  });
}

// constant: dx = dy without the border, and the border's sum goes to the constant. Other modes repeat elements: sum over the copies.
function padGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [dy, x] = [c.dy(), c.x(0)];
  const again = (indices: Value) => g.pad(indices, c.x(1), null, c.has(3) ? c.x(3) : null, { mode: c.string('mode') });
  if (c.string('mode') !== 'constant') return [gradientByIndex(g, x, dy, again, 'repeated'), null];
  const rank = c.rank(0);
  const pads = rank === undefined ? undefined : padsOf(c, rank);
  let dx: Value;
  if (rank !== undefined && pads?.every((p) => p >= 0)) {
    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => pads[i] !== 0 || pads[i + rank] !== 0);
    const ends = axes.map((i) => (pads[i + rank] === 0 ? far : -(pads[i + rank] ?? 0)));
    dx =
      axes.length === 0
        ? dy
        : g.slice(
            dy,
            axes.map((i) => pads[i] ?? 0),
            ends,
            axes,
          );
  } else dx = g.pad(dy, g.neg(c.x(1)), null, c.has(3) ? c.x(3) : null);
  const border = () => {
    const sum = (v: Value) => g.reduceSum(v, null, { keepdims: 0 });
    return reshapeLike(g, g.sub(sum(dy), sum(dx)), c.x(2));
  };
  return [c.needs(0) ? typed(dx, x) : null, null, c.needs(2) ? border() : null];
}

function sliced(c: NodeContext, dims: readonly number[]): View | undefined {
  const cuts = cutsOf(c, dims.length);
  if (cuts === undefined) return undefined;
  const extents = dims.map((d) => ({ first: 0, count: d, step: 1 }));
  for (const cut of cuts) extents[cut.axis] = { ...extent(cut, dims[cut.axis] ?? 0), step: cut.step };
  const strides = stridesOf(dims);
  return {
    dims: extents.map((e) => e.count),
    strides: extents.map((e, axis) => e.step * (strides[axis] ?? 0)),
    offset: extents.reduce((at, e, axis) => at + e.first * (strides[axis] ?? 0), 0),
  };
}

function foldSlice(c: NodeContext, [x]: readonly (Tensor | null)[]): [Tensor] | undefined {
  const view = x ? sliced(c, x.dims) : undefined;
  return x && view ? pickView(x, view) : undefined;
}

function foldPad(c: NodeContext, [x, , value]: readonly (Tensor | null)[]): [Tensor] | undefined {
  if (!x || c.string('mode') !== 'constant' || (x.dtype === 'string' && !value)) return undefined;
  const pads = padsOf(c, x.dims.length);
  if (pads === undefined) return undefined;
  const dims = x.dims.map((d, i) => d + (pads[i] ?? 0) + (pads[i + x.dims.length] ?? 0));
  const strides = stridesOf(x.dims);
  const fill = value?.data[0] ?? (x.dtype === 'int64' || x.dtype === 'uint64' ? 0n : 0);
  return assemble(x, dims, (i) => {
    const from = coordinates(i, dims).map((k, axis) => k - (pads[axis] ?? 0));
    const inside = from.every((k, axis) => k >= 0 && k < (x.dims[axis] ?? 0));
    return inside ? x.data[from.reduce((at, k, axis) => at + k * (strides[axis] ?? 0), 0)] : fill;
  });
}

export const slice: Readonly<Record<SliceOp, OpRules>> = {
  Slice: {
    traits: ['anyPrecision'],
    since: 10,
    infer: (c) => [c.like(0, sliceShape(c))],
    gradient: sliceGradient,
    fold: foldSlice,
    view: sliced,
  },
  Pad: {
    traits: ['settings', 'anyPrecision'],
    since: 11,
    infer: (c) => [c.like(0, padShape(c))],
    gradient: padGradient,
    fold: foldPad,
  },
  // where it cut, zeros; where it padded, a cut: the same op back to the shape of x
  CenterCropPad: {
    infer: (c) => {
      const shape = c.shape(0);
      if (shape === undefined) return [c.like(0, undefined)];
      const axes = c.ints('axes')?.map((a) => c.axis(a, shape.length)) ?? shape.map((_, i) => i);
      const sizes = knownElements(c.value(1));
      if (sizes !== undefined && sizes.length !== axes.length)
        c.fail(`shape names ${sizes.length} sizes for ${axes.length} axes`);
      return [
        c.like(
          0,
          shape.map((d, i) => (axes.includes(i) ? (sizes?.[axes.indexOf(i)] ?? null) : d)),
        ),
      ];
    },
    gradient: (c) => {
      const { g } = c;
      const x = c.x(0);
      const shape = c.shape(0) ?? c.fail('the gradient needs an input of known rank');
      const axes = c.ints('axes')?.map((a) => c.axis(a, shape.length)) ?? shape.map((_, i) => i);
      const sizes = axes.map((a) => shape[a] ?? null);
      const back = isStatic(sizes) ? g.ints(sizes) : g.gather(g.shape(x), axes);
      return [typed(g.centerCropPad(c.dy(), back, { axes }), x), null];
    },
  },
};
