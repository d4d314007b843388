// Trains a task of a workspace. Its column is left in runs/, trained and not frozen; or it is frozen at once, with the proof that earlier tasks
// did not move.

import type { SampleSet } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { inMemory } from '../data/rows.js';
import type { ColumnDescription, Train } from '../model/description/description.js';
import { metricName } from '../model/heads/heads.js';
import { refuseTraining } from '../model/progressive/imported.js';
import type { GivenData, TaskData } from '../network/growing.js';
import { InterruptedError, PrognetError, stopIfAborted, TrainingError, UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { checkAugment } from '../train/augment/fit.js';
import { withNumbers } from '../train/balance.js';
import { DivergedError } from '../train/diverged.js';
import { type HeadEvaluation, headsInFigures, inOrderOf } from '../train/evaluate.js';
import type { TrainEvent } from '../train/events.js';
import { trainSettings } from '../train/settings.js';
import type { TapCache } from '../train/taps/tap-cache.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { freezeColumn, listColumns } from '../workspace/column-store.js';
import { refuseOutput } from '../workspace/output-path.js';
import { clearRun, openRun } from '../workspace/run-store.js';
import { readTrained, writeTrained } from '../workspace/trained-store.js';
import { createFolders } from '../workspace/workspace.js';
import { compareAfter, compareWithRecords, type EarlierTask, noteAllFrozen, outputsBefore } from './earlier-tasks.js';
import { chooseEngine } from './engines.js';
import { flat } from './epoch-records.js';
import { heavyLaterals } from './heavy-laterals.js';
import {
  frozenIsFinal,
  frozenOf,
  type LoadedWorkspace,
  loadWorkspace,
  reloadWorkspace,
  requireSources,
  sourceHashes,
  withDescription,
} from './load-workspace.js';
import { clearTaps, givenData, trainInRun, type Work } from './run-training.js';
import { type RunIdentity, runExists, storedRun, toJson, unfinished } from './stored-run.js';
import { loadTaskData, namedFiles, type TaskDataOptions } from './task-data.js';
import { testColumn } from './test-column.js';
import { basisOf } from './trained-column.js';

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
  /** Whether the column is frozen when it is trained; default: it is. Else `freezeTask` freezes it, and until then it may be trained anew. */
  readonly freeze?: boolean;
  /** In place of the data that the description names; the proof is made over its test part. */
  readonly data?: TaskData & { readonly test: GivenData };
  /** A folder for event files, which TensorBoard reads: each training gets one of its own in it. Default: that of the resumed training, if any. */
  readonly log?: string;
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
  /** Of several heads each by its name, on the test set: then the loss is the sum of theirs by their weights, and the metric that of the first. */
  readonly heads?: Readonly<Record<string, HeadEvaluation>>;
  /** How many epochs were run. */
  readonly epochs: number;
  /** How long it took. */
  readonly seconds: number;
  /** Whether the column is frozen; else it is trained and stands in runs/. */
  readonly frozen: boolean;
  /** The metric of the trained column that this one took the place of, on the test set. */
  readonly was?: number;
  /** The earlier tasks: whether what they answer after this freezing is what they answered before it. None where nothing was frozen. */
  readonly earlier: readonly EarlierTask[];
  /** Taps of earlier columns: computed for this training, and left by the one before. Absent where they were not kept in memory. */
  readonly taps?: { readonly computed: number; readonly reused: number };
}

