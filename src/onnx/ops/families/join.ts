// Joining tensors, taking them apart, repeating them. Specification: onnx/docs/Operators.md, Concat, Split, Expand, Tile.
import { broadcastShapes, type Dim, formatShape, isStatic, mergeDim, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { TensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { assemble, coordinates, pick, stridesOf } from '../rules/pick.js';
import { typed, zerosLike } from '../rules/shape-like.js';
import { addDims, knownElements, mulDims, shapeElements } from '../rules/shape-value.js';

type JoinOp = 'Concat' | 'Split' | 'Expand' | 'Tile';

function concatShape(c: NodeContext): Shape | undefined {
  const shapes = c.node.inputs.map((_, i) => c.shape(i));
  c.node.inputs.forEach((_, i) => {
    if (c.dtype(i) !== c.dtype(0)) c.fail(`dtypes differ, input 0 is ${c.dtype(0)}, input ${i} is ${c.dtype(i)}`);
  });
  const first = shapes.find((s) => s !== undefined);
  if (first === undefined) return undefined;
  const axis = c.axis(c.int('axis'), first.length);
  let out: Dim[] = [...first];
  out[axis] = 0;
  for (const [k, s] of shapes.entries()) {
    if (s !== undefined && s.length !== first.length) return c.fail(`ranks differ, ${formatShape(first)} and ${formatShape(s)}`);
    out = out.map((d, i): Dim => {
      if (i === axis) return addDims(d, s?.[i] ?? null);
      if (s === undefined) return d;
      try {
        return mergeDim(d, s[i] ?? null);
      } catch (error) {
        return c.fail(`inputs differ outside axis ${axis}, ${shapes.map(formatShape).join(', ')}`, {
          got: `input ${k}`,
          cause: error,
        });
      }
    });
  }
  return out;
}

// y = [x0, x1, ...]: dx_i is the part of dy that x_i became
function concatGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const dy = c.dy();
  const rank = c.shape(0)?.length ?? dy.shape?.length;
  const axis = rank === undefined ? c.int('axis') : c.axis(c.int('axis'), rank);
  const sizes = c.node.inputs.map((_, i) => c.shape(i)?.[axis] ?? null);
  const wanted = sizes.map((_, i) => i).filter((i) => c.needs(i));
  const only = wanted[0];
  if (only !== undefined && wanted.length === 1 && sizes.slice(0, only + 1).every((s) => typeof s === 'number')) {
    const start = sizes.slice(0, only).reduce<number>((a, b) => a + Number(b), 0);
    const end = start + Number(sizes[only]);
    return sizes.map((_, i) => (i === only ? typed(g.slice(dy, [start], [end], [axis]), c.x(i)) : null));
  }
  const split = isStatic(sizes)
    ? g.ints(sizes)
    : g.concat(...c.node.inputs.map((_, i) => g.gather(g.shape(c.x(i)), [axis])), { axis: 0 });
  return g.op('Split', [dy, split], { axis }, sizes.length).map((d, i) => typed(d, c.x(i)));
}

function splitSizes(c: NodeContext, total: Dim): Dim[] {
  const count = c.outputCount;
  if (c.has(1)) {
    const sizes = knownElements(c.value(1)) ?? new Array<Dim>(count).fill(null);
    if (sizes.length !== count) return c.fail(`split names ${sizes.length} sizes for ${count} outputs`);
    const sum = sizes.reduce(addDims, 0);
    if (typeof sum === 'number' && typeof total === 'number' && sum !== total) {
      return c.fail(`split [${sizes}] adds up to ${sum}, the axis has ${total}`, { expected: String(total), got: String(sum) });
    }
    return sizes;
  }
  if (c.opset >= 18 && !c.states('num_outputs')) return c.fail('it has neither split nor num_outputs');
  const parts = c.int('num_outputs', count);
  if (parts !== count) return c.fail(`num_outputs is ${parts}, the node has ${count} outputs`);
  if (typeof total !== 'number') return new Array<Dim>(count).fill(null);
  // from opset 18 the last part may be smaller
  if (total % count !== 0 && c.opset < 18) return c.fail(`an axis of ${total} does not split into ${count} equal parts`);
  const size = Math.ceil(total / count);
  // of an axis too short for so many parts nothing is known of the last: a branch that never runs may hold such a Split
  const last = total - size * (count - 1);
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? size : last < 0 ? null : last));
}

function inferSplit(c: NodeContext): TensorType[] {
  const shape = c.shape(0);
  if (shape === undefined) return c.node.outputs.map(() => c.like(0, undefined));
  const axis = c.axis(c.int('axis'), shape.length);
  return splitSizes(c, shape[axis] ?? null).map((size) =>
    c.like(
      0,
      shape.map((d, i) => (i === axis ? size : d)),
    ),
  );
}

