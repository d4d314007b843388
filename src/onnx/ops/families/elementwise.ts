// Elementwise arithmetic with broadcasting. Activations, trigonometry and logic have their own files. Specification: Operators.md.
import { isFloat } from '../../core/dtype.js';
import { broadcastShapes, compatibleDim, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import { formatType, type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { foldArithmetic, foldElements } from '../rules/fold.js';
import { sameOrder } from '../rules/pick.js';

type ElementwiseOp =
  | 'Identity'
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Pow'
  | 'Mod'
  | 'Neg'
  | 'Abs'
  | 'Sqrt'
  | 'Exp'
  | 'Log'
  | 'Reciprocal'
  | 'Erf'
  | 'Floor'
  | 'Ceil'
  | 'Round'
  | 'Sign'
  | 'Min'
  | 'Max'
  | 'Sum'
  | 'Mean'
  | 'Clip'
  | 'Where';

/** Type of a broadcasting op over its inputs [from, from + count). */
export function broadcastType(c: NodeContext, count = c.inputCount, from = 0): TensorType {
  let shape: Shape | undefined = c.shape(from);
  const dtype = c.dtype(from);
  for (let i = from + 1; i < from + count; i++) {
    if (c.dtype(i) !== dtype) {
      c.fail(`dtypes differ, input ${from} is ${dtype}, input ${i} is ${c.dtype(i)}`, { expected: dtype, got: c.dtype(i) });
    }
    shape = broadcastWith(c, shape, i);
  }
  return tensorType(dtype, shape);
}

/** A shape broadcast with the shape of input i; undefined when a rank is unknown. */
export function broadcastWith(c: NodeContext, shape: Shape | undefined, i: number): Shape | undefined {
  const other = c.shape(i);
  if (shape === undefined || other === undefined) return undefined;
  try {
    return broadcastShapes(shape, other);
  } catch (error) {
    return c.fail(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The type of input 0. */
export const sameType = (c: NodeContext): TensorType[] => [c.like(0, c.shape(0))];

/** The type of input 0, which must be a floating-point tensor. */
export function floatType(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  return sameType(c);
}

/** Refuses an input that is not floating-point. */
export function requireFloat(c: NodeContext, i: number): void {
  if (!isFloat(c.dtype(i))) {
    c.fail(`input ${i} must be floating-point, it is ${formatType(c.type(i))}`, { expected: 'float', got: c.dtype(i) });
  }
}

/** Refuses bool and string inputs; else the broadcast type. */
function arithmetic(c: NodeContext): TensorType[] {
  const dtype = c.dtype(0);
  if (dtype === 'bool' || dtype === 'string') c.fail(`input 0 must be numeric, it is ${formatType(c.type(0))}`, { got: dtype });
  return [broadcastType(c)];
}

/** `v` in the dtype of `like`; itself when it has it already. */
export function castLike(g: Ops, v: Value, like: Value): Value {
  return v.dtype === like.dtype ? v : g.cast(v, { to: like.dtype });
}

/** sign(x) as Where of Where (Sign has no kernel on WebGPU); 0 at 0. */
export function sign(g: Ops, x: Value): Value {
  const zero = g.scalar(0, x);
  return g.where(g.greater(x, zero), g.scalar(1, x), g.where(g.less(x, zero), -1, zero));
}

/** An elementwise op of one floating-point input. */
export function unary(gradient: OpRules['gradient'], more: Partial<OpRules> = {}): OpRules {
  return { infer: floatType, gradient, ...more };
}

/** max(a, b, ...): where x_i is the extremum, dy; a tie goes to the first input that has it, so that the parts add up to dy. */
function extremum(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const last = c.inputCount - 1;
  let rest = c.dy();
  const zero = g.scalar(0, rest);
  return Array.from({ length: last + 1 }, (_, i) => {
    if (i === last) return rest;
    const later = Array.from({ length: last - i }, (_, k) => i + 1 + k).some(c.needs);
    if (!c.needs(i) && !later) return null;
    const hit = g.equal(c.x(i), c.y());
    const mine = c.needs(i) ? g.where(hit, rest, zero) : null;
    if (later) rest = g.where(hit, zero, rest);
    return mine;
  });
}

/** The first of the integers that none other is better than. */
const extreme =
  (better: (a: bigint, b: bigint) => boolean) =>
  (...x: bigint[]) =>
    x.reduce((a, b) => (better(b, a) ? b : a));

/** a^b. A known exponent of 0, 1 or 2 needs no Pow. */
function powGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, y] = [c.x(0), c.x(1)];
  const known = c.constant(1);
  const exponent = known?.size === 1 ? known.numbers()[0] : undefined;
  const dx = (): Value | null => {
    if (exponent === 0) return null;
    if (exponent === 1) return c.dy();
    if (exponent === 2) return g.mul(c.dy(), g.mul(x, 2));
    if (exponent !== undefined) {
      return g.mul(c.dy(), g.mul(g.pow(x, exponent - 1), exponent));
    }
    const b = castLike(g, y, x);
    const zero = g.scalar(0, x);
    // 0 where b = 0, whatever x is: 0 * 0^-1 would be NaN.
    const slope = g.mul(b, g.pow(x, g.sub(b, 1)));
    return g.mul(c.dy(), g.where(g.equal(b, zero), zero, slope));
  };
  const dy = (): Value => {
    // log 0 stands for the limit of x^b log x at x = 0, which is 0 for b > 0.
    const base = g.where(g.equal(x, 0), 1, x);
    return castLike(g, g.mul(c.dy(), g.mul(c.y(), g.log(base))), y);
  };
  return [c.needs(0) ? dx() : null, c.needs(1) ? dy() : null];
}

export const elementwise: Readonly<Record<ElementwiseOp, OpRules>> = {
  Identity: {
    traits: ['elementwise', 'anyPrecision', 'int8InPlace'],
    infer: (c) => [c.value(0).type],
    gradient: (c) => [c.dy()],
    fold: (_c, [x]) => (x === null || x === undefined ? undefined : [x]),
    view: (_c, dims) => sameOrder(dims),
  },

  Add: {
    traits: ['elementwise', 'arithmetic', 'half', 'int8'],
    infer: arithmetic,
    gradient: (c) => [c.dy(), c.dy()],
    fold: foldArithmetic({ int: (a = 0n, b = 0n) => a + b, float: (a = 0, b = 0) => a + b }),
  },
  Sub: {
    traits: ['elementwise', 'arithmetic', 'half'],
    infer: arithmetic,
    gradient: (c) => [c.dy(), c.needs(1) ? c.g.neg(c.dy()) : null],
    fold: foldArithmetic({ int: (a = 0n, b = 0n) => a - b, float: (a = 0, b = 0) => a - b }),
  },
  // d(ab) = b da + a db
  Mul: {
    traits: ['elementwise', 'arithmetic', 'half', 'int8'],
    infer: arithmetic,
    gradient: (c) => {
      const [{ g }, a, b, dy] = [c, c.x(0), c.x(1), c.dy()];
      if (a === b) return [g.mul(g.mul(dy, 2), a), null];
      return [c.needs(0) ? g.mul(dy, b) : null, c.needs(1) ? g.mul(dy, a) : null];
    },
    fold: foldArithmetic({ int: (a = 0n, b = 0n) => a * b, float: (a = 0, b = 0) => a * b }),
  },
  // y = a/b: da = dy/b, db = -y dy/b
  Div: {
    traits: ['elementwise', 'arithmetic', 'half'],
    infer: arithmetic,
    gradient: (c) => {
      const da = c.g.div(c.dy(), c.x(1));
      return [da, c.needs(1) ? c.g.neg(c.g.mul(da, c.y())) : null];
    },
    // Integer division truncates; by zero it is left to the runtime.
    fold: foldArithmetic({ int: (a = 0n, b = 0n) => (b === 0n ? undefined : a / b), float: (a = 0, b = 0) => a / b }),
  },
  // y = a^b: da = b a^(b-1) dy, db = y log(a) dy
  Pow: {
    traits: ['elementwise'],
    infer: (c) => [c.like(0, broadcastWith(c, c.shape(0), 1))],
    gradient: powGradient,
  },
  // y = a - b q with q = trunc(a/b) (fmod = 1) or floor(a/b): da = dy, db = -q dy = (y - a)/b dy
  Mod: {
    infer: (c) => {
      if (isFloat(c.dtype(0)) && c.int('fmod') !== 1) c.fail(`fmod must be 1 for ${c.dtype(0)}`, { expected: '1', got: '0' });
      return arithmetic(c);
    },
    gradient: (c) => [c.dy(), c.needs(1) ? c.g.mul(c.dy(), c.g.div(c.g.sub(c.y(), c.x(0)), c.x(1))) : null],
    fold: (c, inputs) =>
      foldArithmetic({
        int: (a = 0n, b = 0n) => {
          if (b === 0n) return undefined;
          const r = a % b;
          return c.int('fmod') === 0 && r !== 0n && r < 0n !== b < 0n ? r + b : r;
        },
      })(c, inputs),
  },

  Neg: {
    ...unary((c) => [c.g.neg(c.dy())], {
      infer: arithmetic,
      fold: foldArithmetic({ int: (x = 0n) => -x, float: (x = 0) => -x }),
    }),
    traits: ['elementwise', 'arithmetic', 'half'],
  },
  // |x|' = sign(x), 0 at the kink
  Abs: {
    ...unary((c) => [c.g.mul(c.dy(), sign(c.g, c.x(0)))], {
      infer: arithmetic,
      fold: foldArithmetic({ int: (x = 0n) => (x < 0n ? -x : x), float: Math.abs }),
    }),
    traits: ['elementwise', 'half'],
  },
  // sqrt' = 1 / (2 y)
  Sqrt: {
    ...unary((c) => [c.g.div(c.g.mul(c.dy(), 0.5), c.y())], {
      fold: foldArithmetic({ float: Math.sqrt }),
    }),
    traits: ['elementwise'],
  },
  // exp' = y
  Exp: { ...unary((c) => [c.g.mul(c.dy(), c.y())]), traits: ['elementwise', 'keepsAnswers'] },
  // log' = 1 / x
  Log: { ...unary((c) => [c.g.div(c.dy(), c.x(0))]), traits: ['elementwise', 'keepsAnswers'] },
  // (1/x)' = -y^2
  Reciprocal: {
    ...unary((c) => [c.g.neg(c.g.mul(c.dy(), c.g.mul(c.y(), c.y())))], {
      fold: foldArithmetic({ float: (x = 0) => 1 / x }),
    }),
    traits: ['elementwise'],
  },
  // erf' = 2 / sqrt(pi) exp(-x^2), the factor within the exponential
  Erf: {
    ...unary(
      (c) => {
        const { g } = c;
        const exponent = g.sub(Math.log(2 / Math.sqrt(Math.PI)), g.mul(c.x(0), c.x(0)));
        return [g.mul(c.dy(), g.exp(exponent))];
      },
      { infer: arithmetic },
    ),
    traits: ['elementwise', 'half'],
  },
  Floor: { ...unary('zero', { fold: foldArithmetic({ float: Math.floor }) }), traits: ['labels'] },
  Ceil: { ...unary('zero', { fold: foldArithmetic({ float: Math.ceil }) }), traits: ['labels'] },
  Round: { ...unary('zero'), traits: ['labels'] },
  Sign: {
    ...unary('zero', {
      infer: arithmetic,
      fold: foldArithmetic({ int: (x = 0n) => (x > 0n ? 1n : x < 0n ? -1n : 0n) }),
    }),
    traits: ['elementwise', 'labels'],
  },

  Min: {
    traits: ['elementwise', 'half'],
    infer: arithmetic,
    gradient: extremum,
    fold: foldArithmetic({ int: extreme((a, b) => a < b), float: Math.min }),
  },
  Max: {
    traits: ['elementwise', 'half'],
    infer: arithmetic,
    gradient: extremum,
    fold: foldArithmetic({ int: extreme((a, b) => a > b), float: Math.max }),
  },
  Sum: {
    traits: ['elementwise'],
    infer: arithmetic,
    gradient: (c) => c.node.inputs.map(() => c.dy()),
  },
  // d mean = dy / n
  Mean: {
    traits: ['elementwise', 'keepsAnswers'],
    infer: arithmetic,
    gradient: (c) => {
      const part = c.g.div(c.dy(), c.inputCount);
      return c.node.inputs.map(() => part);
    },
  },

  // dx = dy where the value passed unchanged (bounds included), dmin = dy where x < min, dmax = dy where x > max
  Clip: {
    traits: ['settings', 'half', 'keepsAnswers'],
    infer: (c) => {
      for (const i of [1, 2]) {
        if (!c.has(i)) continue;
        if (c.dtype(i) !== c.dtype(0)) c.fail(`dtypes differ, input 0 is ${c.dtype(0)}, input ${i} is ${c.dtype(i)}`);
        // Exporters write [1] too, and ONNX Runtime takes it.
        const [d = 1, ...more] = c.shape(i) ?? [];
        if (!compatibleDim(d, 1) || more.length > 0) c.fail(`input ${i} must be a scalar or [1], it is ${formatType(c.type(i))}`);
      }
      return sameType(c);
    },
    gradient: (c) => {
      const { g } = c;
      const both = c.has(1) && c.has(2);
      // y = min(max(x, lower), upper): with lower > upper it is upper everywhere.
      const below = () => (both ? g.and(g.less(c.x(0), c.x(1)), g.lessOrEqual(c.x(1), c.x(2))) : g.less(c.x(0), c.x(1)));
      const above = () => g.greater(both ? g.max(c.x(0), c.x(1)) : c.x(0), c.x(2));
      return [
        c.needs(0) ? g.where(g.equal(c.x(0), c.y()), c.dy(), 0) : null,
        c.needs(1) ? g.where(below(), c.dy(), 0) : null,
        c.needs(2) ? g.where(above(), c.dy(), 0) : null,
      ];
    },
  },
  Where: {
    traits: ['elementwise', 'anyPrecision'],
    infer: (c) => {
      if (c.dtype(0) !== 'bool')
        c.fail(`input 0 must be bool, it is ${formatType(c.type(0))}`, { expected: 'bool', got: c.dtype(0) });
      const { dtype, shape } = broadcastType(c, 2, 1);
      return [tensorType(dtype, broadcastWith(c, shape, 0))];
    },
    gradient: (c) => [null, c.needs(1) ? c.g.where(c.x(0), c.dy(), 0) : null, c.needs(2) ? c.g.where(c.x(0), 0, c.dy()) : null],
    fold: (c, inputs) => foldElements(inputs, c.dtype(1), ([condition, x, y]) => (condition ? x : y)),
  },
};
