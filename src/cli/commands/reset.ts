// prognet reset
import { resetTask } from '../../tasks/reset-task.js';
import { type GlobalOptions, result } from '../report.js';

export function reset(task: string, options: GlobalOptions): void {
  const done = resetTask(options.workspace ?? '.', task);
  result(options, done, `${task} taken back, removed: ${done.removed.join(', ')}`);
}
