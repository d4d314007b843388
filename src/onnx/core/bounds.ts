// The most that a file may ask for by an attribute, a constant or a declared size: every allocation and every loop whose length comes from there
// asks here first. What is beyond is computed at run time where ops can, else refused in one line. No real model comes near, but for windows.
import { ShapeError } from './errors.js';

const kinds = {
  /** Axes of a tensor, which is where NumPy ends as well. */
  axes: { most: 64, noun: 'axes' },
  /** Elements of a tensor: sizes are exact up to there. */
  size: { most: Number.MAX_SAFE_INTEGER, noun: 'elements' },
  /** Elements of a constant that a gradient rule or a pass computes. */
  constant: { most: 2 ** 20, noun: 'elements of a constant' },
  /** Elements of the windows of a convolution as an index; a convolution of 1024 by 1024 by a kernel of 2 by 2 has as many. */
  windows: { most: 2 ** 22, noun: 'elements of windows' },
  /** Nodes that one node becomes. */
  nodes: { most: 1024, noun: 'nodes' },
  /** Nodes of a model whose functions and sequences are written out. */
  written: { most: 2 ** 16, noun: 'nodes' },
} as const;

export type Bound = keyof typeof kinds;

/** Whether a count is a whole number from 0 to the bound. */
export function within(bound: Bound, count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= kinds[bound].most;
}

/** What a message says of a count beyond the bound: `100000000 axes, at most 64`. */
export function beyond(bound: Bound, count: number): string {
  const { most, noun } = kinds[bound];
  return `${count} ${noun}, expected 0 to ${most}`;
}

/** The count itself. Throws ShapeError `what: 100000000 axes, expected 0 to 64` where it is not within the bound. */
export function bounded(bound: Bound, count: number, what: string): number {
  if (within(bound, count)) return count;
  throw new ShapeError(`${what}: ${beyond(bound, count)}`, { expected: `0 to ${kinds[bound].most}`, got: String(count) });
}
