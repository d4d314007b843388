// Shapes with symbolic dimensions: a number is known, a string is a named symbol (`N`), null is unknown.
import { ShapeError } from './errors.js';

/** A size, the name of an open dimension, or null where nothing is known. */
export type Dim = number | string | null;
/** A shape of known rank. An unknown rank is `undefined` wherever a shape may be absent. */
export type Shape = readonly Dim[];

/** `[N, 3, ?]` */
export function formatShape(shape: Shape | undefined): string {
  return shape === undefined ? '[...]' : `[${shape.map((d) => d ?? '?').join(',')}]`;
}

/** Number of elements of a static shape. */
export function elementCount(dims: readonly number[]): number {
  let n = 1;
  for (const d of dims) n *= d;
  // sizes may overflow before a size of 0
  return Number.isNaN(n) && dims.includes(0) ? 0 : n;
}

export function isStatic(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every((d) => typeof d === 'number') ?? false;
}

/** True when both are certainly the same: equal numbers or the same symbol, of the same rank. */
export function sameShape(a: Shape | undefined, b: Shape | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((d, i) => d !== null && d === b[i]);
}

/** True when two dimensions may be equal at run time. */
export function compatibleDim(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a === b;
}

/** What is known of a dimension from two statements about it. Throws when both are known and differ. */
export function mergeDim(a: Dim, b: Dim): Dim {
  if (!compatibleDim(a, b)) throw new ShapeError(`dimensions differ, ${a} and ${b}`, { expected: String(a), got: String(b) });
  return typeof a === 'number' ? a : typeof b === 'number' ? b : (a ?? b);
}

/** Axis counted from the end when negative, checked against the rank. */
export function normaliseAxis(axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ShapeError(`axis ${axis} is out of range for rank ${rank}`, {
      expected: rank === 0 ? 'rank 1 or more' : `-${rank}..${rank - 1}`,
      got: String(axis),
    });
  }
  return a;
}

/**
 * Multidirectional broadcast (ONNX Broadcasting.md). A symbol against 1 gives the symbol, a symbol against a number > 1 gives the number,
 * two different symbols give null.
 */
export function broadcastShapes(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const da = a.length - rank + i >= 0 ? (a[a.length - rank + i] ?? null) : 1;
    const db = b.length - rank + i >= 0 ? (b[b.length - rank + i] ?? null) : 1;
    if (da === db) out.push(da);
    else if (da === 1) out.push(db);
    else if (db === 1) out.push(da);
    else if (typeof da === 'number' && typeof db === 'number') {
      throw new ShapeError(`shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`, {
        expected: formatShape(a),
        got: formatShape(b),
      });
    } else out.push(typeof da === 'number' ? da : typeof db === 'number' ? db : null);
  }
  return out;
}

/** Product of dimensions when all are known. */
export function product(dims: Shape): number | null {
  let n = 1;
  for (const d of dims) {
    if (typeof d !== 'number') return null;
    n *= d;
  }
  return n;
}