/** What the order of rows on disk follows from beside the seed. */
function shuffled({ inputs }: SampleSet): Pick<RunIdentity, 'shuffle'> {
  const onDisk = Object.values(inputs).flatMap((rows) => (inMemory(rows) ? [] : [rows.shuffle]));
  return onDisk[0] === undefined ? {} : { shuffle: { ...onDisk[0] } };
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

/** What a column's record says of its training. */
export function trainedFrom(
  loaded: LoadedWorkspace,
  { task, metrics }: ColumnRecord,
  rest: Pick<TrainedTask, 'frozen' | 'earlier' | 'was' | 'taps'>,
): TrainedTask {
  const { head } = loaded.columns.column(task);
  const metric = metricName(head);
  const of = (name: string) => metrics[name] ?? Number.NaN;
  const heads = inOrderOf(head, headsInFigures(metrics));
  const found = { metric, value: of(metric), loss: of('loss'), ...(heads && { heads }) };
  return { task, ...found, epochs: of('epochs'), seconds: of('seconds'), ...rest };
}

/**
 * Trains a task; unless `freeze` is false its column is then frozen, and every earlier task is checked to answer as before. On abort the state is
 * kept in runs/ and InterruptedError thrown; called again with `resume` it ends with the same bits as if nothing had happened. With `resume` a
 * task that is frozen already is no error.
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
  const { signal, resume = false, restart = false, freeze = true } = options;
  const { root } = opened.workspace;
  const described = opened.columns.column(task);
  if (opened.frozen.has(task)) {
    // Killed between freezing and clearing, a run is left over.
    clearRun(root, task);
    if (!resume) throw frozenIsFinal(task);
    return { trained: await frozenAlready(runtime, opened, task, signal), loaded: opened };
  }
  refuseTraining(described);
  if (options.log !== undefined) refuseOutput(options.log, namedFiles(opened));
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
  const settings = trainSettings(column.train, column.seed, column.head);
  checkAugment(column, settings.augment);
  const provider = options.provider ?? stored?.provider ?? 'cpu';
  const threads = options.threads ?? stored?.threads ?? defaultThreads();
  const engineName = options.engine ?? stored?.engine ?? 'ort';
  const engine = await chooseEngine(engineName, {
    provider,
    settings,
    columns: loaded.columns,
  });
  const told: TaskDataOptions = {
    onNote: options.onNote,
    onDrawn: options.onNote,
    ...(signal && { signal }),
    onReading: (reading) => options.onEvent?.({ kind: 'reading', ...reading }),
  };
  const data = options.data === undefined ? await loadTaskData(loaded, task, told) : givenData(column, options.data);
  stopIfAborted(signal);
  const identity: RunIdentity = {
    settings,
    overrides,
    inputs: loaded.description.inputs,
    column: { ...column.description, data: undefined, train: undefined, like: undefined },
    sources: sourceHashes(loaded, column),
    onnxruntime: [runtime.version, ...(engine.trainer === undefined ? [] : [engine.trainer])].join(', '),
    data: fingerprint(data.train),
    ...shuffled(data.train),
    provider,
    threads,
    ...(engine.trainer !== undefined && { engine: engine.name }),
  };
  let taps: TrainedTask['taps'];
  const onEvent = (event: TrainEvent) => {
    if (event.kind === 'taps') taps = { computed: event.computed, reused: event.reused };
    options.onEvent?.(event);
  };
  const heavy = heavyLaterals(column);
  if (heavy !== undefined) options.onNote?.(heavy);
  noteAllFrozen(loaded, options.onNote);
  const before = freeze ? await outputsBefore(runtime, loaded, task, signal) : [];
  createFolders(loaded.workspace);
  const run = openRun(root, task);
  let record: ColumnRecord;
  let was: number | undefined;
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
    const { weights, history, steps, epoch, balance, log } = await trainInRun(run, identity, work);
    const tested = await testColumn({
      ...work,
      column: withNumbers(column, balance),
      seed: settings.seed,
      trained: { weights, history: history.map(flat), train: toJson(column.train), step: (steps / history.length) * epoch },
      seconds: (performance.now() - started) / 1000,
      ...(engine.trainer !== undefined && { trainer: engine.trainer }),
      ...(signal && { signal }),
    });
    const { loss = Number.NaN } = tested.draft.metrics;
    log?.write('test', epoch, { loss, ...tested.measures() });
    if (freeze) {
      record = freezeColumn(root, tested.draft, tested.weights);
      run.clear();
      clearTaps(root);
    } else {
      was = formerly(root, task)?.metrics[metricName(column.head)];
      record = writeTrained(root, tested.draft, tested.weights, basisOf(described, provider));
      run.drop();
    }
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
  const after = freeze ? reloadWorkspace(opened) : opened;
  const earlier = await compareAfter(runtime, after, before, signal);
  const rest = { frozen: freeze, earlier, ...(was !== undefined && { was }), ...(taps && { taps }) };
  return { trained: trainedFrom(after, record, rest), loaded: after };
}

/** What the trained column says that this training takes the place of; one that cannot be read says nothing. */
function formerly(root: string, task: string): ColumnRecord | undefined {
  try {
    return readTrained(root, task)?.record;
  } catch (error) {
    if (error instanceof PrognetError) return undefined;
    throw error;
  }
}

/** A task that is frozen already: every other one against the outputs recorded at its freezing. */
export async function frozenAlready(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  signal?: AbortSignal,
): Promise<TrainedTask> {
  noteAllFrozen(loaded);
  const earlier = await compareWithRecords(runtime, loaded, task, signal);
  return trainedFrom(loaded, frozenOf(loaded, task).record, { frozen: true, earlier });
}
