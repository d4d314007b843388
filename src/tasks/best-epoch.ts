// The epoch of a training that was the best: by what it watched, else by the loss. Where it stopped early, that is the epoch whose weights are kept.
import { type MeasureName, measureNames } from '../model/heads/measure-names.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { watched } from '../train/early-stopping.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { isJsonObject } from '../workspace/json.js';

/** The loss, or a measure. */
export type Followed = 'loss' | MeasureName;
/** All of them. */
export const followedNames: readonly Followed[] = ['loss', ...measureNames];

/** The name in full; `loss` where it is none. */
export const followedBy = (monitor: unknown): Followed =>
  monitor === 'f1' ? 'macro f1' : monitor === 'auc' ? 'macro auc' : (followedNames.find((name) => name === monitor) ?? 'loss');

/** What the training that a record tells of watched; undefined where it did not stop early. */
export function monitorOf({ data }: ColumnRecord): Followed | undefined {
  const stop = isJsonObject(data.train) ? data.train.early_stopping : undefined;
  return isJsonObject(stop) ? followedBy(stop.monitor) : undefined;
}

/** The best epoch by what was watched on the validation data, else by the loss of the training data. Undefined where there is nothing to choose from. */
export function bestEpoch(
  history: readonly EpochRecord[],
  monitor: Followed,
): { readonly epoch: number; readonly by: string } | undefined {
  const values = history.map(({ epoch, loss, validation }) => {
    const has = validation !== undefined && (monitor === 'loss' || validation.measures?.[monitor] !== undefined);
    const by = has ? monitor : 'loss';
    return { epoch, value: validation === undefined ? loss : watched(by, validation), by };
  });
  const [first] = values;
  if (first === undefined || history.length < 2) return undefined;
  const best = values.reduce((a, b) => (b.value < a.value ? b : a));
  return { epoch: best.epoch, by: `${history[0]?.validation === undefined ? 'training' : 'validation'} ${best.by}` };
}
