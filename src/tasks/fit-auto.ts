// The router of the model of all tasks, fitted to the training data of each.

import { someSamples } from '../analysis/analysed.js';
import { fitRouter, type RouterKind, type RouterRequest } from '../analysis/router/router.js';
import { autoTasks, type Router } from '../model/progressive/auto.js';
import type { TapRef } from '../model/progressive/column.js';
import { UsageError } from '../onnx/core/errors.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { loadTaskData } from './task-data.js';

/** Training samples of each task at most. */
const mostRows = 5000;

/** How a router is fitted. */
export interface FitAutoOptions {
  readonly kind: RouterKind;
  /** `task`, its last block, or `task:block`; default: of the first column that has blocks. */
  readonly features?: string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Fits a router to training data of those of these tasks that have a head. Throws UsageError for features that are not there and for fewer than two tasks,
 * DataError for a task that names no data.
 */
export async function fitAuto(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  tasks: readonly string[],
  { kind, features, signal }: FitAutoOptions,
): Promise<Router> {
  const ref = tapOf(loaded, tasks, features);
  const data: RouterRequest['data'][number][] = [];
  for (const column of autoTasks(
    tasks.map((task) => loaded.columns.column(task)),
    true,
  )) {
    const { train } = await loadTaskData(loaded, column.task, { ...(signal && { signal }) });
    data.push({ column, samples: someSamples(train, mostRows, column.seed) });
  }
  return await fitRouter({
    runtime,
    kind,
    features: ref,
    weights: weightsOf(loaded),
    data,
    seed: loaded.description.seed,
    ...(signal && { signal }),
  });
}

/** The tap whose features are read. Throws UsageError. */
function tapOf({ columns }: LoadedWorkspace, tasks: readonly string[], features: string | undefined): TapRef {
  const known = tasks.map((task) => columns.column(task)).filter(({ blocks }) => blocks.length > 0);
  if (features === undefined) {
    const [first] = known;
    if (first === undefined) throw new UsageError('--features: no column has blocks, expected one whose features are read');
    return { column: first, block: first.blocks.length - 1 };
  }
  const [, task = '', block] = /^([^:]+)(?::(\d{1,6}))?$/.exec(features) ?? [];
  const column = known.find((column) => column.task === task);
  const last = (column?.blocks.length ?? 0) - 1;
  if (column !== undefined && Number(block ?? 0) <= last) return { column, block: Number(block ?? last) };
  const expected = column === undefined ? `one of ${known.map((c) => c.task).join(', ')}` : `${task}:0 to ${task}:${last}`;
  throw new UsageError(`--features: found "${features}", expected ${expected}`, { path: '--features', expected, got: features });
}
