// Reading by index or by condition. Indices may be negative; no gradient by index inputs exists. Specification: onnx/docs/Operators.md.
import { type Dim, formatShape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import { type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { gradientByIndex, scatterAddSince, scatterRows, sumAt } from '../rules/by-index.js';
import { coordinates, pick, stridesOf } from '../rules/pick.js';
import { reshapeLike, typed, zerosLike } from '../rules/shape-like.js';
import { integers, knownElements } from '../rules/shape-value.js';
import { reduceBy } from './reduce.js';

type GatherOp = 'Gather' | 'GatherElements' | 'GatherND' | 'TopK' | 'Compress' | 'Unique';

/** Refuses indices that are no integers. */
export function requireIndices(c: NodeContext, i: number): void {
  if (c.dtype(i) !== 'int64' && c.dtype(i) !== 'int32')
    c.fail(`indices must be int64 or int32, they are ${c.dtype(i)}`, { got: c.dtype(i) });
}

function inferGather(c: NodeContext): TensorType[] {
  requireIndices(c, 1);
  const [data, indices] = [c.shape(0), c.shape(1)];
  if (data === undefined) return [c.like(0, undefined)];
  const axis = c.axis(c.int('axis'), data.length);
  const size = data[axis];
  const out = c
    .constant(1)
    ?.numbers()
    .find((i) => typeof size === 'number' && (i >= size || i < -size));
  if (out !== undefined)
    return c.fail(`index ${out} is out of range for axis ${axis} of ${formatShape(data)}`, { got: String(out) });
  return [c.like(0, indices === undefined ? undefined : [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])];
}

/** Where one place of an axis of known size is read, the pads that bring a gradient back there; else undefined. */
function padsOfPlace(c: GradientContext, axis: number): number[] | undefined {
  const size = c.shape(0)?.[axis];
  const [rank, q, places] = [c.rank(0), c.rank(1), c.constant(1)];
  if (rank === undefined || q === undefined || q > 1 || places?.size !== 1 || typeof size !== 'number') return undefined;
  const at = places.numbers()[0] ?? 0;
  const pads = new Array<number>(2 * rank).fill(0);
  pads[axis] = at < 0 ? at + size : at;
  pads[axis + rank] = size - 1 - (pads[axis] ?? 0);
  return pads;
}

// y = x[.., indices, ..]: dx[.., i, ..] is the sum of the parts of dy taken from i
function gatherGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, indices] = [c.x(0), c.x(1)];
  const [rank, q] = [c.rank(0), c.rank(1)];
  if (rank === undefined || q === undefined) return [flatRows(c), null];
  const axis = c.axis(c.int('axis'), rank);
  const pads = padsOfPlace(c, axis);
  if (pads !== undefined) return [typed(g.pad(q === 0 ? g.unsqueeze(c.dy(), [axis]) : c.dy(), pads), x), null];
  return [scatterRows(g, { x, axis, indices, q, dy: c.dy(), repeats: 'repeated' }), null];
}

/** The same where a rank comes out at run time: over x as [sizes before the axis, its own, sizes behind], which are one number each. */
function flatRows(c: GradientContext): Value {
  const { g } = c;
  const [x, indices, axis] = [c.x(0), c.x(1), c.int('axis')];
  const sizes = g.shape(x);
  const product = (v: Value) => reduceBy(g, 'ReduceProd', v, [0]);
  const before = product(g.slice(sizes, [0], [axis], [0]));
  const end = 2 ** 31 - 1;
  const behind = product(g.slice(sizes, [axis === -1 ? end : axis + 1], [end], [0]));
  const own = g.gather(sizes, [axis], { axis: 0 });
  const flat = (v: Value, count: Value) => {
    const reshaped = g.reshape(v, g.concat(before, count, behind, { axis: 0 }), g.opset >= 14 ? { allowzero: 1 } : {});
    reshaped.type = tensorType(v.dtype, [null, null, null]);
    return reshaped;
  };
  const dy = flat(c.dy(), g.reshape(g.size(indices), [1]));
  return reshapeLike(
    g,
    scatterRows(g, { x: flat(x, own), axis: 1, indices: g.reshape(indices, [-1]), q: 1, dy, repeats: 'repeated' }),
    x,
  );
}

function gatherNdShape(c: NodeContext): Dim[] | undefined {
  requireIndices(c, 1);
  const [data, indices] = [c.shape(0), c.shape(1)];
  const depth = indices?.at(-1);
  if (data === undefined || indices === undefined || typeof depth !== 'number') return undefined;
  const batch = c.int('batch_dims');
  if (batch + depth > data.length)
    return c.fail(`indices ${formatShape(indices)} address more axes than data ${formatShape(data)} has`);
  return [...indices.slice(0, -1), ...data.slice(batch + depth)];
}

// y = x[indices]: dx[i] is the sum of the parts of dy taken from i
function gatherNdGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, indices] = [c.x(0), c.x(1)];
  const batch = c.int('batch_dims');
  if (batch === 0 && g.opset >= scatterAddSince) {
    return [typed(g.scatterND(zerosLike(g, x), indices, c.dy(), { reduction: 'add' }), x), null];
  }
  return [gradientByIndex(g, x, c.dy(), (v) => g.gatherND(v, indices, { batch_dims: batch }), 'repeated'), null];
}

