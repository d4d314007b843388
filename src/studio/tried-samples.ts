// The samples of test data that came with the page, as it keeps samples.
import { fits, joinedRows, keptRows, ofSize, ofSizes, type SampleShape } from './input-shape.js';
import { wrongNumber } from './read-files.js';
import type { Loaded } from './state.js';

export interface TriedSample {
  readonly task: string;
  /** What it is by its label, in words. */
  readonly label: string;
  readonly row: Float32Array;
  /** What it is a sample of. */
  readonly sample: SampleShape;
}

/** Of all tasks together; the more tasks, the fewer of each. */
const most = 12;

/** Those of tasks that the network has. */
export function triedSamples({ about, sample, info }: Loaded): TriedSample[] {
  const each = Math.max(1, Math.floor(most / Math.max(1, about.size)));
  return [...about].flatMap(([task, { samples = [], labels = [] }]) => {
    const names = info.tasks.find((own) => own.task === task)?.inputs ?? [];
    const shapes = new Map(names.flatMap((name, i) => (samples[i] === undefined ? [] : [[name, samples[i].dims.slice(1)]])));
    const parts = names.flatMap((name, i): [string, Float32Array[]][] => {
      const [input, tensor, shape] = [sample.inputs.find((own) => own.name === name), samples[i], shapes.get(name)];
      if (input === undefined || tensor === undefined || shape === undefined || !fits(shape, input)) return [];
      const rows = keptRows(tensor, ofSize(input, shape)).slice(0, each);
      // Ids that the page cannot hold: it would ask about others.
      const others = rows.some((row) => row.some((v) => wrongNumber(v, input) !== undefined));
      return others ? [] : [[name, rows]];
    });
    if (parts.length < names.length) return [];
    const own = ofSizes(sample, shapes);
    return joinedRows(own, new Map(parts)).map((row, i): TriedSample => ({ task, label: labels[i] ?? '', row, sample: own }));
  });
}
