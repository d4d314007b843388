// What taps side by side are made of: pieces of tensors that are there already, and taps that are still to be computed.
import type { TapRef } from '../../model/progressive/column.js';

/** A tensor that holds taps, as an input of the tap graph. */
export interface KnownTaps {
  /** The input by which a graph takes them. */
  readonly name: string;
  /** Of a sample. */
  readonly shape: readonly number[];
  /** Where a tap stands along axis 1; undefined: not in here. */
  readonly place: (ref: TapRef) => { readonly at: number; readonly width: number } | undefined;
}

/** Neighbours along axis 1: from `at` of `source`, or, without one, of a single tap that is to be computed. */
export interface Piece<K extends KnownTaps> {
  readonly ref: TapRef;
  readonly source?: K;
  readonly at: number;
  readonly width: number;
}

/** The pieces of `refs`, of those widths, in order; what stands side by side in one tensor is one piece. */
export function piecesOf<K extends KnownTaps>(
  refs: readonly TapRef[],
  widths: readonly number[],
  known: readonly K[],
): Piece<K>[] {
  const pieces: Piece<K>[] = [];
  refs.forEach((ref, i) => {
    const before = pieces.at(-1);
    const next = before && before.at + before.width;
    const places = known.flatMap((source) => {
      const place = source.place(ref);
      return place === undefined ? [] : [{ ref, source, ...place }];
    });
    const joining = places.find((p) => p.source === before?.source && p.at === next);
    if (before !== undefined && joining !== undefined) {
      pieces[pieces.length - 1] = { ...before, width: before.width + joining.width };
    } else pieces.push(places[0] ?? { ref, at: 0, width: widths[i] ?? 1 });
  });
  return pieces;
}

/** True when a piece is a whole tensor. */
export const isWhole = <K extends KnownTaps>({ source, at, width }: Piece<K>): boolean => at === 0 && width === source?.shape[0];
