// How often the model of all tasks finds the task of a sample by itself, over each task's test data, and what it makes of samples of none of them.
import { someSamples } from '../analysis/analysed.js';
import { autoNames, autoTasks } from '../model/progressive/auto.js';
import { inputsOf } from '../model/progressive/column.js';
import { must, stopIfAborted, UsageError } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { meanMetric } from '../train/evaluate.js';
import { areaUnderRoc } from '../train/measures.js';
import { allOutputsOf } from '../train/outputs.js';
import { keepAuto } from '../workspace/kept-figures.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { loadOtherSamples, loadTaskData } from './task-data.js';

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
  /** Samples that are given to each of the candidates; what is left is given to none. */
  readonly given: readonly number[];
  /** How many are in so much doubt, of 0 to 1, in ten equal parts. */
  readonly doubts: readonly number[];
}

/** Samples of none of the tasks. */
export interface FoundOthers {
  /** Where they come from, as it was named. */
  readonly source: string;
  /** Test samples. */
  readonly rows: number;
  /** The share that is given to none. */
  readonly none: number;
  /** How often one of these is in more doubt than a sample of the tasks: the area under the curve of both shares. 0.5 is chance. */
  readonly apart: number;
  /** As of a task. */
  readonly given: readonly number[];
  /** As of a task. */
  readonly doubts: readonly number[];
}

/** What was found, and which tasks could not be asked, since their samples lack inputs that others read. */
export interface FoundTasks {
  /** Those that a sample may be given to. */
  readonly candidates: readonly string[];
  readonly tasks: readonly FoundTask[];
  readonly others: readonly FoundOthers[];
  readonly left: readonly string[];
}

/** Samples that are of none of the tasks: a source, and how it was named. */
export interface Others {
  readonly name: string;
  readonly source: unknown;
}

/** How a model finds the task of a sample. */
export interface MeasureAutoOptions {
  /** Whether a router does it. */
  readonly routed?: boolean;
  /** Samples of none of the tasks. */
  readonly others?: readonly Others[];
  readonly signal?: AbortSignal;
}

const parts = 10;

/** What samples were given to, by the place of the candidate, and how many are in so much doubt. */
function countsOf(candidates: number, given: readonly number[], doubts: readonly number[]) {
  const place = (doubt: number) => Math.min(parts - 1, Math.max(0, Math.floor(doubt * parts)));
  return {
    given: Array.from({ length: candidates }, (_, own) => given.filter((task) => task === own).length),
    doubts: Array.from({ length: parts }, (_, part) => doubts.filter((doubt) => place(doubt) === part).length),
  };
}

/** Runs the model, which has the outputs of `auto`, over test data of these tasks. */
export async function measureAuto(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  tasks: readonly string[],
  model: Model,
  { routed = false, others = [], signal }: MeasureAutoOptions = {},
): Promise<FoundTasks> {
  const columns = tasks.map((task) => loaded.columns.column(task));
  const candidates = autoTasks(columns, routed);
  const all = inputsOf(loaded.columns, columns);
  const alike = candidates.filter(({ inputs }) => inputs.length === all.length);
  const { bytes, options } = sessionModel(model, runtime);
  const session = await runtime.createSession(bytes, options);
  try {
    const found: FoundTask[] = [];
    const doubts: number[] = [];
    for (const { task, head, seed } of alike) {
      stopIfAborted(signal);
      const { inputs, targets } = someSamples((await loadTaskData(loaded, task)).test, mostRows, seed);
      const labelled = session.outputNames.includes(autoNames.label);
      const names = [task, autoNames.task, autoNames.doubt, ...(labelled ? [autoNames.label] : [])];
      const out = await allOutputsOf(session, names, all, inputs);
      const own = candidates.findIndex((other) => other.task === task);
      const given = must(out.get(autoNames.task), autoNames.task).numbers();
      const inDoubt = must(out.get(autoNames.doubt), autoNames.doubt).numbers();
      doubts.push(...inDoubt);
      const label = out.get(autoNames.label)?.numbers();
      const share = (of: (i: number) => boolean) => given.filter((_, i) => of(i)).length / given.length;
      found.push({
        task,
        rows: given.length,
        told: meanMetric(head, must(out.get(task), task), targets),
        found: share((i) => given[i] === own),
        ...(label !== undefined && { right: share((i) => given[i] === own && label[i] === Number(targets.data[i])) }),
        none: share((i) => given[i] === -1),
        ...countsOf(candidates.length, given, inDoubt),
      });
    }
    const unlike: FoundOthers[] = [];
    for (const { name, source } of others) {
      stopIfAborted(signal);
      const [reader] = alike;
      if (reader === undefined)
        throw new UsageError('--others: no task reads all inputs of the model, expected one', { path: '--others' });
      const samples = await loadOtherSamples(loaded, reader.task, source, `--others ${name}`);
      const { inputs } = someSamples(samples, mostRows, reader.seed);
      const out = await allOutputsOf(session, [autoNames.task, autoNames.doubt], all, inputs);
      const given = must(out.get(autoNames.task), autoNames.task).numbers();
      const none = given.filter((task) => task === -1).length / given.length;
      const inDoubt = must(out.get(autoNames.doubt), autoNames.doubt).numbers();
      const both = [...inDoubt, ...doubts];
      const apart = areaUnderRoc(
        both.length,
        (n) => must(both[n], 'doubt'),
        (n) => n < given.length,
      );
      const counts = countsOf(candidates.length, given, inDoubt);
      unlike.push({ source: name, rows: given.length, none, apart: must(apart, 'apart'), ...counts });
    }
    const left = candidates.filter((c) => !alike.includes(c)).map(({ task }) => task);
    return { candidates: candidates.map(({ task }) => task), tasks: found, others: unlike, left };
  } finally {
    await session.release();
  }
}

/** Keeps them for the report of the workspace, beside the weights that they are of. @param by how the task is found */
export function keepFigures({ workspace, frozen }: LoadedWorkspace, by: string, found: FoundTasks, none?: number): void {
  const { candidates, tasks, others, left } = found;
  keepAuto(workspace.root, {
    kind: by,
    ...(none !== undefined && { none }),
    candidates: [...candidates],
    tasks: tasks.map((task) => ({ ...task, given: [...task.given], doubts: [...task.doubts] })),
    others: others.map((other) => ({ ...other, given: [...other.given], doubts: [...other.doubts] })),
    left: [...left],
    weights: Object.fromEntries(candidates.map((task) => [task, frozen.get(task)?.record.sha256.weights ?? ''])),
  });
}
