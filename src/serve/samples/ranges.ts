// What is said of numbers beside those of the training, by training's own code.
import type { Seen } from '../../model/progressive/facts.js';
import { far, type Range, Ranges, spoken, withinUnit } from '../../train/ranges.js';
import type { Wrong } from './wrong.js';

/** Lines about numbers that are far off. `names` are those of the numbers of a row; `wrong` makes what the client is told of bytes. */
export function outside(values: ArrayLike<number>, seen: Seen | undefined, names: readonly string[], wrong: Wrong): string[] {
  const { range, unit, each } = seen ?? {};
  if (each === undefined && range === undefined) return [];
  const known: readonly (Range | null | undefined)[] = each ?? [range];
  return new Ranges(known.length)
    .add(values)
    .found()
    .flatMap((found, place) => {
      const then = known[place];
      if (then == null || found === null || !far(found, then)) return [];
      const now = `${names[place]} is ${spoken(found)}`;
      if (unit !== undefined)
        throw wrong(`${now}, and the model takes 0 to 1: expected bytes divided by 255, or a .npy of uint8`);
      return [`${now}, in training it was ${spoken(then)}`];
    });
}

/** Bytes are divided by 255 on the way to the model, which is wrong where it was trained on other numbers than 0 to 1. */
export function refuseBytes(seen: Seen | undefined, wrong: Wrong): void {
  const { range, unit, each } = seen ?? {};
  const known = (each ?? [range]).filter((r) => r != null);
  if (unit !== undefined || withinUnit(known)) return;
  throw wrong('found bytes (uint8), and the model was trained on other numbers than 0 to 1: expected float32');
}
