// The tasks that are frozen already, around a training: the proof that it did not move them. What they answered before is what was recorded at
// their freezing; they are asked for it where that was on another machine.
import type { SampleSet } from '../data/dataset.js';
import { DataError, DescriptionError, WorkspaceError } from '../onnx/core/errors.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { notedFrozen, noteFrozen } from '../workspace/frozen-list.js';
import { frozenOf, frozenTasks, type LoadedWorkspace } from './load-workspace.js';
import { loadTaskData } from './task-data.js';
import { type ComparedOutputs, compareOutputs, mustBeSame } from './verify.js';

/** An earlier task before a training, as it was recorded or asked, and after it. */
export interface EarlierTask {
  /** The earlier task. */
  readonly task: string;
  /** Outputs compared, one row per test sample. */
  readonly rows: number;
  /** Whether all of them are the same before and after, bit for bit; undefined when they could not be computed. */
  readonly identical: boolean | undefined;
  /** Why it is not as it was, in one line. */
  readonly reason?: string;
}

interface EarlierBefore {
  readonly task: string;
  readonly test?: SampleSet;
  readonly sha256?: string;
  readonly reason?: string;
}

/**
 * Every other frozen task's outputs before a training: those of its freezing where they must be the same here, else what it answers now. Data that
 * are gone are no reason not to train.
 */
export async function outputsBefore(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  signal?: AbortSignal,
): Promise<EarlierBefore[]> {
  const found: EarlierBefore[] = [];
  for (const other of frozenTasks(loaded)) {
    if (other === task) continue;
    try {
      const { record } = frozenOf(loaded, other);
      const { test } = await loadTaskData(loaded, other);
      if (mustBeSame(record, runtime, test)) found.push({ task: other, test, sha256: record.outputs.sha256 });
      else {
        const before = await compareOutputs(runtime, loaded, other, { test, ...(signal && { signal }) });
        if (before.identical === false) throw moved(other, before);
        found.push({ task: other, test, sha256: before.sha256 });
      }
    } catch (error) {
      if (!isDataMissing(error)) throw error;
      found.push({ task: other, reason: error.message });
    }
  }
  return found;
}

function moved(task: string, { rows: count }: ComparedOutputs): WorkspaceError {
  return new WorkspaceError(`the outputs of task "${task}" over ${count} rows are not those of its freezing: prognet verify`, {
    got: task,
  });
}

/** What is wrong with another task's data is no reason not to train this one. */
function isDataMissing(error: unknown): error is Error {
  return error instanceof DataError || error instanceof DescriptionError;
}

export async function compareAfter(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  before: readonly EarlierBefore[],
  signal?: AbortSignal,
): Promise<EarlierTask[]> {
  const found: EarlierTask[] = [];
  for (const { task, test, sha256, reason } of before) {
    if (test === undefined) {
      found.push({ task, rows: 0, identical: undefined, ...(reason === undefined ? {} : { reason }) });
      continue;
    }
    const after = await compareOutputs(runtime, loaded, task, { test, ...(signal && { signal }) });
    found.push({ task, rows: after.rows, identical: after.sha256 === sha256 });
  }
  return found;
}

/** Every other frozen task against the outputs recorded at its freezing, where nothing is left to train. */
export async function compareWithRecords(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  signal?: AbortSignal,
): Promise<EarlierTask[]> {
  const found: EarlierTask[] = [];
  for (const other of frozenTasks(loaded)) {
    if (other === task) continue;
    try {
      const { rows: count, identical, reason } = await compareOutputs(runtime, loaded, other, signal && { signal });
      found.push({ task: other, rows: count, identical, ...(reason === undefined ? {} : { reason }) });
    } catch (error) {
      if (!isDataMissing(error)) throw error;
      found.push({ task: other, rows: 0, identical: undefined, reason: error.message });
    }
  }
  return found;
}

/** Columns that an older prognet froze, or that were frozen at a kill, are noted as those of today are, and said. */
export function noteAllFrozen({ workspace, frozen }: LoadedWorkspace, onNote?: (line: string) => void): void {
  const known = notedFrozen(workspace.root);
  for (const [task, { record }] of frozen) {
    if (known.has(task)) continue;
    noteFrozen(workspace.root, task, record.sha256.weights);
    onNote?.(
      `column "${task}" was frozen without a note of it: noted now in columns/.frozen, so that it is missed when it is gone`,
    );
  }
}
