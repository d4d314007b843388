// Matrix products and the determinant. Specification: onnx/docs/Operators.md, MatMul (numpy.matmul), Gemm, Det.
import { broadcastShapes, compatibleDim, type Dim, formatShape, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { sizesOf, typed } from '../rules/shape-like.js';

type MatmulOp = 'MatMul' | 'Gemm' | 'Det';

function sameDtypes(c: NodeContext): void {
  for (let i = 1; i < c.inputCount; i++) {
    if (c.has(i) && c.dtype(i) !== c.dtype(0)) c.fail(`dtypes differ, input 0 is ${c.dtype(0)}, input ${i} is ${c.dtype(i)}`);
  }
}

/** A vector on the left is a row, on the right a column; the axis added is taken away from the result. */
export function matMulShape(c: NodeContext, a: Shape | undefined, b: Shape | undefined): Dim[] | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.length === 0 || b.length === 0) return c.fail(`a scalar cannot be multiplied, A ${formatShape(a)}, B ${formatShape(b)}`);
  const inner = [a[a.length - 1] ?? null, b[Math.max(b.length - 2, 0)] ?? null] as const;
  if (!compatibleDim(...inner)) {
    return c.fail(`inner dimensions differ, A ${formatShape(a)}, B ${formatShape(b)}`, {
      expected: String(inner[0]),
      got: String(inner[1]),
    });
  }
  const rows = a.length > 1 ? [a[a.length - 2] ?? null] : [];
  const columns = b.length > 1 ? [b[b.length - 1] ?? null] : [];
  try {
    return [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), ...rows, ...columns];
  } catch (error) {
    return c.fail(`batch dimensions do not broadcast, A ${formatShape(a)}, B ${formatShape(b)}`, { cause: error });
  }
}

/** Swaps the last two axes. */
function transposed(g: Ops, v: Value, rank: number): Value {
  const perm = Array.from({ length: rank }, (_, i) => i);
  return g.transpose(v, { perm: [...perm.slice(0, -2), rank - 1, rank - 2] });
}

// Y = A B: dA = dY B^T, dB = A^T dY; summed over the batch axes along which A or B was broadcast
function matMulGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const ranks = [c.rank(0), c.rank(1)];
  const [ra, rb] = ranks;
  const [a, b, dy] = [c.x(0), c.x(1), c.dy()];
  if (ra === undefined && rb === 2) {
    // whatever its rank, A is rows
    const rows = (v: Value, columns: number) =>
      g.reshape(v, g.concat(g.ints([-1]), sizesOf(g, b, columns, columns + 1), { axis: 0 }));
    return [
      c.needs(0) ? typed(g.matMul(dy, g.transpose(b, { perm: [1, 0] })), a) : null,
      c.needs(1) ? g.gemm(rows(a, 0), rows(dy, 1), { transA: 1 }) : null,
    ];
  }
  if (ra === undefined || rb === undefined) return c.fail('the gradient needs inputs of known rank');
  if (ra === 2 && rb === 2) {
    return [c.needs(0) ? g.gemm(dy, b, { transB: 1 }) : null, c.needs(1) ? g.gemm(a, dy, { transA: 1 }) : null];
  }
  if (ra === 1 && rb === 1) return [c.needs(0) ? g.mul(dy, b) : null, c.needs(1) ? g.mul(dy, a) : null];
  if (ra === 1) {
    const row = g.unsqueeze(dy, [-2]);
    const da = () => g.squeeze(g.matMul(row, transposed(g, b, rb)), [-2]);
    return [c.needs(0) ? da() : null, c.needs(1) ? g.matMul(g.unsqueeze(a, [1]), row) : null];
  }
  if (rb === 1) {
    const column = g.unsqueeze(dy, [-1]);
    const db = () => g.squeeze(g.matMul(transposed(g, a, ra), column), [-1]);
    return [c.needs(0) ? g.matMul(column, g.unsqueeze(b, [0])) : null, c.needs(1) ? db() : null];
  }
  // a matrix shared by the whole batch: one product over all rows in place of one per batch element and a sum
  const shared = () => {
    const rows = (v: Value) => g.reshape(v, [-1, lastDim(c, v)]);
    return g.gemm(rows(a), rows(dy), { transA: 1 });
  };
  const knownColumns = typeof a.shape?.at(-1) === 'number' && typeof dy.shape?.at(-1) === 'number';
  const db = () => (rb === 2 && knownColumns ? shared() : g.matMul(transposed(g, a, ra), dy));
  return [c.needs(0) ? g.matMul(dy, transposed(g, b, rb)) : null, c.needs(1) ? db() : null];
}

