// The inputs by which a step reads what frozen columns feed to a column's laterals: what an adapter joins is one input, kept joined, so that a
// minibatch is one Gather; other taps are inputs of their own.
import { layoutOf } from '../../model/nn/sample.js';
import type { Column, TapRef } from '../../model/progressive/column.js';
import { tapLayout } from '../../model/progressive/lowering.js';
import { boundShape } from '../../model/progressive/open-inputs.js';
import { must } from '../../onnx/core/errors.js';

/** An input of a step graph that takes taps. */
export interface TapInput {
  /** What it is called in the graph. */
  readonly name: string;
  /** What it holds: one tap, or the taps of an adapter's sources side by side along axis 1. */
  readonly refs: readonly TapRef[];
  /** What each tap takes of axis 1. */
  readonly widths: readonly number[];
  /** Of a sample. */
  readonly shape: readonly number[];
  /** The block whose adapter reads it; absent: a tap by itself. */
  readonly block?: number;
}

/** A tap by its column's place and its block's. */
export const tapKey = ({ column, block }: TapRef): string => `${column.index}/${block}`;

/** What the adapter into a block joins; undefined where there is none, or where sources do not fit side by side. */
export function joinedInput(column: Column, block: number): TapInput | undefined {
  if (column.laterals.kind !== 'adapter') return undefined;
  const refs = column.sourcesInto(block);
  const found = refs.map((ref) => boundShape(ref.column.tapShape(ref.block)));
  const [first = []] = found;
  // Axis 1 must be the channels of all; the rest must agree.
  if (first.length > 1 && refs.some((ref) => layoutOf(tapLayout(ref)) === 'channels-last')) return undefined;
  if (first.length === 0 || found.some((shape) => shape.slice(1).join() !== first.slice(1).join())) return undefined;
  const widths = found.map(([width = 1]) => width);
  const shape = [widths.reduce((a, b) => a + b, 0), ...first.slice(1)];
  return { name: `step/taps/${block}`, refs, widths, shape, block };
}

/** The taps that a column reads, by input. */
export function tapInputs(column: Column): TapInput[] {
  const joined: TapInput[] = [];
  const apart = new Set<string>();
  for (const block of column.receiving) {
    const input = joinedInput(column, block);
    if (input !== undefined) joined.push(input);
    else for (const ref of column.sourcesInto(block)) apart.add(tapKey(ref));
  }
  const single = column.tapsRead.filter((ref) => apart.has(tapKey(ref)));
  return [
    ...joined,
    ...single.map((ref) => {
      const shape = boundShape(ref.column.tapShape(ref.block));
      return { name: `step/tap/${tapKey(ref)}`, refs: [ref], widths: [shape[0] ?? 1], shape };
    }),
  ];
}

/** For a lowering: what it is to take from these inputs, each a value from `read`. */
export function tapOptions<V>(inputs: readonly TapInput[], read: (input: TapInput) => V) {
  const values = new Map(inputs.map((input) => [input, read(input)]));
  return {
    tap: (ref: TapRef): V | undefined => {
      const input = inputs.find((i) => i.block === undefined && i.refs.some((r) => tapKey(r) === tapKey(ref)));
      return input && values.get(input);
    },
    joined: (_column: Column, block: number): { value: V; widths: readonly number[] } | undefined => {
      const input = inputs.find((i) => i.block === block);
      return input && { value: must(values.get(input), input.name), widths: input.widths };
    },
  };
}
