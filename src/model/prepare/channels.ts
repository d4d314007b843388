// Values of which each channel has one: of a flat sample each feature, else each place along its first axis.
import { ShapeError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { knownSize, type Size } from '../nn/open-size.js';
import type { Learning } from './step.js';

/** The shape that spreads one value for each channel over a sample: [3] over [3], [3, 1, 1] over [3, 8, 8]. */
export function channelShape(sample: readonly Size[]): number[] {
  return sample.map((_, i) => (i === 0 ? channelsOf(sample) : 1));
}

/** How many channels a sample has, whose first axis they are. Throws ShapeError where that is open. */
const channelsOf = ([first = 1]: readonly Size[]): number =>
  knownSize(first, 'and the first axis holds the channels', 'expected a known number of them, or { transpose: [...] } before it');

/** One value for each channel, from one for all or a list. Throws ShapeError for a list of another length. */
export function perChannel(option: string, given: number | readonly number[], sample: readonly Size[]): number[] {
  const channels = channelsOf(sample);
  if (typeof given === 'number') return new Array<number>(channels).fill(given);
  if (given.length === channels) return [...given];
  throw new ShapeError(`${option} has ${given.length} values, a sample [${sample}] has ${channels} channels`, {
    expected: `${channels} values`,
    got: `${given.length} values`,
  });
}

/** Calls `see` with each element and its channel. */
export function eachOfChannel(rows: Tensor, see: (channel: number, value: number) => void): void {
  const [, channels = 1, ...place] = rows.dims;
  const size = elementCount(place);
  let i = 0;
  for (const value of rows.data) see(Math.floor(i++ / size) % channels, Number(value));
}

/** Mean and variance (the population's) of each channel, by Welford's way; values that are not there are passed over. */
export class Moments {
  private readonly counts: Float64Array;
  readonly mean: Float64Array;
  private readonly squares: Float64Array;

  constructor(sample: readonly number[]) {
    const channels = sample[0] ?? 1;
    this.counts = new Float64Array(channels);
    this.mean = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  add(rows: Tensor): void {
    const { counts, mean, squares } = this;
    eachOfChannel(rows, (c, value) => {
      if (Number.isNaN(value)) return;
      const n = (counts[c] ?? 0) + 1;
      const before = mean[c] ?? 0;
      const now = before + (value - before) / n;
      counts[c] = n;
      mean[c] = now;
      squares[c] = (squares[c] ?? 0) + (value - before) * (value - now);
    });
  }

  get variance(): Float64Array {
    return this.squares.map((s, c) => s / Math.max(1, this.counts[c] ?? 0));
  }
}

/** What a step learns that asks for mean and deviation of each channel. */
export function learnMoments(
  sample: readonly number[],
  values: (moments: Moments) => Readonly<Record<string, ArrayLike<number>>>,
): Learning {
  const moments = new Moments(sample);
  return { add: (rows) => moments.add(rows), values: () => values(moments) };
}
