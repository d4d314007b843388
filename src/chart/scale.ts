// Numbers to places on a drawing: ticks that read well, and lines through points. No picture of its own.

/** Where an axis has its marks, from one end of what is shown to the other. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** 0 at `from`, 1 at `to`. */
  readonly at: (value: number) => number;
}

/** A step of 1, 2 or 5 times a power of ten, so that about `count` of them fill a range. */
function niceStep(range: number, count: number): number {
  const rough = range / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/** An even scale around these values, ends on marks. One value alone stands in the middle. */
export function evenScale(values: readonly number[], count = 4): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, to] = high > low ? [low, high] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const step = niceStep(to - from, count);
  const [first, last] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  const [start, end] = [first * step, last * step];
  return { from: start, to: end, ticks, at: (value) => (value - start) / (end - start) };
}

/** A logarithmic scale around values above 0, its ends at 1, 2 or 5 times powers of ten, as are its marks; over many powers these alone. */
export function logScale(values: readonly number[]): Scale {
  const [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const all: number[] = [];
  for (let power = Math.floor(low) - 1; power <= Math.ceil(high); power++)
    for (const part of [1, 2, 5]) all.push(Number((part * 10 ** power).toPrecision(12)));
  const start = all.filter((t) => Math.log10(t) <= low + 1e-9).at(-1) ?? 10 ** low;
  const end = all.find((t) => Math.log10(t) >= high - 1e-9 && t > start) ?? 10 * 10 ** high;
  const many = high - low > 1.5;
  const ticks = all.filter((t) => t >= start && t <= end && (!many || Number.isInteger(Number(Math.log10(t).toFixed(9)))));
  const [a, b] = [Math.log10(start), Math.log10(end)];
  return { from: start, to: end, ticks, at: (value) => (Math.log10(value) - a) / (b - a) };
}

/** Whole numbers from 1 to `last`, so that about `count` of them are marked, the last always. */
export function wholeTicks(last: number, count: number): readonly number[] {
  const step = Math.max(1, niceStep(last, count));
  const ticks = [1];
  for (let tick = step; tick <= last; tick += step) if (tick > 1) ticks.push(tick);
  if (ticks.at(-1) === last) return ticks;
  // Two labels do not stand on one another.
  if (ticks.length > 1 && last - (ticks.at(-1) ?? 0) < step / 2) ticks.pop();
  return [...ticks, last];
}

/** The path of a line through points, in units of the drawing. A value that is no number parts it. */
export function linePath(points: readonly (readonly [number, number])[]): string {
  let begun = false;
  return points
    .flatMap(([x, y]) => {
      const fits = Number.isFinite(x) && Number.isFinite(y);
      const text = fits ? [`${begun ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`] : [];
      begun = fits;
      return text;
    })
    .join(' ');
}
