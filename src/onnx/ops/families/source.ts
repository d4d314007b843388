// Ops that make tensors from shapes, numbers or types: constants, ranges, casts, and what is read off a tensor (Shape, Size, NonZero).
// Specification: onnx/docs/Operators.md.
import { type DType, isFloat } from '../../core/dtype.js';
import { compatibleDim, type Dim, formatShape, isStatic, product, type Shape } from '../../core/shape.js';
import { allocate, Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { formatType, type TensorType, tensorType } from '../../ir/types.js';
import { type GradientContext, type NodeContext, type OpRules, tensorOfConstant } from '../op-def.js';
import { reshapeLike } from '../rules/shape-like.js';
import { integers, knownElements, shapeElements, shapeSlice } from '../rules/shape-value.js';
import { dtypeAttribute } from './random.js';

type SourceOp =
  | 'Constant'
  | 'ConstantOfShape'
  | 'Range'
  | 'EyeLike'
  | 'OneHot'
  | 'Shape'
  | 'Size'
  | 'NonZero'
  | 'Cast'
  | 'BitCast'
  | 'CastLike';

/** Folded constants beyond this many elements would only make the file larger. */
const largestFold = 4096;

function inferConstant(c: NodeContext): (TensorType | undefined)[] {
  const t = tensorOfConstant(c.node);
  if (t !== undefined) return [tensorType(t.dtype, t.dims)];
  const sparse = c.node.attributes.get('sparse_value');
  if (sparse?.kind === 'sparse_tensor') return [tensorType(sparse.value.values.dtype, sparse.value.dims)];
  return c.fail(
    'one of the attributes value, value_int, value_ints, value_float, value_floats, value_string, value_strings is needed',
  );
}

/** `saturate` and `round_mode` speak of casts to float 8 alone. */
function castType(c: NodeContext, to: DType): TensorType {
  const only = (name: string, kinds: string) =>
    c.fail(`attribute "${name}" is for casts to ${kinds} alone, this one is to ${to}`, { expected: kinds, got: to });
  if (c.int('saturate', 1) !== 1 && !to.startsWith('float8')) only('saturate', 'float8');
  if (c.node.opType === 'Cast' && c.string('round_mode', 'up') !== 'up' && to !== 'float8e8m0') only('round_mode', 'float8e8m0');
  return tensorType(to, c.shape(0));
}

function fillValue(c: NodeContext): Tensor {
  const a = c.node.attributes.get('value');
  return a?.kind === 'tensor' ? a.value : Tensor.from('float32', [0]);
}

function rangeLength(c: NodeContext): Dim {
  for (const [i, name] of ['start', 'limit', 'delta'].entries()) {
    const shape = c.shape(i);
    const alone = shape === undefined || shape.length === 0 || (shape.length === 1 && compatibleDim(shape[0] ?? null, 1));
    if (!alone)
      c.fail(`${name} must be one number, it is ${formatType(c.type(i))}`, {
        expected: 'one number',
        got: formatType(c.type(i)),
      });
  }
  const [start, limit, delta] = [0, 1, 2].map((i) =>
    isFloat(c.dtype(i)) ? c.constant(i)?.numbers()[0] : knownElements(c.value(i))?.[0],
  );
  if (start === 0 && typeof limit === 'string' && delta === 1) return limit;
  if (typeof limit === 'string' || [start, limit, delta].some((v) => v === undefined || v === null)) return null;
  if (delta === 0) return c.fail('delta is 0', { got: '0' });
  return Math.max(0, Math.ceil((Number(limit) - Number(start)) / Number(delta)));
}

// y_i = start + i delta: dstart = sum dy, ddelta = sum i dy
function rangeGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const sum = (v: Value, i: number) => {
    const d = g.reduceSum(v, null, { keepdims: 0 });
    return c.rank(i) === 0 ? d : reshapeLike(g, d, c.x(i));
  };
  const steps = () => {
    const count = g.squeeze(g.shape(c.y()), [0]);
    return g.cast(g.range(0, count, 1), { to: c.y().dtype });
  };
  return [c.needs(0) ? sum(c.dy(), 0) : null, null, c.needs(2) ? sum(g.mul(c.dy(), steps()), 2) : null];
}

function oneHotShape(c: NodeContext): Shape | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  const axis = c.axis(c.int('axis'), shape.length + 1);
  const depth = isFloat(c.dtype(1)) ? (c.constant(1)?.numbers()[0] ?? Number.NaN) : (knownElements(c.value(1))?.[0] ?? null);
  return [...shape.slice(0, axis), Number.isNaN(depth) ? null : depth, ...shape.slice(axis)];
}

// y = off + (on - off) h with h the 0-1 encoding: d off = sum (1 - h) dy, d on = sum h dy
function oneHotGradient(c: GradientContext): (Value | null)[] {
  if (!c.needs(2)) return [];
  const { g } = c;
  const toInt = { to: 'int64' } as const;
  const h = g.oneHot(g.cast(c.x(0), toInt), g.cast(c.x(1), toInt), g.ints([0, 1]), { axis: c.int('axis') });
  const sum = (v: Value) => g.reduceSum(v, null, { keepdims: 0 });
  const on = sum(g.mul(g.cast(h, { to: c.dy().dtype }), c.dy()));
  const off = g.sub(sum(c.dy()), on);
  return [null, null, g.concat(g.unsqueeze(off, [0]), g.unsqueeze(on, [0]), { axis: 0 })];
}

