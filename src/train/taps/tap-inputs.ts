// The inputs by which a step reads what frozen columns feed to a column's laterals: what an adapter joins is one input, kept joined, so that a
// minibatch is one Gather; other taps are inputs of their own.

import type { Description } from '../../model/description/description.js';
import { sourcesOf, type TapRef, tapsRead } from '../../model/progressive/lowering.js';
import { type ColumnParameters, columnParameters } from '../../model/progressive/parameters.js';
import { must } from '../../onnx/core/errors.js';

export interface TapInput {
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

/** Shapes of taps; lowering a column to see them takes a while where many stand before it. */
const shapes = new WeakMap<Description, Map<number, ColumnParameters['taps']>>();

function shapeOf(description: Description, { column, block }: TapRef): readonly number[] {
  const known = shapes.get(description) ?? new Map<number, ColumnParameters['taps']>();
  shapes.set(description, known);
  const taps = known.get(column) ?? columnParameters(description, column).taps;
  known.set(column, taps);
  return must(taps[block], 'tap');
}

/** What the adapter into a block joins; undefined where there is none, or where sources do not fit side by side. */
export function joinedInput(description: Description, column: number, block: number): TapInput | undefined {
  const { laterals } = must(description.columns[column], `column ${column}`);
  if (laterals.kind !== 'adapter') return undefined;
  const refs = sourcesOf(description, column, block);
  const found = refs.map((ref) => shapeOf(description, ref));
  const [first = []] = found;
  // Axis 1 is the channels; the rest must agree.
  if (first.length === 0 || found.some((shape) => shape.slice(1).join() !== first.slice(1).join())) return undefined;
  const widths = found.map(([width = 1]) => width);
  const shape = [widths.reduce((a, b) => a + b, 0), ...first.slice(1)];
  return { name: `step/taps/${block}`, refs, widths, shape, block };
}

/** The taps that a column reads, by input. */
export function tapInputs(description: Description, column: number): TapInput[] {
  const { blocks } = must(description.columns[column], `column ${column}`);
  const joined: TapInput[] = [];
  const apart = new Set<string>();
  for (let block = 1; block <= blocks.length; block++) {
    const input = joinedInput(description, column, block);
    if (input !== undefined) joined.push(input);
    else for (const ref of sourcesOf(description, column, block)) apart.add(keyOf(ref));
  }
  const single = tapsRead(description, column).filter((ref) => apart.has(keyOf(ref)));
  return [
    ...joined,
    ...single.map((ref) => {
      const shape = shapeOf(description, ref);
      return { name: `step/tap/${keyOf(ref)}`, refs: [ref], widths: [shape[0] ?? 1], shape };
    }),
  ];
}

const keyOf = (ref: TapRef): string => `${ref.column}/${ref.block}`;

/** For a lowering: what it is to take from these inputs, each a value from `read`. */
export function tapOptions<V>(inputs: readonly TapInput[], read: (input: TapInput) => V) {
  const values = new Map(inputs.map((input) => [input, read(input)]));
  return {
    tap: (ref: TapRef): V | undefined => {
      const input = inputs.find((i) => i.block === undefined && i.refs.some((r) => keyOf(r) === keyOf(ref)));
      return input && values.get(input);
    },
    joined: (_column: number, block: number): { value: V; widths: readonly number[] } | undefined => {
      const input = inputs.find((i) => i.block === block);
      return input && { value: must(values.get(input), input.name), widths: input.widths };
    },
  };
}
