// Trigonometric and hyperbolic functions and their inverses. Specification: Operators.md.
import type { Value } from '../../ir/graph.js';
import type { GradientContext, OpRules } from '../op-def.js';
import { unary } from './elementwise.js';

type TrigonometryOp = 'Sin' | 'Cos' | 'Tan' | 'Asin' | 'Acos' | 'Atan' | 'Sinh' | 'Cosh' | 'Asinh' | 'Acosh' | 'Atanh';

const squared = (c: GradientContext): Value => c.g.mul(c.x(0), c.x(0));

export const trigonometry: Readonly<Record<TrigonometryOp, OpRules>> = {
  Sin: unary((c) => [c.g.mul(c.dy(), c.g.cos(c.x(0)))]),
  // cos' = -sin
  Cos: unary((c) => [c.g.neg(c.g.mul(c.dy(), c.g.sin(c.x(0))))]),
  // tan' = 1 + y^2
  Tan: unary((c) => [c.g.mul(c.dy(), c.g.add(1, c.g.mul(c.y(), c.y())))]),
  // asin' = 1 / sqrt(1 - x^2)
  Asin: unary((c) => [c.g.div(c.dy(), c.g.sqrt(c.g.sub(1, squared(c))))]),
  // acos' = -1 / sqrt(1 - x^2)
  Acos: unary((c) => [c.g.neg(c.g.div(c.dy(), c.g.sqrt(c.g.sub(1, squared(c)))))]),
  // atan' = 1 / (1 + x^2)
  Atan: unary((c) => [c.g.div(c.dy(), c.g.add(1, squared(c)))]),
  // sinh' = cosh
  Sinh: unary((c) => [c.g.mul(c.dy(), c.g.cosh(c.x(0)))]),
  // cosh' = sinh
  Cosh: unary((c) => [c.g.mul(c.dy(), c.g.sinh(c.x(0)))]),
  // asinh' = 1 / sqrt(x^2 + 1)
  Asinh: unary((c) => [c.g.div(c.dy(), c.g.sqrt(c.g.add(squared(c), 1)))]),
  // acosh' = 1 / sqrt(x^2 - 1)
  Acosh: unary((c) => [c.g.div(c.dy(), c.g.sqrt(c.g.sub(squared(c), 1)))]),
  // atanh' = 1 / (1 - x^2)
  Atanh: unary((c) => [c.g.div(c.dy(), c.g.sub(1, squared(c)))]),
};
