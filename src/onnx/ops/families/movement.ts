// Ops that move elements without computing: reshaping, permuting. Joining and repeating stand in join.ts, Slice and Pad in slice.ts.
// Specification: onnx/docs/Operators.md.
import { type Dim, formatShape, isStatic, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { pickView, sameOrder, stridesOf, type View } from '../rules/pick.js';
import { reshapeLike } from '../rules/shape-like.js';
import { integers, mulDims, shapeElements } from '../rules/shape-value.js';

type MovementOp = 'Reshape' | 'Flatten' | 'Squeeze' | 'Unsqueeze' | 'Transpose' | 'Trilu' | 'ReverseSequence';

/** The product of `from` divided by the product of `by`: numbers divide, equal symbols cancel. null when it is not known. */
function quotient(from: Shape, by: Shape): Dim {
  const symbols = from.filter((d) => typeof d !== 'number');
  let divisor = 1;
  for (const d of by) {
    if (typeof d === 'number') divisor *= d;
    else {
      const at = d === null ? -1 : symbols.indexOf(d);
      if (at < 0) return null;
      symbols.splice(at, 1);
    }
  }
  let number = 1;
  for (const d of from) if (typeof d === 'number') number *= d;
  if (divisor === 0) return null;
  if (symbols.length === 0) return number / divisor;
  return symbols.length === 1 && number === divisor ? (symbols[0] ?? null) : null;
}

function reshapeShape(c: NodeContext): Shape | undefined {
  const from = c.shape(0);
  const wanted = shapeElements(c, 1);
  if (wanted === undefined) return undefined;
  const zeroIsZero = c.int('allowzero') === 1;
  const refuse = (why = '') =>
    c.fail(`cannot reshape ${formatShape(from)} to ${formatShape(wanted)}${why}`, { got: formatShape(from) });
  if (wanted.filter((d) => d === -1).length > 1) return refuse(', only one dimension may be -1');
  // dimensions taken over by 0 stand on both sides, whatever they are
  const copied = new Set<number>();
  const out = wanted.map((d, i): Dim => {
    if (d !== 0 || zeroIsZero) return typeof d === 'number' && d < -1 ? refuse() : d;
    if (from !== undefined && i >= from.length) return refuse(`, there is no dimension ${i} to copy`);
    copied.add(i);
    return from?.[i] ?? null;
  });
  if (from === undefined) return out.map((d) => (d === -1 ? null : d));
  const rest = (shape: Shape) => shape.filter((d, i) => !copied.has(i) && d !== -1);
  const free = quotient(rest(from), rest(out));
  if (!out.includes(-1)) return free === 1 || typeof free !== 'number' ? out : refuse();
  if (typeof free === 'number' && !Number.isInteger(free)) return refuse();
  return out.map((d) => (d === -1 ? free : d));
}

const sameElements = (c: GradientContext): (Value | null)[] => [reshapeLike(c.g, c.dy(), c.x(0))];

/** The same data in the inferred shape. */
const foldReshape: NonNullable<OpRules['fold']> = (c, [x]) => {
  const shape = c.node.outputs[0]?.shape;
  return x && isStatic(shape) ? [new Tensor(x.dtype, shape, x.data)] : undefined;
};

const reshaped: NonNullable<OpRules['view']> = ({ node }) => {
  const shape = node.outputs[0]?.shape;
  return isStatic(shape) ? sameOrder(shape) : undefined;
};

function permuted(c: NodeContext, dims: readonly number[]): View {
  const perm = permOf(c, dims.length);
  const strides = stridesOf(dims);
  return { dims: perm.map((p) => dims[p] ?? 1), strides: perm.map((p) => strides[p] ?? 0), offset: 0 };
}

/** Constant axes of input `i`, counted from the front of a tensor of `rank`; undefined when not known or left out. */
function axesInput(c: NodeContext, i: number, rank: number): number[] | undefined {
  const t = c.constant(i);
  if (t === undefined) return undefined;
  c.bounded('axes', t.size, 'axes');
  const axes = integers(t).map((a) => c.axis(a, rank));
  if (new Set(axes).size !== axes.length) c.fail(`axes [${integers(t)}] repeat`);
  return axes;
}

function squeezeShape(c: NodeContext): Shape | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  if (!c.has(1)) return shape.every((d) => typeof d === 'number') ? shape.filter((d) => d !== 1) : undefined;
  const axes = axesInput(c, 1, shape.length);
  if (axes === undefined) {
    const count = c.shape(1)?.[0];
    return typeof count === 'number' ? new Array<Dim>(Math.max(shape.length - count, 0)).fill(null) : undefined;
  }
  for (const a of axes) {
    const d = shape[a];
    if (typeof d === 'number' && d !== 1)
      c.fail(`axis ${a} of ${formatShape(shape)} is ${d}, not 1`, { expected: '1', got: String(d) });
  }
  return shape.filter((_, i) => !axes.includes(i));
}

