// What commands over every frozen task leave out, said.
import type { LoadedWorkspace } from '../tasks/load-workspace.js';
import { trainedTasks } from '../tasks/trained-column.js';
import { type GlobalOptions, note } from './report.js';

/** A line for each task that is trained and not frozen. */
export function noteLeftOut(options: GlobalOptions, loaded: LoadedWorkspace): void {
  noteTasksLeftOut(options, trainedTasks(loaded));
}

/** The same for tasks that were looked up before. */
export function noteTasksLeftOut(options: GlobalOptions, tasks: readonly string[]): void {
  for (const task of tasks) note(options, `${task} is trained, not frozen, and left out; prognet freeze ${task} takes it in`);
}
