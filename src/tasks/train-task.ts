// Trains a task of a workspace and freezes its column, with the proof that earlier tasks did not move.

import { join } from 'node:path';
import { rows, type SampleSet, type Split } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import type { ColumnDescription, Train } from '../model/description/description.js';
import { metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { refuseTraining } from '../model/progressive/imported.js';
import type { GivenData, TaskData } from '../network/growing.js';
import { InterruptedError, stopIfAborted, TrainingError, UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { DivergedError } from '../train/diverged.js';
import type { TrainEvent } from '../train/events.js';
import { singleRowNote } from '../train/least-rows.js';
import { type TrainResult, train } from '../train/loop.js';
import { fitData, partition } from '../train/prepare-data.js';
import { type TrainSettings, trainSettings } from '../train/settings.js';
import { stateSchema } from '../train/state-schema.js';
import type { TapCache } from '../train/taps/tap-cache.js';
import { listColumns } from '../workspace/column-store.js';
import type { MetricValue } from '../workspace/metrics-log.js';
import { clearRun, openRun, type Run } from '../workspace/run-store.js';
import { TapStore } from '../workspace/tap-store.js';
import { createFolders } from '../workspace/workspace.js';
import { compareAfter, compareWithRecords, type EarlierTask, noteAllFrozen, outputsBefore } from './earlier-tasks.js';
import { type ChosenEngine, chooseEngine } from './engines.js';
import { testAndFreeze } from './freeze-task.js';
import {
  frozenOf,
  type LoadedWorkspace,
  loadWorkspace,
  reloadWorkspace,
  requireSources,
  sourceHashes,
  weightsOf,
  withDescription,
} from './load-workspace.js';
import { versionsNow } from './machine.js';
import { besideRate, type RunIdentity, runExists, storedRun, toJson, unfinished } from './stored-run.js';
import { loadTaskData } from './task-data.js';

/** How a task of a workspace is trained. */
export interface TrainTaskOptions {
  /** Instead of what the description says. A resumed training keeps those it was begun with, but for rate and clip where it diverged. */
  readonly overrides?: Train;
  /** Default cpu, or the resumed training's. */
  readonly provider?: string;
  /** Threads of one op; default: one for each core, or the resumed training's. The bits of the result depend on it. */
  readonly threads?: number;
  /** What takes the steps: `ort`, the step graph on `runtime`, or another by name. Default `ort`, or the resumed training's. */
  readonly engine?: string;
  /** Go on with an unfinished training, if there is one. */
  readonly resume?: boolean;
  /** Drop an unfinished training. */
  readonly restart?: boolean;
  /** In place of the data that the description names; the proof is made over its test part. */
  readonly data?: TaskData & { readonly test: GivenData };
  /** Keeps taps from one task's training to the next's on the same data. */
  readonly tapCache?: TapCache;
  /** On abort a checkpoint is saved and InterruptedError is thrown. */
  readonly signal?: AbortSignal;
  /** Told of every epoch, and of what else happens on the way. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

/** A training in a workspace that has ended. */
export interface TrainedTask {
  /** The task. */
  readonly task: string;
  /** The metric's name. */
  readonly metric: string;
  /** Of that metric, on the test set. */
  readonly value: number;
  /** On the test set. */
  readonly loss: number;
  /** How many epochs were run. */
  readonly epochs: number;
  /** How long it took. */
  readonly seconds: number;
  /** The earlier tasks: whether what they answer after this training is what they answered before it. */
  readonly earlier: readonly EarlierTask[];
  /** Taps of earlier columns: computed for this training, and left by the one before. Absent where they were not kept in memory. */
  readonly taps?: { readonly computed: number; readonly reused: number };
}

/** The workspace with other training options for one column: its seed decides the first weights too. */
function withOverrides(loaded: LoadedWorkspace, task: string, overrides: Train): LoadedWorkspace {
  if (Object.keys(overrides).length === 0) return loaded;
  const { description } = loaded;
  const columns = description.columns.map(
    (c): ColumnDescription => (c.task === task ? { ...c, train: { ...c.train, ...overrides } } : c),
  );
  return withDescription(loaded, { ...description, columns });
}

/** An epoch as metrics.jsonl and column.json hold it. */
function flat({ validation, ...record }: EpochRecord): Record<string, MetricValue> {
  if (validation === undefined) return { ...record };
  return { ...record, validation_loss: validation.loss, validation_metric: validation.metric };
}

/** What a frozen column's record says of its training. */
function trainedFrom(loaded: LoadedWorkspace, task: string, earlier: readonly EarlierTask[]): TrainedTask {
  const { metrics } = frozenOf(loaded, task).record;
  const metric = metricName(loaded.columns.column(task).head);
  const of = (name: string) => metrics[name] ?? Number.NaN;
  return { task, metric, value: of(metric), loss: of('loss'), epochs: of('epochs'), seconds: of('seconds'), earlier };
}

interface Parts extends Split<SampleSet> {
  readonly validation?: SampleSet;
}

/** Checked against the network's inputs and the column's head. */
function givenData(column: Column, { train: own, validation, test }: TaskData & { readonly test: GivenData }): Parts {
  const checked = (part: string, given: GivenData) => fitData(column, given, `${part} data of task "${column.task}"`);
  return {
    train: checked('train', own),
    test: checked('test', test),
    ...(validation !== undefined && { validation: checked('validation', validation) }),
  };
}

interface Work {
  readonly runtime: Runtime;
  readonly loaded: LoadedWorkspace;
  readonly column: Column;
  readonly settings: TrainSettings;
  readonly data: Parts;
  readonly session: { readonly providers: readonly string[]; readonly threads: number };
  readonly engine: ChosenEngine;
  readonly options: TrainTaskOptions;
}

/** Runs the loop with checkpoints and metrics in the run's folder. */
async function trainInRun(run: Run, identity: RunIdentity, work: Work): Promise<TrainResult> {
  const { settings, data, options } = work;
  const json = toJson(identity);
  const resumed = options.resume === true && run.started ? run.resume(json, besideRate) : undefined;
  for (const note of resumed?.notes ?? []) options.onNote?.(note);
  if (resumed === undefined) run.start(json);
  const checkpoint = resumed?.checkpoint;
  const { validation } = data;
  const parts =
    validation === undefined
      ? partition(data.train, settings, `train data of task "${work.column.task}"`)
      : { train: data.train, validation };
  const perEpoch = Math.ceil(rows(parts.train) / Math.min(settings.batch, rows(parts.train)));
  const single = singleRowNote(work.column, rows(parts.train), Math.min(settings.batch, rows(parts.train)));
  if (single !== undefined) options.onNote?.(single);
  return await train({
    runtime: work.runtime,
    column: work.column,
    frozen: weightsOf(work.loaded),
    settings,
    ...parts,
    session: work.session,
    ...(work.engine.make && { engine: work.engine.make }),
    tapStorage: tapStore(work),
    ...(options.tapCache && { tapCache: options.tapCache }),
    store: {
      load: async () => checkpoint && { tensors: checkpoint.tensors, state: stateSchema.parse(checkpoint.state) },
      save: async ({ state, tensors }) => run.saveCheckpoint({ step: state.step, tensors, state: toJson(state) }),
    },
    onEvent: (event) => {
      // Before the first step there is no checkpoint to save: the loop need not hear of the abort.
      if (event.kind === 'tapping') stopIfAborted(options.signal);
      if (event.kind === 'epoch') run.appendMetrics({ step: event.record.epoch * perEpoch, ...flat(event.record) });
      options.onEvent?.(event);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Taps beyond the memory budget, under all that their bits depend on beside the inputs. */
function tapStore({ runtime, loaded, column, session }: Work): TapStore {
  const columns = column.foundation.map(({ task }) => loaded.frozen.get(task)?.record.sha256);
  return new TapStore(join(loaded.workspace.root, 'cache'), JSON.stringify([versionsNow(runtime), session, columns]));
}

/**
 * Trains, tests, freezes, and checks that every earlier task answers as before. On abort the state is kept in runs/ and InterruptedError thrown;
 * called again with `resume` it ends with the same bits as if nothing had happened. With `resume` a task that is frozen already is no error.
 */
export async function trainTask(
  runtime: Runtime,
  start: string,
  task: string,
  options: TrainTaskOptions = {},
): Promise<TrainedTask> {
  given('trainTask', { runtime, start, task, options }, { runtime: anObject, start: text, task: text, options: anObject });
  return (await trainLoaded(runtime, loadWorkspace(start), task, options)).trained;
}

/** The same in a workspace that was read just now; `loaded` is how it stands afterwards, read from its files anew. */
export async function trainLoaded(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  options: TrainTaskOptions = {},
): Promise<{ readonly trained: TrainedTask; readonly loaded: LoadedWorkspace }> {
  const started = performance.now();
  const { signal, resume = false, restart = false } = options;
  const { root } = opened.workspace;
  const described = opened.columns.column(task);
  if (opened.frozen.has(task)) {
    // Killed between freezing and clearing, a run is left over.
    clearRun(root, task);
    if (resume) {
      noteAllFrozen(opened);
      const earlier = await compareWithRecords(runtime, opened, task, signal);
      return { trained: trainedFrom(opened, task, earlier), loaded: opened };
    }
    throw new UsageError(`task "${task}" is trained and frozen for good; add a new task to the description to train more`, {
      got: task,
    });
  }
  refuseTraining(described);
  requireSources(opened, described);
  if (runExists(root, task) && !resume && !restart) {
    // One that a live process works on says so itself.
    openRun(root, task).close();
    throw unfinished(root, task);
  }
  const stored = resume ? storedRun(root, task) : undefined;
  const overrides: Train = { ...stored?.overrides, ...options.overrides };
  const loaded = withOverrides(opened, task, overrides);
  const column = loaded.columns.column(task);
  const settings = trainSettings(column.train, column.seed);
  const provider = options.provider ?? stored?.provider ?? 'cpu';
  const threads = options.threads ?? stored?.threads ?? defaultThreads();
  const engine = await chooseEngine(options.engine ?? stored?.engine ?? 'ort', {
    provider,
    settings,
    columns: loaded.columns,
  });
  const data = options.data === undefined ? await loadTaskData(loaded, task, options.onNote) : givenData(column, options.data);
  stopIfAborted(signal);
  const identity: RunIdentity = {
    settings,
    overrides,
    inputs: loaded.description.inputs,
    column: { ...column.description, data: undefined, train: undefined, like: undefined },
    sources: sourceHashes(loaded, column),
    onnxruntime: [runtime.version, ...(engine.trainer === undefined ? [] : [engine.trainer])].join(', '),
    data: fingerprint(data.train),
    provider,
    threads,
    ...(engine.trainer !== undefined && { engine: engine.name }),
  };
  let taps: TrainedTask['taps'];
  const onEvent = (event: TrainEvent) => {
    if (event.kind === 'taps') taps = { computed: event.computed, reused: event.reused };
    options.onEvent?.(event);
  };
  noteAllFrozen(loaded, options.onNote);
  const before = await outputsBefore(runtime, loaded, task, signal);
  createFolders(loaded.workspace);
  const run = openRun(root, task);
  try {
    if (listColumns(root).includes(task))
      throw new UsageError(`task "${task}" was trained by another process meanwhile`, { got: task });
    const work: Work = {
      runtime,
      loaded,
      column,
      settings,
      data,
      session: { providers: [provider], threads },
      engine,
      options: { ...options, onEvent },
    };
    const { weights, history, steps, epoch } = await trainInRun(run, identity, work);
    await testAndFreeze({
      ...work,
      seed: settings.seed,
      trained: { weights, history: history.map(flat), step: (steps / history.length) * epoch },
      seconds: (performance.now() - started) / 1000,
      ...(engine.trainer !== undefined && { trainer: engine.trainer }),
      ...(signal && { signal }),
    });
    run.clear();
    tapStore(work).clear();
  } catch (error) {
    if (error instanceof DivergedError) {
      const rate = Number((settings.rate / 10).toPrecision(2));
      run.noteDiverged(toJson(identity), { step: error.step, found: error.found, rate });
      throw new TrainingError(error.statement, { cause: error, remedy: { kind: 'lower-rate', task, rate } });
    }
    if (!(error instanceof InterruptedError)) throw error;
    throw new InterruptedError(error.statement, { cause: error.cause, remedy: { kind: 'resume', task } });
  } finally {
    run.close();
  }
  const after = reloadWorkspace(opened);
  const earlier = await compareAfter(runtime, after, before, signal);
  return { trained: { ...trainedFrom(after, task, earlier), ...(taps && { taps }) }, loaded: after };
}
