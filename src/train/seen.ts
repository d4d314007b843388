// The values that a column's training data had, and what is asked of it later beside them: numbers far from all that it saw are told, and bytes
// where it takes them divided by 255 are refused.
import { type Rows, rowBytes, runsOf } from '../data/rows.js';
import type { SampleRows } from '../data/samples.js';
import { hasCategories } from '../model/description/features.js';
import type { Column } from '../model/progressive/column.js';
import type { Seen } from '../model/progressive/facts.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import { DataError } from '../onnx/core/errors.js';
import { far, type Range, Ranges, spoken, withinUnit } from './ranges.js';

/** Wider samples have one range for all of their numbers. */
const widest = 1024;
/** Rows on disk that are looked at together. */
const runBytes = 2 ** 24;

/** Of data that fit the network; inputs of bytes that stay bytes and of token ids have none, since they can be no others. */
export function seenOf(samples: SampleRows, inputs: readonly NetworkInput[]): Record<string, Seen> {
  const found = inputs.flatMap(({ name, dtype, features }): [string, Seen][] => {
    const tensor = samples[name];
    if (tensor === undefined || dtype !== 'float32') return [];
    if (tensor.dtype === 'uint8') return [[name, { range: [0, 1], unit: 'byte / 255' }]];
    const width = tensor.dims.length === 2 && (tensor.dims[1] ?? 0) <= widest ? (tensor.dims[1] ?? 1) : 1;
    const each = rangesOf(tensor, width);
    if (width === 1) return [[name, each[0] == null ? {} : { range: each[0] }]];
    const taken = hasCategories(features) ? each.map((r, i) => (features[i]?.categories === undefined ? r : null)) : each;
    return [[name, { each: taken }]];
  });
  return Object.fromEntries(found);
}

/** Of every `width`-th value. */
function rangesOf(rows: Rows, width: number): (Range | null)[] {
  return addRows(new Ranges(width), rows).found();
}

function addRows(ranges: Ranges, rows: Rows): Ranges {
  for (const { part } of runsOf(rows, Math.max(1, Math.floor(runBytes / rowBytes(rows))))) ranges.add(part.data as Float32Array);
  return ranges;
}

/** The float32 input whose data are bytes: exported models take something else there than the data are. */
export function inputOfBytes(samples: SampleRows, { inputs }: Column): string | undefined {
  return inputs.find(({ name, dtype }) => dtype === 'float32' && samples[name]?.dtype === 'uint8')?.name;
}

/** Samples beside what a training saw, over as many parts as come. */
export class BesideSeen {
  private readonly found = new Map<string, Ranges>();

  constructor(
    private readonly inputs: readonly Pick<NetworkInput, 'name' | 'features'>[],
    private readonly seen: Readonly<Record<string, Seen>>,
    private readonly where: string,
  ) {}

  /**
   * Samples that follow those before.
   * @throws DataError for numbers as of bytes where the model takes bytes divided by 255, and for bytes where it does not
   */
  add(samples: SampleRows): this {
    for (const { name } of this.inputs) {
      const tensor = samples[name];
      const { range, unit, each } = this.seen[name] ?? {};
      const every = (each ?? [range]).filter((r) => r != null);
      if (tensor === undefined || every.length === 0) continue;
      if (tensor.dtype === 'uint8') {
        if (unit === undefined) refuseBytes(every, name, this.where);
        continue;
      }
      const width = each?.length ?? 1;
      if (each !== undefined && tensor.dims[1] !== width) continue;
      const ranges = this.found.get(name) ?? new Ranges(width);
      addRows(ranges, tensor);
      this.found.set(name, ranges);
      if (unit !== undefined) this.refuseScale(name);
    }
    return this;
  }

  /** Which values are far from those of the training, further than their range is wide. */
  lines(): string[] {
    return this.inputs.flatMap(({ name, features }) => {
      const each = this.seen[name]?.each;
      return this.beyond(name).map(({ place, now, before }) => {
        const called = features?.[place]?.name ?? (each === undefined ? name : `number ${place} of ${name}`);
        return `${this.where}: ${called} is ${now}, in training it was ${before}`;
      });
    });
  }

  private refuseScale(name: string): void {
    const [found] = this.beyond(name);
    if (found === undefined) return;
    const expected = 'bytes (uint8), or their values divided by 255';
    throw new DataError(`${this.where}: ${name} is ${found.now}, and the model takes 0 to 1; expected ${expected}`, {
      path: this.where,
      expected,
      got: found.now,
    });
  }

  private beyond(name: string): { readonly place: number; readonly now: string; readonly before: string }[] {
    const { range, each } = this.seen[name] ?? {};
    return (this.found.get(name)?.found() ?? []).flatMap((found, place) => {
      const known = each === undefined ? range : each[place];
      if (known == null || found === null || !far(found, known)) return [];
      return [{ place, now: spoken(found), before: spoken(known) }];
    });
  }
}

/** What is told of samples that are all there. Throws as `BesideSeen`. */
export function besideSeen(
  samples: SampleRows,
  inputs: readonly Pick<NetworkInput, 'name' | 'features'>[],
  seen: Readonly<Record<string, Seen>>,
  where: string,
): string[] {
  return new BesideSeen(inputs, seen, where).add(samples).lines();
}

/** Bytes are divided by 255 on the way to a network of float32, which is right for one that was trained on values 0 to 1 alone. */
function refuseBytes(seen: readonly Range[], name: string, where: string): void {
  if (withinUnit(seen)) return;
  const all: Range = [Math.min(...seen.map(([l]) => l)), Math.max(...seen.map(([, h]) => h))];
  const expected = `float32, in training it was ${spoken(all)}`;
  throw new DataError(`${where}: ${name} is uint8, which is divided by 255; expected ${expected}`, {
    path: where,
    expected,
    got: 'uint8',
  });
}