function lastDim(c: NodeContext, v: Value): number {
  const d = v.shape?.at(-1);
  return typeof d === 'number' ? d : c.fail('internal: a static last dimension was promised');
}

function gemmShape(c: NodeContext): Dim[] {
  const [a, b] = [c.shape(0) ?? [null, null], c.shape(1) ?? [null, null]];
  if (a.length !== 2 || b.length !== 2) return c.fail(`A and B must be matrices, A ${formatShape(a)}, B ${formatShape(b)}`);
  const [transA, transB] = [c.int('transA'), c.int('transB')];
  const [n = null, k = null] = transA ? [a[1], a[0]] : a;
  const [l = null, m = null] = transB ? [b[1], b[0]] : b;
  if (!compatibleDim(k, l)) {
    const how = [transA ? 'transA' : '', transB ? 'transB' : ''].filter((s) => s !== '').join(', ');
    return c.fail(`inner dimensions differ, A ${formatShape(a)}, B ${formatShape(b)}${how === '' ? '' : ` (${how})`}`, {
      expected: String(k),
      got: String(l),
    });
  }
  const bias = c.has(2) ? c.shape(2) : undefined;
  if (bias !== undefined) {
    const fits = bias.length <= 2 && bias.every((d, i) => d === 1 || compatibleDim(d, [n, m][2 - bias.length + i] ?? null));
    if (!fits) return c.fail(`C ${formatShape(bias)} does not broadcast to ${formatShape([n, m])}`);
  }
  return [n, m];
}

// Y = alpha A' B' + beta C, where A' is A or A^T: dA' = alpha dY B'^T, dB' = alpha A'^T dY, dC = beta dY
function gemmGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const alpha = c.float('alpha');
  const beta = c.float('beta');
  const [transA, transB] = [c.int('transA'), c.int('transB')];
  const [a, b, dy] = [c.x(0), c.x(1), c.dy()];
  const product = (x: Value, y: Value, ta: number, tb: number) =>
    g.gemm(x, y, { alpha: alpha === 1 ? undefined : alpha, transA: ta || undefined, transB: tb || undefined });
  const da = () => (transA ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB));
  const db = () => (transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0));
  return [c.needs(0) ? da() : null, c.needs(1) ? db() : null, c.needs(2) ? (beta === 1 ? dy : g.mul(dy, beta)) : null];
}

// d det / dx_ij is the cofactor (-1)^(i+j) det(x without row i and column j), for singular matrices too
function detGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const x = c.x(0);
  const n = x.shape?.at(-1);
  if (typeof n !== 'number') return c.fail('the gradient needs matrices of known size');
  const dy = g.unsqueeze(c.dy(), [-2, -1]);
  if (n === 1) return [dy];
  c.bounded('constant', n * n, `the gradient of a matrix of ${n} by ${n}`);
  const without = Array.from({ length: n }, (_, i) => Array.from({ length: n - 1 }, (_, k) => (k < i ? k : k + 1))).flat();
  const index = g.constant(Tensor.from('int64', without, [n, n - 1]));
  const rank = x.shape?.length ?? 2;
  // [..., n, n - 1, n, n - 1]: rows without i, columns without j
  const minors = g.gather(g.gather(x, index, { axis: rank - 2 }), index, { axis: rank });
  const lead = Array.from({ length: rank - 2 }, (_, i) => i);
  const square = g.transpose(minors, { perm: [...lead, rank - 2, rank, rank - 1, rank + 1] });
  const signs = Array.from({ length: n * n }, (_, i) => (((i % n) + Math.floor(i / n)) % 2 === 0 ? 1 : -1));
  const cofactors = g.mul(g.det(square), g.constant(Tensor.from(x.dtype, signs, [n, n])));
  return [g.mul(dy, cofactors)];
}

export const matmul: Readonly<Record<MatmulOp, OpRules>> = {
  MatMul: {
    traits: ['half'],
    infer: (c) => {
      sameDtypes(c);
      return [c.like(0, matMulShape(c, c.shape(0), c.shape(1)))];
    },
    gradient: matMulGradient,
  },
  Gemm: {
    traits: ['half'],
    infer: (c) => {
      sameDtypes(c);
      return [c.like(0, gemmShape(c))];
    },
    gradient: gemmGradient,
  },
  Det: {
    infer: (c) => {
      const shape = c.shape(0);
      if (shape === undefined) return [tensorType(c.dtype(0))];
      const [rows = null, columns = null] = shape.slice(-2);
      if (shape.length < 2 || !compatibleDim(rows, columns))
        c.fail(`the input must be square matrices, it is ${formatShape(shape)}`);
      return [c.like(0, shape.slice(0, -2))];
    },
    gradient: detGradient,
  },
};
