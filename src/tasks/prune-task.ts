// A trained column made smaller: what its task does not need goes out of its weights and out of the description. A frozen one stays; for export, the
// network is given in which its column is smaller.
import { someSamples } from '../analysis/analysed.js';
import {
  type MeasuredPruning,
  type Pruned,
  type PrunedPart,
  type PruneGoal,
  type PruneProgress,
  prune,
} from '../analysis/prune/prune.js';
import type { SampleSet, Split } from '../data/dataset.js';
import type { Reading } from '../data/reading.js';
import { type Head, isJudged, metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { taskModel } from '../model/progressive/forms.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { InternalError, must, UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { elementCount } from '../onnx/core/shape.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { sha256 } from '../onnx/files/hash.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { type Evaluation, evaluateScores } from '../train/evaluate.js';
import type { TrainEvent } from '../train/events.js';
import { train } from '../train/loop.js';
import { partition } from '../train/prepare-data.js';
import { trainSettings } from '../train/settings.js';
import { weightsFile } from '../workspace/column-store.js';
import { openRun } from '../workspace/run-store.js';
import { writeTrained } from '../workspace/trained-store.js';
import { frozenOf, type LoadedWorkspace, loadWorkspace, weightsOf, withDescription, withText } from './load-workspace.js';
import { prunedText } from './pruned-text.js';
import { loadTaskData } from './task-data.js';
import { taskOutputs } from './task-outputs.js';
import { testColumn } from './test-column.js';
import { basisOf, providerOf, trainedOf, withTrained } from './trained-column.js';

/** Samples that are enough to tell what matters. */
const measuredRows = 2000;

/** How a column is made smaller. */
export interface PruneOptions {
  /** How much may go. */
  readonly goal: PruneGoal;
  /** Samples to measure on at most, drawn by the column's seed; default 2000. */
  readonly rows?: number;
  /** Epochs of training with what is left; default none. */
  readonly epochs?: number;
  /** The rate of these epochs; default a tenth of the column's. */
  readonly rate?: number;
  /** Nothing is written. */
  readonly dry?: boolean;
  /** Hears how far it is. */
  readonly onProgress?: PruneProgress;
  /** Hears how far the reading of the data is. */
  readonly onReading?: (reading: Reading) => void;
  /** Hears of the epochs. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Stops it: nothing is changed then. */
  readonly signal?: AbortSignal;
}

/** A number before and after. */
export interface Change {
  /** As it was. */
  readonly before: number;
  /** As it is. */
  readonly after: number;
}

/** A head's metric before and after. */
export interface PrunedMetric extends Change {
  /** What is measured. */
  readonly metric: 'accuracy' | 'error';
}

/** What went, and what it cost. */
export interface PrunedTask {
  /** The task. */
  readonly task: string;
  /** What there was and is at each place where anything could go. */
  readonly parts: readonly PrunedPart[];
  /** Shares of an equal one below this went; absent where all went that could. */
  readonly threshold?: number;
  /** Parameters of the column. */
  readonly parameters: Change;
  /** Parameters of the model that `export --task` writes: those of earlier columns that it reads included. */
  readonly model: Change;
  /** The metric on the samples by which it was decided. */
  readonly measured: MeasuredPruning & { readonly on: 'validation part' | 'training data'; readonly rows: number };
  /** On the test data, which decided nothing. */
  readonly test: PrunedMetric & {
    /** Of several heads each by its name; then the task's own is that of the first. */
    readonly heads?: Readonly<Record<string, PrunedMetric>>;
  };
  /** Epochs that it was trained for with what is left. */
  readonly epochs: number;
}

interface Work {
  readonly runtime: Runtime;
  readonly loaded: LoadedWorkspace;
  readonly column: Column;
  readonly data: Split<SampleSet>;
  readonly session: { readonly providers: readonly string[]; readonly threads: number };
}

/** Throws UsageError for a share or a bound that is none: every comparison with it would say nothing. */
function refuseGoal(goal: PruneGoal, head: Head): void {
  const bounds: Readonly<Record<string, unknown>> =
    'threshold' in goal
      ? { threshold: goal.threshold }
      : typeof goal.keep === 'object'
        ? Object.fromEntries(Object.entries(goal.keep).filter(([, bound]) => bound !== undefined))
        : { [metricName(head)]: goal.keep };
  const wrong = Object.entries(bounds).find(([name, value]) => {
    const number = typeof value === 'number' && Number.isFinite(value) && value > 0;
    return !number || (name === 'accuracy' && value > 1);
  });
  if (wrong === undefined) return;
  const [name, value] = wrong;
  const expected = name === 'accuracy' ? 'a share of the samples, above 0 and at most 1' : 'a positive number';
  throw new UsageError(`pruneTask: goal: ${name} is ${String(value)}, expected ${expected}`, {
    path: 'options.goal',
    expected,
    got: String(value),
  });
}

/** The task's data and its column; the sources of it are there. */
async function workOf(runtime: Runtime, loaded: LoadedWorkspace, task: string, options: PruneOptions): Promise<Work> {
  const { onReading, signal } = options;
  const column = loaded.columns.column(task);
  if (!isJudged(column.head))
    throw new UsageError(`task "${task}" has no head, expected one whose answers are judged`, { got: task });
  refuseGoal(options.goal, column.head);
  const data = await loadTaskData(loaded, task, { ...(onReading && { onReading }), ...(signal && { signal }) });
  const { outputs } = frozenOf(loaded, task).record;
  return { runtime, loaded, column, data, session: { providers: [outputs.provider], threads: outputs.threads } };
}

/** What is left of the column, and by which samples that was decided. */
async function smaller({ runtime, loaded, column, data, session }: Work, options: PruneOptions) {
  const { goal, rows: most = measuredRows, onProgress, signal } = options;
  const { seed, task } = column;
  const settings = trainSettings(column.train, seed, column.head);
  const { train: own, validation } = partition(data.train, settings, `train data of task "${task}"`);
  const samples = someSamples(validation ?? own, most, seed);
  const analysed = { column, weights: weightsOf(loaded), data: samples, runtime, session, seed, ...(signal && { signal }) };
  const pruned = await prune(analysed, goal, onProgress);
  const on = validation === undefined ? ('training data' as const) : ('validation part' as const);
  return { pruned, measured: { ...pruned.measured, on, rows: must(samples.targets.dims[0], 'rows') } };
}

async function tested({ runtime, data, session }: Work, column: Column, weights: FrozenWeights, signal?: AbortSignal) {
  const { scores } = await taskOutputs(runtime, column.network, weights, column.task, data.test.inputs, session, signal);
  return await evaluateScores(runtime, column.head, scores, data.test.targets);
}

const inModel = ({ network, task }: Column, weights: FrozenWeights): number =>
  taskModel(network, weights, { tasks: [task] }).graph.initializers.reduce(
    (n, { constant }) => n + elementCount(constant?.dims ?? []),
    0,
  );

async function reportOf(
  work: Work,
  { pruned, measured }: Awaited<ReturnType<typeof smaller>>,
  after: FrozenWeights,
  { epochs = 0, signal }: PruneOptions,
): Promise<PrunedTask & { readonly loss: number }> {
  const { column, loaded } = work;
  const before = weightsOf(loaded);
  const was = await tested(work, column, before, signal);
  const is = await tested(work, pruned.column, after, signal);
  return {
    task: column.task,
    parts: pruned.parts,
    ...(Number.isFinite(pruned.threshold) && { threshold: pruned.threshold }),
    parameters: { before: column.parameters.count, after: pruned.column.parameters.count },
    model: { before: inModel(column, before), after: inModel(pruned.column, after) },
    measured,
    test: testOf(column.head, was, is),
    epochs,
    loss: is.loss,
  };
}

function testOf(head: Head, was: Evaluation, is: Evaluation): PrunedTask['test'] {
  const all = { metric: metricName(head), before: was.metric, after: is.metric };
  const heads = Object.entries(is.heads ?? {}).map(([name, { metric }]) => {
    const before = must(was.heads?.[name], name).metric.value;
    return [name, { metric: metric.name, before, after: metric.value }] as const;
  });
  return heads.length === 0 ? all : { ...all, heads: Object.fromEntries(heads) };
}

/** The weights after some epochs with what is left. */
async function tuned(work: Work, { column, weights }: Pruned, { epochs = 0, rate, onEvent, signal }: PruneOptions) {
  if (epochs === 0) return weights;
  const { runtime, loaded, data, session } = work;
  const settings = trainSettings(column.train, column.seed, column.head);
  const own = { ...settings, epochs, rate: rate ?? settings.rate / 10, schedule: { kind: 'constant', warmup: 0 } as const };
  const { task } = column;
  const result = await train({
    runtime,
    column,
    settings: own,
    start: weights,
    frozen: weightsOf(loaded),
    session,
    ...partition(data.train, own, `train data of task "${task}"`),
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  });
  return result.weights;
}

/**
 * Makes the trained column of a task smaller, in the workspace's description too. It is not frozen and can be trained further.
 * @throws UsageError for a task that is not trained, is frozen, or has nothing to take out; InterruptedError on abort, when nothing was changed
 */
export async function pruneTask(runtime: Runtime, start: string, task: string, options: PruneOptions): Promise<PrunedTask> {
  given(
    'pruneTask',
    { runtime, start, task, options },
    { runtime: anObject, start: text, task: text, options: anObject, 'options.goal': anObject },
  );
  const opened = loadWorkspace(start);
  if (opened.frozen.has(opened.columns.column(task).task))
    throw new UsageError(
      `task "${task}" is frozen and stays as it is, expected export --prune, which writes a smaller model of it`,
      { got: task },
    );
  const trained = trainedOf(opened, task);
  const asked = await workOf(runtime, withTrained(opened, task), task, options);
  const session = { ...asked.session, providers: [providerOf(trained)] };
  const work = { ...asked, session };
  const found = await smaller(work, options);
  const { pruned } = found;
  const { record } = trained;
  const written = must(opened.text, 'description');
  const now = prunedText(written, opened.file, task, pruned.described);
  // What did not become smaller is not trained on.
  const own = now === written ? { ...options, epochs: 0 } : options;
  const weights = await tuned(work, pruned, own);
  const after = new Map(weightsOf(work.loaded)).set(task, weights);
  const { loss: _, ...report } = await reportOf(work, found, after, own);
  const loaded = withText(opened, now);
  if (loaded.columns.column(task).canonical !== pruned.column.canonical)
    throw new InternalError(`the description of "${task}" says another column`);
  if (options.dry === true || now === written) return report;
  const draft = await testColumn({
    runtime,
    loaded,
    column: pruned.column,
    seed: record.seed,
    data: work.data,
    session,
    trained: { weights, history: record.history ?? [], ...(record.data.train !== undefined && { train: record.data.train }) },
    seconds: record.metrics.seconds ?? 0,
    ...(options.signal && { signal: options.signal }),
  });
  const run = openRun(opened.workspace.root, task);
  try {
    writeTrained(opened.workspace.root, draft.draft, draft.weights, basisOf(loaded.columns.column(task), providerOf(trained)));
    writeFileAtomic(opened.workspace.description, new TextEncoder().encode(now));
  } finally {
    run.close();
  }
  return report;
}

/** The workspace as if the frozen column of a task were smaller: for its export. Nothing is written. */
export async function prunedWorkspace(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  options: PruneOptions,
): Promise<{ readonly loaded: LoadedWorkspace; readonly report: PrunedTask }> {
  const frozen = frozenOf(opened, task);
  const work = await workOf(runtime, opened, task, options);
  const found = await smaller(work, options);
  const { column, weights } = found.pruned;
  const after = new Map(weightsOf(opened)).set(task, weights);
  const { loss, ...report } = await reportOf(work, found, after, options);
  const { record } = frozen;
  const smallerRecord = {
    ...record,
    metrics: { ...record.metrics, [report.test.metric]: report.test.after, loss },
    sha256: { ...record.sha256, weights: sha256(weightsFile(task, weights)) },
  };
  const columns = new Map(opened.frozen).set(task, { ...frozen, tensors: weights, record: smallerRecord });
  return { loaded: { ...withDescription(opened, column.network.description), frozen: columns }, report };
}
