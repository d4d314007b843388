// Ranges of numbers beside those of a training: plain arrays in, so that a server takes the same code (serve/samples/ranges.ts).

/** The least and the largest of some numbers. */
export type Range = readonly [number, number];

/** The least and the largest of every `width`-th value, missing ones aside, over as many parts as come. */
export class Ranges {
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  constructor(private readonly width: number) {
    this.low = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
    this.high = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  }

  /** Whole rows. */
  add(values: ArrayLike<number>): this {
    const { low, high, width } = this;
    for (let i = 0, place = 0; i < values.length; i++, place = place + 1 === width ? 0 : place + 1) {
      const v = values[i] as number;
      if (v < (low[place] as number)) low[place] = v;
      if (v > (high[place] as number)) high[place] = v;
    }
    return this;
  }

  /** To six digits; null where there was no value. */
  found(): (Range | null)[] {
    const rounded = (v: number) => Number(v.toPrecision(6));
    return Array.from(this.low, (v, i) =>
      v === Number.POSITIVE_INFINITY ? null : [rounded(v), rounded(this.high[i] as number)],
    );
  }
}

/** Whether a range reaches further beyond another than that one is wide. */
export function far([low, high]: Range, [least, most]: Range): boolean {
  const width = most - least || Math.abs(most) || 1;
  return low < least - width || high > most + width;
}

/** Whether bytes divided by 255 are what was seen: all within 0 to 1. */
export const withinUnit = (ranges: readonly Range[]): boolean => ranges.every(([low, high]) => low >= 0 && high <= 1);

/** `18 to 80`, `5`. */
export const spoken = ([low, high]: Range): string => (low === high ? `${low}` : `${low} to ${high}`);