function unsqueezeShape(c: NodeContext): Shape | undefined {
  const shape = c.shape(0);
  const count = c.constant(1)?.size ?? c.shape(1)?.[0];
  if (shape === undefined || typeof count !== 'number') return undefined;
  const rank = c.bounded('axes', shape.length + count, 'the output');
  const axes = axesInput(c, 1, rank);
  if (axes === undefined) return new Array<Dim>(rank).fill(null);
  let next = 0;
  return Array.from({ length: rank }, (_, i): Dim => (axes.includes(i) ? 1 : (shape[next++] ?? null)));
}

function permOf(c: NodeContext, rank: number): number[] {
  const perm = c.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((p, i) => p !== i)) {
    c.fail(`perm [${perm}] is no permutation of the ${rank} axes of ${formatShape(c.shape(0))}`);
  }
  return perm;
}

/** The transpose of a matrix that a product without a bias gives, (A' B')^T = B'^T A'^T; undefined for other matrices. */
function exchangedProduct(g: Ops, v: Value): Value | undefined {
  const node = v.producer;
  const [a, b, bias] = node?.inputs ?? [];
  if (node?.opType !== 'Gemm' || node.domain !== '' || !a || !b || bias) return undefined;
  const [alpha, transA, transB] = [node.float('alpha', 1), 1 - node.int('transB', 0), 1 - node.int('transA', 0)];
  return g.gemm(b, a, { alpha: alpha === 1 ? undefined : alpha, transA: transA || undefined, transB: transB || undefined });
}

// y = x permuted: dx = dy permuted back
function transposeGradient(c: GradientContext): (Value | null)[] {
  const perm = c.ints('perm');
  const exchanged = c.rank(0) === 2 && (perm === undefined || perm[0] === 1) ? exchangedProduct(c.g, c.dy()) : undefined;
  if (exchanged !== undefined) return [exchanged];
  if (perm === undefined) return [c.g.transpose(c.dy())];
  return [c.g.transpose(c.dy(), { perm: perm.map((_, i) => perm.indexOf(i)) })];
}

export const movement: Readonly<Record<MovementOp, OpRules>> = {
  Reshape: {
    traits: ['reshapes', 'anyPrecision', 'int8InPlace'],
    infer: (c) => [c.like(0, reshapeShape(c))],
    gradient: sameElements,
    fold: foldReshape,
    view: reshaped,
  },
  Flatten: {
    traits: ['reshapes', 'anyPrecision', 'int8InPlace'],
    infer: (c) => {
      const shape = c.shape(0);
      if (shape === undefined) return [c.like(0, [null, null])];
      const given = c.int('axis');
      const axis = given < 0 ? given + shape.length : given;
      if (axis < 0 || axis > shape.length) return c.fail(`axis ${given} is out of range for rank ${shape.length}`);
      return [c.like(0, [shape.slice(0, axis).reduce(mulDims, 1), shape.slice(axis).reduce(mulDims, 1)])];
    },
    gradient: sameElements,
    fold: foldReshape,
    view: reshaped,
  },
  Squeeze: {
    traits: ['reshapes', 'anyPrecision', 'int8InPlace'],
    since: 13,
    infer: (c) => [c.like(0, squeezeShape(c))],
    gradient: sameElements,
    fold: foldReshape,
    view: reshaped,
  },
  Unsqueeze: {
    traits: ['reshapes', 'anyPrecision', 'int8InPlace'],
    since: 13,
    infer: (c) => [c.like(0, unsqueezeShape(c))],
    gradient: sameElements,
    fold: foldReshape,
    view: reshaped,
  },
  Transpose: {
    traits: ['anyPrecision', 'int8InPlace'],
    infer: (c) => {
      const shape = c.shape(0) ?? c.ints('perm')?.map(() => null);
      return [c.like(0, shape === undefined ? undefined : permOf(c, shape.length).map((p) => shape[p] ?? null))];
    },
    gradient: transposeGradient,
    fold: (c, [x]) => (x ? pickView(x, permuted(c, x.dims)) : undefined),
    view: permuted,
  },
  Trilu: {
    infer: (c) => [c.like(0, c.shape(0))],
    // a mask: dx = dy under the same mask
    gradient: (c) => [c.g.trilu(c.dy(), c.has(1) ? c.x(1) : null, { upper: c.int('upper') }), null],
  },
  // its own inverse
  ReverseSequence: {
    infer: (c) => [c.like(0, c.shape(0))],
    gradient: (c) => {
      const axes = { batch_axis: c.int('batch_axis'), time_axis: c.int('time_axis') };
      return [c.g.reverseSequence(c.dy(), c.x(1), axes), null];
    },
  },
};