function expandShape(c: NodeContext): Shape | undefined {
  const [from, to] = [c.shape(0), shapeElements(c, 1)];
  if (from === undefined || to === undefined) return undefined;
  try {
    return broadcastShapes(from, to);
  } catch (error) {
    return c.fail(`shapes ${formatShape(from)} and ${formatShape(to)} do not broadcast`, { cause: error });
  }
}

function tileShape(c: NodeContext): Shape | undefined {
  const shape = c.shape(0);
  const repeats = shapeElements(c, 1);
  if (shape === undefined) return repeats?.map(() => null);
  if (repeats !== undefined && repeats.length !== shape.length) {
    return c.fail(`repeats [${repeats}] must name each of the ${shape.length} axes of ${formatShape(shape)}`);
  }
  return shape.map((d, i) => mulDims(d, repeats?.[i] ?? null));
}

// y has r copies of x along each axis: seen as [r0, d0, r1, d1, ...], dx is the sum over the r axes
function tileGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const shape = c.shape(0) ?? c.fail('the gradient needs an input of known rank');
  const repeats = c.constant(1);
  const pairs = shape.flatMap((d, i): Dim[] => [repeats === undefined ? null : Number(repeats.data[i]), d]);
  const column = (v: Value) => g.unsqueeze(v, [1]);
  const interleaved = () => g.reshape(g.concat(column(c.x(1)), column(g.shape(c.x(0))), { axis: 1 }), [-1]);
  const plain = pairs.filter((d) => typeof d !== 'number').length <= 1;
  const split = g.reshape(c.dy(), plain ? g.ints(pairs.map((d) => (typeof d === 'number' ? d : -1))) : interleaved());
  return [
    typed(
      g.reduceSum(
        split,
        shape.map((_, i) => 2 * i),
        { keepdims: 0 },
      ),
      c.x(0),
    ),
    null,
  ];
}

export const join: Readonly<Record<JoinOp, OpRules>> = {
  Concat: {
    traits: ['anyPrecision', 'int8'],
    infer: (c) => [c.like(0, concatShape(c))],
    gradient: concatGradient,
    fold: (c, inputs) => {
      const parts = inputs.filter((t) => t !== null);
      const [first] = parts;
      if (first === undefined || parts.length !== inputs.length) return undefined;
      const axis = c.axis(c.int('axis'), first.dims.length);
      const dims = first.dims.map((d, i) => (i === axis ? parts.reduce((n, t) => n + (t.dims[i] ?? 0), 0) : d));
      const strides = parts.map((t) => stridesOf(t.dims));
      return assemble(first, dims, (i) => {
        const at = coordinates(i, dims);
        let part = 0;
        const size = () => parts[part]?.dims[axis] ?? 0;
        for (; part < parts.length && (at[axis] ?? 0) >= size(); part++) at[axis] = (at[axis] ?? 0) - size();
        return parts[part]?.data[at.reduce((sum, k, a) => sum + k * (strides[part]?.[a] ?? 0), 0)];
      });
    },
  },
  Split: {
    traits: ['anyPrecision'],
    since: 13,
    infer: inferSplit,
    // dx = [dy0, dy1, ...], zeros for parts that the loss does not read
    gradient: (c) => {
      const parts = c.node.outputs.map((v, i) => c.dyOrNull(i) ?? zerosLike(c.g, v));
      return [typed(c.g.concat(...parts, { axis: c.int('axis') }), c.x(0)), null];
    },
  },
  Expand: {
    traits: ['anyPrecision', 'int8InPlace'],
    infer: (c) => [c.like(0, expandShape(c))],
    // the driver sums over what was broadcast
    gradient: (c) => [c.dy(), null],
    fold: (c, [x]) => {
      const shape = c.node.outputs[0]?.shape;
      if (!x || !isStatic(shape)) return undefined;
      const strides = stridesOf(x.dims);
      const lead = shape.length - x.dims.length;
      return pick(x, shape, (i) =>
        coordinates(i, shape).reduce((at, k, axis) => at + (x.dims[axis - lead] === 1 ? 0 : k * (strides[axis - lead] ?? 0)), 0),
      );
    },
  },
  Tile: {
    traits: ['anyPrecision'],
    infer: (c) => [c.like(0, tileShape(c))],
    gradient: tileGradient,
    fold: (c, [x]) => {
      const shape = c.node.outputs[0]?.shape;
      if (!x || !isStatic(shape)) return undefined;
      const strides = stridesOf(x.dims);
      return pick(x, shape, (i) =>
        coordinates(i, shape).reduce((at, k, axis) => at + (k % (x.dims[axis] ?? 1)) * (strides[axis] ?? 0), 0),
      );
    },
  },
};
