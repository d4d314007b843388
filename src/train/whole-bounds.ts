// What the whole numbers of an input may be, as the layers say that read it: ids of an embedding, and how many steps of a sequence there are. Exported models
// fail at others, or take them for something else.
import { formatIndex } from '../formats/data-error.js';
import { sizeIn } from '../model/nn/open-size.js';
import type { Column } from '../model/progressive/column.js';
import type { Sizes } from '../model/progressive/open-inputs.js';
import { DataError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** From 0 to `most`. */
interface Bound {
  readonly input: string;
  readonly most: number;
  /** What the numbers are. */
  readonly what: string;
}

/** What the numbers of an input may be, by its name, of samples whose open sizes are these. */
export function boundsOf(column: Column, sizes: Sizes): (input: string) => readonly Bound[] {
  const all = [column, ...column.foundation].flatMap((reader) => [...ids(reader), ...counts(reader, sizes)]);
  return (input) => all.filter((bound) => bound.input === input);
}

function ids({ reads: [read], blocks }: Column): Bound[] {
  const layer = blocks[0]?.[0];
  if (read === undefined || read.steps.length > 0 || layer?.kind !== 'embedding' || layer.vocabulary === undefined) return [];
  return [{ input: read.input.name, most: layer.vocabulary - 1, what: 'an id below "vocabulary"' }];
}

const counts = ({ parameters }: Column, sizes: Sizes): Bound[] =>
  parameters.counts.flatMap(({ input, steps }) => {
    const most = sizeIn(steps, sizes);
    return most === undefined ? [] : [{ input, most, what: 'how many steps a sample has' }];
  });

/** The most that the numbers of each input may be, told to those who read requests: a number, or the name of an open size. */
export function mostOf(column: Column): Readonly<Record<string, number | string>> {
  const readers = [column, ...column.foundation];
  const found = [
    ...readers.flatMap((reader) => ids(reader).map(({ input, most }) => [input, most] as const)),
    ...readers.flatMap(({ parameters }) => parameters.counts.map(({ input, steps }) => [input, steps] as const)),
  ];
  // Of several the least: an open size is as it comes.
  const sorted = found.sort(([, a], [, b]) => (typeof a === 'number' && typeof b === 'number' ? b - a : 0));
  return Object.fromEntries(sorted);
}

/** Throws DataError for the first number that is beyond. @param first the number of the first row, where they are a part of others */
export function refuseBeyond({ data, dims }: Tensor, bounds: readonly Bound[], where: string, first: number): void {
  for (const { input, most, what } of bounds) {
    // Not through a list of numbers: data are large.
    let bad = 0;
    while (bad < data.length && Number(data[bad]) >= 0 && Number(data[bad]) <= most) bad++;
    if (bad === data.length) continue;
    const [expected, got] = [`${what}, 0..${most}`, `${data[bad]}`];
    const at = formatIndex(first * elementCount(dims.slice(1)) + bad, dims);
    throw new DataError(`${where}: input "${input}" holds ${got} at ${at}, expected ${expected}`, { path: where, expected, got });
  }
}