/** Between floating types the gradient is cast back; other casts have none. */
function castGradient(c: GradientContext): (Value | null)[] {
  return [isFloat(c.dtype(0)) ? c.g.cast(c.dy(), { to: c.dtype(0) }) : null, null].slice(0, c.inputCount);
}

const exactCasts: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'int64', 'bool']);

function foldCast(x: Tensor | null | undefined, to: DType): readonly Tensor[] | undefined {
  if (!x || !exactCasts.has(x.dtype) || !exactCasts.has(to) || x.size > largestFold) return undefined;
  if (x.dtype === to) return [x];
  const data = allocate(to, x.size);
  for (let i = 0; i < x.size; i++) {
    const v = x.data[i] as number | bigint;
    if (typeof v === 'number' && !Number.isFinite(v) && !isFloat(to)) return undefined;
    if (to === 'bool') data[i] = Number(v) !== 0 ? 1 : 0;
    else if (to === 'int64') data[i] = typeof v === 'bigint' ? v : BigInt(Math.trunc(v));
    else if (to === 'int32') data[i] = Number(BigInt.asIntN(32, typeof v === 'bigint' ? v : BigInt(Math.trunc(v))));
    else data[i] = Number(v);
  }
  return [new Tensor(to, x.dims, data)];
}

export const source: Readonly<Record<SourceOp, OpRules>> = {
  Constant: {
    infer: inferConstant,
    gradient: 'zero',
    fold: (c) => {
      const t = tensorOfConstant(c.node);
      return t === undefined ? undefined : [t];
    },
  },
  ConstantOfShape: {
    traits: ['settings'],
    infer: (c) => [tensorType(fillValue(c).dtype, shapeElements(c, 0))],
    gradient: 'zero',
    fold: (c, [shape]) => {
      const value = fillValue(c);
      const count = shape ? product(integers(shape)) : null;
      if (!shape || count === null || count > largestFold || !exactCasts.has(value.dtype)) return undefined;
      return [new Tensor(value.dtype, integers(shape), allocate(value.dtype, count).fill(value.data[0] as never))];
    },
  },
  Range: {
    traits: ['settings'],
    infer: (c) => [c.like(0, [rangeLength(c)])],
    gradient: rangeGradient,
    fold: (c, [start, limit, delta]) => {
      const length = rangeLength(c);
      if (!start || !limit || !delta || (c.dtype(0) !== 'int64' && c.dtype(0) !== 'int32')) return undefined;
      if (typeof length !== 'number' || length > largestFold) return undefined;
      const [from, step] = [Number(start.data[0]), Number(delta.data[0])];
      return [
        Tensor.from(
          c.dtype(0),
          Array.from({ length }, (_, i) => from + i * step),
        ),
      ];
    },
  },
  EyeLike: {
    infer: (c) => {
      const shape = c.shape(0);
      if (shape !== undefined && shape.length !== 2) return c.fail(`the input must be a matrix, it is ${formatShape(shape)}`);
      return [tensorType(dtypeAttribute(c, 'dtype', c.dtype(0)), shape)];
    },
    gradient: 'zero',
  },
  OneHot: {
    traits: ['settings', 'labels'],
    infer: (c) => [c.like(2, oneHotShape(c))],
    gradient: oneHotGradient,
  },
  Shape: {
    traits: ['shapeOnly', 'anyPrecision'],
    infer: (c) => [tensorType('int64', [shapeSlice(c.node, c.shape(0))?.length ?? null])],
    gradient: 'zero',
    fold: (c) => {
      const dims = shapeSlice(c.node, c.shape(0));
      return isStatic(dims) ? [Tensor.from('int64', dims)] : undefined;
    },
  },
  Size: {
    traits: ['shapeOnly', 'anyPrecision'],
    infer: () => [tensorType('int64', [])],
    gradient: 'zero',
    fold: (c) => {
      const shape = c.shape(0);
      return isStatic(shape) ? [Tensor.from('int64', product(shape) ?? 0)] : undefined;
    },
  },
  NonZero: {
    infer: (c) => [tensorType('int64', [c.rank(0) ?? null, null])],
    gradient: 'zero',
  },
  // the same bits as another number: nothing that moves with its input in a way of its own
  BitCast: {
    infer: (c) => [tensorType(dtypeAttribute(c, 'to', c.dtype(0)), c.shape(0))],
    gradient: 'unsupported',
  },
  Cast: {
    traits: ['elementwise', 'settings', 'anyPrecision'],
    infer: (c) => [castType(c, dtypeAttribute(c, 'to', 'float32'))],
    gradient: castGradient,
    fold: (c, [x]) => foldCast(x, dtypeAttribute(c, 'to', 'float32')),
  },
  CastLike: {
    infer: (c) => [castType(c, c.dtype(1))],
    gradient: castGradient,
    fold: (c, [x]) => foldCast(x, c.dtype(1)),
  },
};
