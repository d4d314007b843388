// How often the model of all tasks finds the task of a sample by itself, over each task's test data.
import { someSamples } from '../analysis/analysed.js';
import { autoNames, autoTasks } from '../model/progressive/auto.js';
import { inputsOf } from '../model/progressive/column.js';
import { must } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { meanMetric } from '../train/evaluate.js';
import { allOutputsOf } from '../train/outputs.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { loadTaskData } from './task-data.js';

/** Test samples of each task at most. */
const mostRows = 2000;

/** How well one task is found. */
export interface FoundTask {
  /** The task. */
  readonly task: string;
  /** Test samples. */
  readonly rows: number;
  /** The share of right answers where the task is told. */
  readonly told: number;
  /** The share of samples that are given to it. */
  readonly found: number;
  /** The share that is given to it and answered rightly; left out where answers are more than a class. */
  readonly right?: number;
  /** The share that is given to none. */
  readonly none: number;
}

/** What was found, and which tasks could not be asked, since their samples lack inputs that others read. */
export interface FoundTasks {
  readonly tasks: readonly FoundTask[];
  readonly left: readonly string[];
}

/** Runs the model, which has the outputs of `auto`, over test data of these tasks. */
export async function measureAuto(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  tasks: readonly string[],
  model: Model,
): Promise<FoundTasks> {
  const columns = tasks.map((task) => loaded.columns.column(task));
  const candidates = autoTasks(columns);
  const all = inputsOf(loaded.columns, columns);
  const alike = candidates.filter(({ inputs }) => inputs.length === all.length);
  const { bytes, options } = sessionModel(model, runtime);
  const session = await runtime.createSession(bytes, options);
  try {
    const found: FoundTask[] = [];
    for (const { task, head, seed } of alike) {
      const { inputs, targets } = someSamples((await loadTaskData(loaded, task)).test, mostRows, seed);
      const labelled = session.outputNames.includes(autoNames.label);
      const names = [task, autoNames.task, ...(labelled ? [autoNames.label] : [])];
      const out = await allOutputsOf(session, names, all, inputs);
      const own = candidates.findIndex((other) => other.task === task);
      const given = must(out.get(autoNames.task), autoNames.task).numbers();
      const label = out.get(autoNames.label)?.numbers();
      const share = (of: (i: number) => boolean) => given.filter((_, i) => of(i)).length / given.length;
      found.push({
        task,
        rows: given.length,
        told: meanMetric(head, must(out.get(task), task), targets),
        found: share((i) => given[i] === own),
        ...(label !== undefined && { right: share((i) => given[i] === own && label[i] === Number(targets.data[i])) }),
        none: share((i) => given[i] === -1),
      });
    }
    return { tasks: found, left: candidates.filter((c) => !alike.includes(c)).map(({ task }) => task) };
  } finally {
    await session.release();
  }
}
