// What trainings and freezings ended with, as a table or a document.
import type { EarlierTask } from '../tasks/earlier-tasks.js';
import type { TrainedTask } from '../tasks/train-task.js';
import { type GlobalOptions, result, table } from './report.js';

function earlierText(earlier: readonly EarlierTask[]): string {
  const words = (e: EarlierTask) =>
    e.identical === undefined ? `not checked: ${e.reason}` : `${e.identical ? 'identical' : 'NOT identical'} (${e.rows} rows)`;
  return earlier.length === 0 ? '-' : earlier.map((e) => `${e.task} ${words(e)}`).join(', ');
}

/** `accuracy 0.9500`, and what stood there before; of several heads each. */
function testText({ metric, value, was, heads }: TrainedTask): string {
  if (heads !== undefined)
    return Object.entries(heads)
      .map(([name, own]) => `${name} ${own.metric.name} ${own.metric.value.toFixed(4)}`)
      .join(', ');
  const now = `${metric} ${value.toFixed(4)}`;
  return was === undefined ? now : `${now}, was ${was.toFixed(4)}`;
}

/** Prints them, or `none` where there is nothing; under --json what stands `beside` them too. Exit code 1 where a task answers otherwise than before. */
export function printTrained(options: GlobalOptions, done: readonly TrainedTask[], none: string, beside: object = {}): void {
  const rows = done.map((t) => [
    t.task,
    testText(t),
    t.loss.toFixed(4),
    `${t.seconds.toFixed(1)} s`,
    t.frozen ? 'frozen' : 'trained, not frozen',
    earlierText(t.earlier),
  ]);
  const header = ['task', 'test', 'loss', 'time', 'state', 'earlier tasks'];
  result(options, { ...beside, trained: done }, rows.length === 0 ? none : table(header, rows));
  if (done.some((t) => t.earlier.some((e) => e.identical === false))) process.exitCode = 1;
}
