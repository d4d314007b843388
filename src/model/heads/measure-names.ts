// What answers are measured by, under the names that `eval`, trainings and descriptions have for it. How each is computed: train/measures.ts.
import { answersOf, type Head, leading, targetKind } from './heads.js';

/** What a head's answers are measured as. */
export type MeasuredAs = 'classes' | 'labels' | 'numbers';

/** A measure over all outputs of a head. */
export type MeasureName =
  | 'accuracy'
  | 'balanced accuracy'
  | 'macro f1'
  | 'macro auc'
  | 'top 5 accuracy'
  | 'calibration error'
  | 'mae'
  | 'rmse'
  | 'r2';

interface Row {
  readonly better: 'higher' | 'lower';
  readonly of: readonly MeasuredAs[];
}

const answers: readonly MeasuredAs[] = ['classes', 'labels'];
const table: Readonly<Record<MeasureName, Row>> = {
  accuracy: { better: 'higher', of: answers },
  'balanced accuracy': { better: 'higher', of: answers },
  'macro f1': { better: 'higher', of: answers },
  'macro auc': { better: 'higher', of: answers },
  'top 5 accuracy': { better: 'higher', of: ['classes'] },
  'calibration error': { better: 'lower', of: answers },
  mae: { better: 'lower', of: ['numbers'] },
  rmse: { better: 'lower', of: ['numbers'] },
  r2: { better: 'higher', of: ['numbers'] },
};
/** What may be watched: the loss, or a measure; `f1` and `auc` are the macro ones. */
export type Monitor = 'loss' | MeasureName | 'f1' | 'auc';

const rows = Object.entries(table) as [MeasureName, Row][];

/** Every measure, in the order in which they are told. */
export const measureNames: readonly MeasureName[] = rows.map(([name]) => name);
/** Every name that may be watched, as it may be written. */
export const monitorNames: readonly Monitor[] = ['loss', ...measureNames, 'f1', 'auc'];

/** What a head's answers are measured as, of several heads those of the first. */
export function measuredAs(head: Head): MeasuredAs {
  const first = leading(head);
  if (targetKind(first).of === 'classes') return 'classes';
  return answersOf(first)?.each === 'flags' ? 'labels' : 'numbers';
}

/** The measures that a head may have. A set of data may lack some: `top 5 accuracy` needs more than five classes, `macro auc` two that are met. */
export function measuresFor(head: Head): readonly MeasureName[] {
  const kind = measuredAs(head);
  return rows.filter(([, { of }]) => of.includes(kind)).map(([name]) => name);
}

/** The name in full. */
export function measureNamed(written: Exclude<Monitor, 'loss'>): MeasureName {
  return written === 'f1' ? 'macro f1' : written === 'auc' ? 'macro auc' : written;
}

/** Whether a larger value is the better one. */
export function rises(name: MeasureName): boolean {
  return table[name].better === 'higher';
}
