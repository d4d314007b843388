// What the loss of a column learns of its training data before the first step: numbers in place of "balanced". All that minimises or measures it
// afterwards has them as if they had been written.
import { balanceOf, outputLabels, toBalance, withBalance } from '../model/heads/heads.js';
import { type Column, columnsOf } from '../model/progressive/column.js';
import { must } from '../onnx/core/errors.js';
import type { TrainEvent } from './events.js';
import type { TrainData } from './request.js';

/** The numbers in place of "balanced", of the training part; undefined where the loss does not say so. Throws DataError where they have no such numbers. */
export function learnBalance({ head, task }: Column, { targets, classNames }: TrainData): readonly number[] | undefined {
  return toBalance(head) === undefined ? undefined : balanceOf(head, targets.numbers(), `task "${task}"`, classNames);
}

/** What was learned, as trainings tell it. */
export function balanceEvent({ head }: Column, balance: readonly number[], { classNames }: TrainData): TrainEvent {
  const names = outputLabels(head) ?? classNames;
  const numbers = balance.map((value, i) => ({ name: names?.[i] ?? String(i), value }));
  return { kind: 'balanced', option: must(toBalance(head), 'balanced'), numbers };
}

/** The column with these numbers in its loss; the column itself where there are none. */
export function withNumbers(column: Column, balance: readonly number[] | undefined): Column {
  if (balance === undefined) return column;
  const { task, network } = column;
  const head = withBalance(column.head, balance);
  const columns = network.description.columns.map((c) => (c.task === task ? { ...c, head } : c));
  return columnsOf({ ...network.description, columns }).column(task);
}
