// Where earlier columns flow into a task: for each block that laterals join, the taps that meet there.

import type { Column, TapRef } from '../model/progressive/column.js';
import { must } from '../onnx/core/errors.js';

/** The taps that meet before a block. */
export interface Joint {
  /** The block that reads them; the number of the column's blocks stands for the head. */
  readonly into: number;
  /** The column's own tap first, where it has a block before, then those of earlier columns. */
  readonly taps: readonly TapRef[];
}

/** Every place where a column takes something of earlier columns, in the order of its blocks. */
export function jointsOf(column: Column): Joint[] {
  return column.receiving.map((into) => {
    const own = into > 0 ? [{ column, block: into - 1 }] : [];
    return { into, taps: [...own, ...column.sourcesInto(into)] };
  });
}

/** Every tap of these joints, each once. */
export function tapsIn(joints: readonly Joint[]): TapRef[] {
  return [...new Map(joints.flatMap(({ taps }) => taps.map((ref) => [tapKey(ref), ref] as const))).values()];
}

/** What tells a tap from all others. */
export const tapKey = ({ column, block }: TapRef): string => `${column.index}/${block}`;

/** A value for each tap, as `tapKey` names it. */
export const ofTap = <T>(values: ReadonlyMap<string, T>, ref: TapRef): T => must(values.get(tapKey(ref)), 'tap');
