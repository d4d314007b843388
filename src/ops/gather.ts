// Reading and writing by index. Indices may be negative; gradients by index inputs do not exist. Specification: onnx/docs/Operators.md.
import { type Dim, formatShape } from '../core/shape.js';
import type { Value } from '../ir/graph.js';
import { type TensorType, tensorType } from '../ir/types.js';
import { axisOf } from './movement.js';
import type { GradientContext, NodeContext, OpDef } from './op-def.js';
import { coordinates, pick, stridesOf } from './pick.js';
import { typed, zerosLike } from './shape-like.js';
import { integers, knownElements } from './shape-value.js';
import { gradientByIndex } from './slice.js';

export type GatherOp = 'Gather' | 'GatherElements' | 'GatherND' | 'ScatterElements' | 'ScatterND' | 'TopK';

function checkIndices(c: NodeContext, i: number): void {
  if (c.dtype(i) !== 'int64' && c.dtype(i) !== 'int32')
    c.fail(`indices must be int64 or int32, they are ${c.dtype(i)}`, { got: c.dtype(i) });
}

function inferGather(c: NodeContext): TensorType[] {
  checkIndices(c, 1);
  const [data, indices] = [c.shape(0), c.shape(1)];
  if (data === undefined) return [c.like(0, undefined)];
  const axis = axisOf(c, c.int('axis', 0), data.length);
  const size = data[axis];
  const out = c
    .constant(1)
    ?.numbers()
    .find((i) => typeof size === 'number' && (i >= size || i < -size));
  if (out !== undefined)
    return c.fail(`index ${out} is out of range for axis ${axis} of ${formatShape(data)}`, { got: String(out) });
  return [c.like(0, indices === undefined ? undefined : [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])];
}

// y = x[.., indices, ..]: dx[.., i, ..] is the sum of the parts of dy taken from i. With the axis in front, a scatter of whole rows.
function gatherGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, indices] = [c.x(0), c.x(1)];
  const [rank, q] = [c.rank(0), c.rank(1)];
  if (rank === undefined || q === undefined) return c.fail('the gradient needs inputs of known rank');
  const axis = axisOf(c, c.int('axis', 0), rank);
  const rows = g.unsqueeze(c.needs(0) && indices.dtype === 'int32' ? g.cast(indices, { to: 7 }) : indices, g.ints([-1]));
  if (axis === 0) return [typed(g.scatterND(zerosLike(g, x), rows, c.dy(), { reduction: 'add' }), x), null];
  const others = (n: number) => Array.from({ length: rank }, (_, i) => (i < axis ? i : i + n - 1)).filter((_, i) => i !== axis);
  const dy = g.transpose(c.dy(), { perm: [...Array.from({ length: q }, (_, i) => axis + i), ...others(q)] });
  const front = [axis, ...others(1)];
  const zeros = g.transpose(zerosLike(g, x), { perm: front });
  const dx = g.scatterND(zeros, rows, dy, { reduction: 'add' });
  return [typed(g.transpose(dx, { perm: front.map((_, i) => front.indexOf(i)) }), x), null];
}

function gatherNdShape(c: NodeContext): Dim[] | undefined {
  checkIndices(c, 1);
  const [data, indices] = [c.shape(0), c.shape(1)];
  const depth = indices?.at(-1);
  if (data === undefined || indices === undefined || typeof depth !== 'number') return undefined;
  const batch = c.int('batch_dims', 0);
  if (batch + depth > data.length)
    return c.fail(`indices ${formatShape(indices)} address more axes than data ${formatShape(data)} has`);
  return [...indices.slice(0, -1), ...data.slice(batch + depth)];
}

// y = x[indices]: dx[i] is the sum of the parts of dy taken from i
function gatherNdGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, indices] = [c.x(0), c.x(1)];
  const batch = c.int('batch_dims', 0);
  if (batch === 0) return [typed(g.scatterND(zerosLike(g, x), indices, c.dy(), { reduction: 'add' }), x), null];
  return [gradientByIndex(g, x, c.dy(), (v) => g.gatherND(v, indices, { batch_dims: batch }), 'add'), null];
}

function inferScatter(c: NodeContext): TensorType[] {
  checkIndices(c, 1);
  if (c.dtype(2) !== c.dtype(0)) c.fail(`dtypes differ, data is ${c.dtype(0)}, updates are ${c.dtype(2)}`, { got: c.dtype(2) });
  return [c.like(0, c.shape(0))];
}

