// When a training ends before its last epoch: what is watched, and whether an epoch is the best so far.
import { type Head, headWidth, leading } from '../model/heads/heads.js';
import { type MeasureName, type Monitor, measureNamed, measuresFor, rises } from '../model/heads/measure-names.js';
import { TrainingError, UsageError } from '../onnx/core/errors.js';
import type { ValidationRecord } from './checkpoint.js';

/** Throws UsageError for a measure that a head does not have. */
export function checkMonitor(head: Head, monitor: Monitor): void {
  if (monitor === 'loss') return;
  const name = measureNamed(monitor);
  const known = measuresFor(head).filter((m) => m !== 'top 5 accuracy' || headWidth(leading(head)) > 5);
  if (known.includes(name)) return;
  const expected = ['loss', ...known].join(', ');
  throw new UsageError(
    `train: monitor is "${monitor}", which a head ${leading(head).kind} does not have, expected one of ${expected}`,
    {
      path: 'monitor',
      expected,
      got: monitor,
    },
  );
}

/** What is watched of an epoch, turned so that smaller is better. Throws TrainingError where the validation data do not give it. */
export function watched(monitor: Monitor, { loss, measures = {} }: ValidationRecord): number {
  if (monitor === 'loss') return loss;
  const name: MeasureName = measureNamed(monitor);
  const value = measures[name];
  if (value === undefined)
    throw new TrainingError(`"${name}" is watched, which the validation data do not give: one class or one value alone`, {
      path: 'monitor',
      got: monitor,
    });
  return rises(name) ? -value : value;
}
