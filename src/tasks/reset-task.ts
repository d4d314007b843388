// Takes back the column of a task, frozen or trained. Columns say themselves what they read, so it goes without the description: one that no longer
// fits a frozen column keeps nobody from taking that column back.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../onnx/core/errors.js';
import { given, text } from '../onnx/core/given.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { listColumns, loadRecord, removeColumn } from '../workspace/column-store.js';
import { notedFrozen } from '../workspace/frozen-list.js';
import { openRun } from '../workspace/run-store.js';
import { checkTask, taskPattern } from '../workspace/task-name.js';
import { readTrained, trainedExists } from '../workspace/trained-store.js';
import { requireWorkspace } from '../workspace/workspace.js';
import { runExists } from './stored-run.js';

/** What was taken back. */
export interface ResetTask {
  /** The task. */
  readonly task: string;
  /** Folders and files that are gone, as the workspace names them. */
  readonly removed: readonly string[];
}

function tasksWithRuns(root: string): string[] {
  try {
    return readdirSync(join(root, 'runs')).filter((name) => taskPattern.test(name));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw fileError('read', join(root, 'runs'), cause);
  }
}

/** Tasks whose frozen or trained column reads that of `task`. */
function readersOf(root: string, task: string): string[] {
  const frozen = listColumns(root).filter((other) => other !== task);
  const trained = tasksWithRuns(root).filter((other) => other !== task && !frozen.includes(other));
  return [
    ...frozen.filter((other) => task in loadRecord(root, other).sources),
    ...trained.filter((other) => task in (readTrained(root, other)?.record.sources ?? {})),
  ];
}

/**
 * Removes the frozen column of a task, its trained one and its unfinished training, whichever are there. The table of a sweep stays.
 * @throws UsageError when there is none of them, or when frozen or trained columns read it; WorkspaceError when the disk does not take it
 */
export function resetTask(start: string, task: string): ResetTask {
  given('resetTask', { start, task }, { start: text, task: text });
  checkTask(task);
  const { root } = requireWorkspace(start);
  const there = (): string[] => [
    ...(listColumns(root).includes(task) ? [`columns/${task}`] : []),
    ...(notedFrozen(root).has(task) ? [`columns/.frozen/${task}`] : []),
    ...(trainedExists(root, task) ? [`runs/${task}/trained.safetensors`] : []),
    ...(runExists(root, task) ? [`runs/${task}/run.json`] : []),
  ];
  refuse(root, task, there());
  // Nobody trains or freezes it from here on; before, somebody may have.
  const run = openRun(root, task);
  try {
    const removed = there();
    refuse(root, task, removed);
    removeColumn(root, task);
    run.clear();
    return { task, removed };
  } finally {
    run.close();
  }
}

function refuse(root: string, task: string, there: readonly string[]): void {
  if (there.length === 0)
    throw new UsageError(`task "${task}" is neither frozen nor trained here, so there is nothing to take back`, { got: task });
  const readers = readersOf(root, task);
  if (readers.length === 0) return;
  throw new UsageError(
    `the column of task "${task}" is read by ${readers.join(', ')}; take ${readers.length === 1 ? 'that' : 'those'} back first`,
    { got: task, expected: 'a column that no frozen or trained column reads' },
  );
}
