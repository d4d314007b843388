// A column that is trained and not frozen: what it was trained from, how the workspace differs from that now, and the workspace in which it answers.

import { differences } from '../model/description/differences.js';
import { inputsTelling } from '../model/description/inputs-read.js';
import type { Column } from '../model/progressive/column.js';
import { notTrained } from '../model/progressive/forms.js';
import { WorkspaceError } from '../onnx/core/errors.js';
import { shortHash } from '../onnx/files/hash.js';
import { isJsonObject, type Json } from '../workspace/json.js';
import { readTrained, type TrainedColumn, trainedExists } from '../workspace/trained-store.js';
import { type LoadedWorkspace, withColumns } from './load-workspace.js';
import { toJson } from './stored-run.js';

/** All that a column's training follows from, its data and its sources aside: what its record says of those is compared as well. */
function statedBy({ network, description, train, seed }: Column): Json {
  const inputs = inputsTelling(network.description, description);
  const ofNetwork = train.seed === undefined ? { seed } : {};
  return toJson({ inputs, ...description, data: undefined, like: undefined, ...ofNetwork });
}

/** What is kept beside a trained column: what the description says of it, and the provider that was asked for. */
export function basisOf(column: Column, provider: string): Json {
  return { stated: statedBy(column), provider };
}

/** The provider that a column was trained on. */
export function providerOf({ basis }: TrainedColumn): string {
  const provider = isJsonObject(basis) ? basis.provider : undefined;
  return typeof provider === 'string' ? provider : 'cpu';
}

/** In what the workspace differs from what a trained column was trained from, its data aside; undefined where it does not. */
export function changedSince(loaded: LoadedWorkspace, { record, basis }: TrainedColumn): string | undefined {
  const column = loaded.columns.column(record.task);
  const was = isJsonObject(basis) ? basis.stated : undefined;
  const stated = differences(was, statedBy(column), 'trained');
  if (stated !== undefined) return `${loaded.file}: ${column.path}: ${stated}`;
  for (const { task } of column.foundation) {
    const now = loaded.frozen.get(task)?.record.sha256.weights ?? 'none';
    const then = record.sources[task] ?? 'none';
    if (now !== then) return `it reads another column "${task}", sha256 ${shortHash(now)}.., trained with ${shortHash(then)}..`;
  }
  return undefined;
}

/** The trained column of a task that is not frozen. Throws UsageError when there is none, WorkspaceError when its file is damaged. */
export function trainedOf({ workspace, columns }: LoadedWorkspace, task: string): TrainedColumn {
  const trained = readTrained(workspace.root, columns.column(task).task);
  if (trained === undefined) throw notTrained(task);
  return trained;
}

/** Why a trained column cannot be used as the workspace stands: the difference, and both ways out. */
export function changedError(task: string, difference: string): WorkspaceError {
  return new WorkspaceError(`task "${task}" was trained from something else, ${difference}; put it back, or train it anew`, {
    got: task,
    remedy: { kind: 'train', task },
  });
}

/** Whether a task has a trained column that is not frozen. */
export function isTrained({ workspace, frozen }: LoadedWorkspace, task: string): boolean {
  return !frozen.has(task) && trainedExists(workspace.root, task);
}

/** Tasks that are trained and not frozen, in the order of their columns. */
export function trainedTasks(loaded: LoadedWorkspace): string[] {
  return loaded.columns.tasks.filter((task) => isTrained(loaded, task));
}

/**
 * The workspace in which a trained column answers beside the frozen ones, to be asked and measured alone; a frozen task's as it is.
 * Throws UsageError for a task that is not trained, WorkspaceError where the description is another than it was trained from.
 */
export function withTrained(loaded: LoadedWorkspace, task: string): LoadedWorkspace {
  if (loaded.frozen.has(loaded.columns.column(task).task)) return loaded;
  const trained = trainedOf(loaded, task);
  const changed = changedSince(loaded, trained);
  if (changed !== undefined) throw changedError(task, changed);
  return withColumns(loaded, new Map(loaded.frozen).set(task, trained));
}