// y_k = x_i(k): dx_i is the sum of dy_k with i(k) = i
function gatherElementsGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, indices] = [c.x(0), c.x(1)];
  const axis = c.int('axis');
  if (g.opset < scatterAddSince) {
    return [gradientByIndex(g, x, c.dy(), (v) => g.gatherElements(v, indices, { axis }), 'repeated'), null];
  }
  return [typed(g.scatterElements(zerosLike(g, x), indices, c.dy(), { axis, reduction: 'add' }), x), null];
}

function inferTopK(c: NodeContext): TensorType[] {
  const shape = c.shape(0);
  if (shape === undefined) return [c.like(0, undefined), tensorType('int64')];
  const axis = c.axis(c.int('axis'), shape.length);
  const k = knownElements(c.value(1))?.[0] ?? null;
  const size = shape[axis];
  if (typeof k === 'number' && typeof size === 'number' && k > size) {
    return c.fail(`k is ${k}, axis ${axis} of ${formatShape(shape)} has ${size}`, {
      expected: `at most ${size}`,
      got: String(k),
    });
  }
  const out = shape.map((d, i) => (i === axis ? k : d));
  return [c.like(0, out), tensorType('int64', out)];
}

function compressGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, dy] = [c.x(0), c.dy()];
  const indices = g.squeeze(g.nonZero(c.x(1)), [0]);
  if (!c.node.attributes.has('axis')) return [reshapeLike(g, sumAt(g, g.size(x), indices, dy, 'distinct'), x), null];
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  return [scatterRows(g, { x, axis: c.axis(c.int('axis'), rank), indices, q: 1, dy, repeats: 'distinct' }), null];
}

function uniqueGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, dy] = [c.x(0), c.dyOrNull(0)];
  if (dy === null) return [];
  const indices = c.output(1, tensorType('int64', [null]));
  if (!c.node.attributes.has('axis')) return [reshapeLike(g, sumAt(g, g.size(x), indices, dy, 'distinct'), x)];
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  return [scatterRows(g, { x, axis: c.axis(c.int('axis'), rank), indices, q: 1, dy, repeats: 'distinct' })];
}

export const gather: Readonly<Record<GatherOp, OpRules>> = {
  Gather: {
    traits: ['anyPrecision'],
    infer: inferGather,
    gradient: gatherGradient,
    fold: (c, [x, at]) => {
      if (!x || !at) return undefined;
      const axis = c.axis(c.int('axis'), x.dims.length);
      const size = x.dims[axis] ?? 1;
      const rows = integers(at).map((i) => (i < 0 ? i + size : i));
      // a run fails here, and it alone knows whether it comes by
      if (rows.some((row) => row < 0 || row >= size)) return undefined;
      const dims = [...x.dims.slice(0, axis), ...at.dims, ...x.dims.slice(axis + 1)];
      const flat = [...x.dims.slice(0, axis), rows.length, ...x.dims.slice(axis + 1)];
      const strides = stridesOf(x.dims);
      return pick(x, dims, (i) =>
        coordinates(i, flat).reduce((sum, k, a) => sum + (a === axis ? (rows[k] ?? 0) : k) * (strides[a] ?? 0), 0),
      );
    },
  },
  GatherElements: {
    traits: ['anyPrecision'],
    infer: (c) => {
      requireIndices(c, 1);
      const [a, b] = [c.rank(0), c.rank(1)];
      if (a !== undefined && b !== undefined && a !== b) {
        return c.fail(`ranks differ, data ${formatShape(c.shape(0))}, indices ${formatShape(c.shape(1))}`);
      }
      return [c.like(0, c.shape(1))];
    },
    gradient: gatherElementsGradient,
  },
  GatherND: {
    traits: ['anyPrecision'],
    infer: (c) => [c.like(0, gatherNdShape(c))],
    gradient: gatherNdGradient,
  },
  TopK: {
    traits: ['labels'],
    since: 10,
    infer: inferTopK,
    // values = x[indices]: dx is dy written to those places
    gradient: (c) => {
      const { g } = c;
      const dy = c.dyOrNull(0);
      if (dy === null) return [];
      return [typed(g.scatterElements(zerosLike(g, c.x(0)), c.y(1), dy, { axis: c.int('axis') }), c.x(0)), null];
    },
  },
  // the rows where the condition holds: dx is dy written back to them
  Compress: {
    infer: (c) => {
      if (c.dtype(1) !== 'bool') c.fail(`condition must be bool, it is ${c.dtype(1)}`, { expected: 'bool', got: c.dtype(1) });
      const shape = c.shape(0);
      if (!c.node.attributes.has('axis')) return [c.like(0, [null])];
      return [c.like(0, shape?.with(c.axis(c.int('axis'), shape.length), null))];
    },
    gradient: compressGradient,
  },
  // Y = X at the first place of each element or row: dx is dy written there
  Unique: {
    infer: (c) => {
      const shape = c.shape(0);
      const flat = !c.node.attributes.has('axis');
      const y = flat ? [null] : shape?.with(c.axis(c.int('axis'), shape.length), null);
      const places = tensorType('int64', [null]);
      return [c.like(0, y), places, places, places];
    },
    gradient: uniqueGradient,
  },
};
