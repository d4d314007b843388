// Freezes a trained column of a workspace: tested once more by the model that will be exported, with the proof that the frozen tasks did not move.

import type { SampleSet, Split } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import type { ReadingOptions } from '../data/reading.js';
import type { GivenData, TaskData } from '../network/growing.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { shortHash } from '../onnx/files/hash.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { freezeColumn, listColumns } from '../workspace/column-store.js';
import { clearRun, openRun } from '../workspace/run-store.js';
import type { TrainedColumn } from '../workspace/trained-store.js';
import { createFolders } from '../workspace/workspace.js';
import { compareAfter, noteAllFrozen, outputsBefore } from './earlier-tasks.js';
import { frozenOf, type LoadedWorkspace, loadWorkspace, reloadWorkspace, requireSources } from './load-workspace.js';
import { clearTaps, givenData } from './run-training.js';
import { runExists } from './stored-run.js';
import { loadTaskData } from './task-data.js';
import { testColumn } from './test-column.js';
import { frozenAlready, type TrainedTask, trainedFrom } from './train-task.js';
import { changedError, changedSince, providerOf, trainedOf, withTrained } from './trained-column.js';

/** How a trained column is frozen. */
export interface FreezeTaskOptions extends ReadingOptions {
  /** What it was trained on, where that was in place of the data that the description names. */
  readonly data?: TaskData & { readonly test: GivenData };
  /** On abort InterruptedError is thrown, and the column stays trained. */
  readonly signal?: AbortSignal;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

/**
 * Freezes the trained column of a task, and checks that every frozen task answers as before. A task that is frozen already stays as it is, its
 * proof is made again.
 * @throws UsageError when it is not trained, or what it reads is not frozen; WorkspaceError when the description, the data, the sources or the
 *   seed are others than it was trained with
 */
export async function freezeTask(
  runtime: Runtime,
  start: string,
  task: string,
  options: FreezeTaskOptions = {},
): Promise<TrainedTask> {
  given('freezeTask', { runtime, start, task, options }, { runtime: anObject, start: text, task: text, options: anObject });
  return (await freezeLoaded(runtime, loadWorkspace(start), task, options)).trained;
}

/** The same in a workspace that was read just now; `loaded` is how it stands afterwards, read from its files anew. */
export async function freezeLoaded(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  options: FreezeTaskOptions = {},
): Promise<{ readonly trained: TrainedTask; readonly loaded: LoadedWorkspace }> {
  const { signal, onNote } = options;
  const { root } = opened.workspace;
  const column = opened.columns.column(task);
  if (opened.frozen.has(task)) {
    // Killed between freezing and clearing, a run is left over.
    clearRun(root, task);
    return { trained: await frozenAlready(runtime, opened, task, signal), loaded: opened };
  }
  requireFreezable(opened, task);
  const data = options.data === undefined ? await loadTaskData(opened, task, options) : givenData(column, options.data);
  noteAllFrozen(opened, onNote);
  const before = await outputsBefore(runtime, opened, task, signal);
  createFolders(opened.workspace);
  const run = openRun(root, task);
  try {
    if (listColumns(root).includes(task))
      throw new UsageError(`task "${task}" was frozen by another process meanwhile`, { got: task });
    // Read while it is locked: another training may have put another one there.
    const trained = requireFreezable(opened, task);
    refuseOtherData(task, trained, data);
    if (runExists(root, task)) onNote?.(`${task}: the unfinished training in runs/${task} is dropped`);
    const { record, tensors } = trained;
    const { trainer } = record.versions;
    const tested = await testColumn({
      runtime,
      loaded: opened,
      // What its loss learned of the training data stands in its record.
      column: withTrained(opened, task).columns.column(task),
      seed: record.seed,
      data,
      session: { providers: [providerOf(trained)], threads: record.outputs.threads },
      trained: {
        weights: tensors,
        history: record.history ?? [],
        ...(record.data.train !== undefined && { train: record.data.train }),
      },
      seconds: record.metrics.seconds ?? 0,
      ...(trainer !== undefined && { trainer }),
      ...(signal && { signal }),
    });
    freezeColumn(root, tested.draft, tested.weights);
    run.clear();
    clearTaps(root);
  } finally {
    run.close();
  }
  const loaded = reloadWorkspace(opened);
  const earlier = await compareAfter(runtime, loaded, before, signal);
  return { trained: trainedFrom(loaded, frozenOf(loaded, task).record, { frozen: true, earlier }), loaded };
}

/** The trained column, when it is what the workspace describes now. */
function requireFreezable(loaded: LoadedWorkspace, task: string): TrainedColumn {
  const trained = trainedOf(loaded, task);
  requireSources(loaded, loaded.columns.column(task));
  const changed = changedSince(loaded, trained);
  if (changed !== undefined) throw changedError(task, changed);
  return trained;
}

function refuseOtherData(task: string, { record }: TrainedColumn, data: Split<SampleSet>): void {
  const was = { training: record.data.fingerprint, test: record.data.test };
  const is = { training: fingerprint(data.train), test: fingerprint(data.test) };
  for (const part of ['training', 'test'] as const)
    if (was[part] !== is[part])
      throw changedError(
        task,
        `its ${part} data are others, sha256 ${shortHash(is[part])}.., trained with ${shortHash(String(was[part]))}..`,
      );
}
