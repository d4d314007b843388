// The samples of test data that came with the page, as it keeps samples.
import { keptRows } from './input-shape.js';
import type { Loaded } from './state.js';

export interface TriedSample {
  readonly task: string;
  /** What it is by its label, in words. */
  readonly label: string;
  readonly row: Float32Array;
}

/** Of all tasks together; the more tasks, the fewer of each. */
const most = 12;

/** Those of tasks that the network has. */
export function triedSamples({ about, input }: Loaded): TriedSample[] {
  const each = Math.max(1, Math.floor(most / Math.max(1, about.size)));
  return [...about].flatMap(([task, { samples, labels = [] }]) => {
    if (samples === undefined || samples.size % input.size !== 0) return [];
    return keptRows(samples, input)
      .slice(0, each)
      .map((row, i): TriedSample => ({ task, label: labels[i] ?? '', row }));
  });
}
