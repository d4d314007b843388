// prognet freeze
import { UsageError } from '../../onnx/core/errors.js';
import { freezeLoaded } from '../../tasks/freeze-task.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import type { TrainedTask } from '../../tasks/train-task.js';
import { trainedTasks } from '../../tasks/trained-column.js';
import { interruptible } from '../interruptible.js';
import { progressOf } from '../progress.js';
import { type GlobalOptions, note } from '../report.js';
import { openRuntime } from '../runtime.js';
import { printTrained } from '../trained-table.js';

export interface FreezeFlags extends GlobalOptions {
  readonly all?: boolean;
}

export async function freezeCommand(names: readonly string[], flags: FreezeFlags): Promise<void> {
  if ((names.length === 0) !== (flags.all === true))
    throw new UsageError('name the tasks to freeze, or give --all: prognet freeze <task>');
  let loaded = loadWorkspace(flags.workspace ?? '.');
  for (const name of names) loaded.columns.column(name);
  const tasks = flags.all === true ? trainedTasks(loaded) : [...new Set(names)];
  const done: TrainedTask[] = [];
  await interruptible(flags, 'stopping before the next task', async (signal) => {
    const { runtime } = await openRuntime(flags);
    for (const task of tasks) {
      if (loaded.frozen.has(task)) note(flags, `${task} is frozen already`);
      const progress = progressOf(flags, task);
      try {
        const told = { signal, onNote: progress.line, onReading: progress.reading };
        const frozen = await freezeLoaded(runtime, loaded, task, told);
        done.push(frozen.trained);
        loaded = frozen.loaded;
      } finally {
        progress.stop();
      }
    }
  });
  printTrained(flags, done, 'no task is trained and not frozen');
}