/** `none` replaces, `add` adds; the gradients of mul, min and max are refused. */
function reduction(c: GradientContext): 'none' | 'add' {
  const name = c.string('reduction', 'none');
  return name === 'none' || name === 'add' ? name : c.fail(`no gradient is known for reduction "${name}"`, { got: name });
}

// y = x with y[i] replaced by (added) u: dx = dy, without what was replaced; du = dy[i]
function scatterElementsGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const axis = { axis: c.int('axis', 0) };
  const kept = reduction(c) === 'add';
  const dx = () => (kept ? c.dy() : g.scatterElements(c.dy(), c.x(1), zerosLike(g, c.x(2)), axis));
  return [c.needs(0) ? dx() : null, null, c.needs(2) ? typed(g.gatherElements(c.dy(), c.x(1), axis), c.x(2)) : null];
}

function scatterNdGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const kept = reduction(c) === 'add';
  const dx = () => (kept ? c.dy() : g.scatterND(c.dy(), c.x(1), zerosLike(g, c.x(2))));
  return [c.needs(0) ? dx() : null, null, c.needs(2) ? typed(g.gatherND(c.dy(), c.x(1)), c.x(2)) : null];
}

function inferTopK(c: NodeContext): TensorType[] {
  const shape = c.shape(0);
  if (shape === undefined) return [c.like(0, undefined), tensorType('int64')];
  const axis = axisOf(c, c.int('axis', -1), shape.length);
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

export const gather: Readonly<Record<GatherOp, OpDef>> = {
  Gather: {
    versions: [1, 11, 13],
    inputs: 'data indices',
    outputs: 'output',
    attributes: { axis: 'int' },
    infer: inferGather,
    gradient: gatherGradient,
    fold: (c, [x, at]) => {
      if (!x || !at) return undefined;
      const axis = axisOf(c, c.int('axis', 0), x.dims.length);
      const size = x.dims[axis] ?? 1;
      const rows = integers(at).map((i) => (i < 0 ? i + size : i));
      const dims = [...x.dims.slice(0, axis), ...at.dims, ...x.dims.slice(axis + 1)];
      const flat = [...x.dims.slice(0, axis), rows.length, ...x.dims.slice(axis + 1)];
      const strides = stridesOf(x.dims);
      return pick(x, dims, (i) =>
        coordinates(i, flat).reduce((sum, k, a) => sum + (a === axis ? (rows[k] ?? 0) : k) * (strides[a] ?? 0), 0),
      );
    },
  },
  GatherElements: {
    versions: [11, 13],
    inputs: 'data indices',
    outputs: 'output',
    attributes: { axis: 'int' },
    infer: (c) => {
      checkIndices(c, 1);
      const [a, b] = [c.rank(0), c.rank(1)];
      if (a !== undefined && b !== undefined && a !== b) {
        return c.fail(`ranks differ, data ${formatShape(c.shape(0))}, indices ${formatShape(c.shape(1))}`);
      }
      return [c.like(0, c.shape(1))];
    },
    // y_k = x_i(k): dx_i is the sum of dy_k with i(k) = i
    gradient: (c) => {
      const { g } = c;
      const options = { axis: c.int('axis', 0), reduction: 'add' };
      return [typed(g.scatterElements(zerosLike(g, c.x(0)), c.x(1), c.dy(), options), c.x(0)), null];
    },
  },
  GatherND: {
    versions: [11, 12, 13],
    inputs: 'data indices',
    outputs: 'output',
    attributes: { batch_dims: 'int' },
    infer: (c) => [c.like(0, gatherNdShape(c))],
    gradient: gatherNdGradient,
  },
  ScatterElements: {
    versions: [11, 13, 16, 18],
    inputs: 'data indices updates',
    outputs: 'output',
    attributes: { axis: 'int', reduction: 'string' },
    infer: inferScatter,
    gradient: scatterElementsGradient,
  },
  ScatterND: {
    versions: [11, 13, 16, 18],
    inputs: 'data indices updates',
    outputs: 'output',
    attributes: { reduction: 'string' },
    infer: inferScatter,
    gradient: scatterNdGradient,
  },
  TopK: {
    versions: [10, 11, 24],
    inputs: 'X K',
    outputs: 'Values Indices',
    attributes: { axis: 'int', largest: 'int', sorted: 'int' },
    infer: inferTopK,
    // values = x[indices]: dx is dy written to those places
    gradient: (c) => {
      const { g } = c;
      const dy = c.dyOrNull(0);
      if (dy === null) return [];
      return [typed(g.scatterElements(zerosLike(g, c.x(0)), c.y(1), dy, { axis: c.int('axis', -1) }), c.x(0)), null];
    },
  },
};
