// The range of a value over calibration data: its extremes, or with the outliers cut off at a percentile on each side.
import { UsageError } from '../core/errors.js';
import type { Range } from './integers.js';

const bins = 4096;

export class RangeObserver {
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private histogram: Float64Array | undefined;
  private count = 0;

  constructor(readonly name: string) {}

  /** First pass. Throws UsageError for numbers that are not finite. */
  see(values: Float32Array): void {
    for (const v of values) {
      if (v < this.min) this.min = v;
      if (v > this.max) this.max = v;
      if (!Number.isFinite(v))
        throw new UsageError(`value "${this.name}" is ${v} on the calibration data, expected finite numbers`);
    }
  }

  /** Second pass, over the same values: how often which. */
  tally(values: Float32Array): void {
    this.histogram ??= new Float64Array(bins);
    const step = bins / (this.max - this.min || 1);
    for (const v of values) {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor((v - this.min) * step)));
      this.histogram[bin] = (this.histogram[bin] ?? 0) + 1;
    }
    this.count += values.length;
  }

  get range(): Range {
    return { min: this.min, max: this.max };
  }

  /** The range without the share `1 - percentile / 100` of the values, half of it at each end. */
  percentile(percentile: number): Range {
    const { histogram, count } = this;
    if (histogram === undefined) return this.range;
    const cut = (count * (1 - percentile / 100)) / 2;
    const width = (this.max - this.min) / bins;
    let [low, below] = [0, histogram[0] ?? 0];
    while (below < cut && low < bins - 1) below += histogram[++low] ?? 0;
    let [high, above] = [bins - 1, histogram[bins - 1] ?? 0];
    while (above < cut && high > low) above += histogram[--high] ?? 0;
    return { min: this.min + low * width, max: this.min + (high + 1) * width };
  }
}
