// Columns of a fleet become frozen columns of the workspace: with their weights, and with their proof as it was recorded when they were trained.
import { readColumn, readFleet } from '../fleet/folder.js';
import { ownName } from '../fleet/forms.js';
import { describeDifference } from '../model/description/canonical.js';
import { taskModel } from '../model/progressive/forms.js';
import { UsageError } from '../onnx/core/errors.js';
import { given, text } from '../onnx/core/given.js';
import { shortHash } from '../onnx/files/hash.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { freezeColumn, listColumns } from '../workspace/column-store.js';
import { openRun } from '../workspace/run-store.js';
import { createFolders } from '../workspace/workspace.js';
import {
  aLoadedWorkspace,
  frozenIsFinal,
  type LoadedWorkspace,
  requireSources,
  sourceHashes,
  weightsOf,
} from './load-workspace.js';
import { runExists } from './stored-run.js';
import { modelHash } from './task-outputs.js';
import { isTrained } from './trained-column.js';

/**
 * Freezes a column of a fleet as the column of `task`, which the description of the workspace has and which is not frozen yet. What its record says of data, measures and outputs stays: `verify`
 * compares the same outputs.
 * @param folder of the fleet
 * @param name of the column in the fleet
 * @throws UsageError for a task of another shape or over another base, and for one that is frozen; DataError for a file that was changed; WorkspaceError
 */
export function takeFromFleet(loaded: LoadedWorkspace, folder: string, name: string, task: string = name): ColumnRecord {
  given('takeFromFleet', { loaded, folder, name, task }, { loaded: aLoadedWorkspace, folder: text, name: text, task: text });
  const fleet = readFleet(folder);
  const { record, tensors } = readColumn(folder, fleet, name);
  const { root } = loaded.workspace;
  const column = loaded.columns.column(task);
  if (loaded.frozen.has(task)) throw frozenIsFinal(task);
  if (column.canonical !== record.description) {
    const difference = describeDifference(record.description, column.canonical);
    throw new UsageError(
      `task "${task}" is of another shape than the column "${name}" of ${folder}: ${difference}; expected one shape`,
      { got: task },
    );
  }
  if (isTrained(loaded, task) || runExists(root, task))
    throw new UsageError(`task "${task}" has a training of its own that is not frozen, expected none`, {
      got: task,
      remedy: { kind: 'reset', task },
    });
  requireSources(loaded, column);
  refuseOtherBase(sourceHashes(loaded, column), record, task);
  const own = new Map([...tensors].map(([key, tensor]) => [ownName(task, key), tensor]));
  const model = taskModel(loaded.columns, new Map(weightsOf(loaded)).set(task, own), { tasks: [task], joined: true });
  createFolders(loaded.workspace);
  const run = openRun(root, task);
  try {
    if (listColumns(root).includes(task)) throw frozenIsFinal(task);
    const { format: _, self: __, ...rest } = record;
    const frozen = freezeColumn(root, { ...rest, task, sha256: { graph: modelHash(model) } }, own);
    run.clear();
    return frozen;
  } finally {
    run.close();
  }
}

function refuseOtherBase(now: Readonly<Record<string, string>>, { sources }: ColumnRecord, task: string): void {
  for (const base of new Set([...Object.keys(now), ...Object.keys(sources)])) {
    const [is, was] = [now[base] ?? 'none', sources[base] ?? 'none'];
    if (is === was) continue;
    throw new UsageError(
      `task "${task}" reads another column "${base}", sha256 ${shortHash(is)}.., than the fleet stands on, expected ${shortHash(was)}..`,
      { expected: was, got: is },
    );
  }
}
