// Gradient cases: trigonometric and hyperbolic functions.
import { at, type Case, type Spread, secondOrder, values, values32 } from '../gradient-case.js';

const within: Spread = { from: -0.85, to: 0.85, kinks: [] };
const rows = [
  ['sin', values, {}],
  ['cos', values, {}],
  ['tan', values32, { from: -1.1, to: 1.1 }],
  ['asin', values32, within],
  ['acos', values32, within],
  ['atan', values32, {}],
  ['sinh', values32, {}],
  ['cosh', values32, {}],
  ['asinh', values32, {}],
  ['acosh', values32, { from: 1.4, to: 3, kinks: [] }],
  ['atanh', values32, within],
] as const;

const cases = rows.flatMap(([op, make, spread]): Case[] =>
  [[3, 4], []].map((dims) => ({
    name: `${op} ${JSON.stringify(dims)}`,
    inputs: [make(dims, spread)],
    build: (g, x) => g[op](at(x)),
  })),
);
const smooth = (['sin', 'cos'] as const).map(
  (op): Case => secondOrder({ name: op, inputs: [values([2, 3])], build: (g, x) => g[op](at(x)) }),
);

export const trigonometryCases: readonly Case[] = [...cases, ...smooth];
