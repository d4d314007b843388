// The proof: a frozen task's outputs over its whole test set, compared bit for bit (by SHA-256) with those of the day it was frozen.

import { rows, type SampleSet } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import type { ReadingOptions } from '../data/reading.js';
import { isJudged, metricName } from '../model/heads/heads.js';
import { anObject, given, text } from '../onnx/core/given.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { Evaluator, type HeadEvaluation } from '../train/evaluate.js';
import { type Measures, measuresOf, measuresOfHeads } from '../train/measures.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { aLoadedWorkspace, frozenOf, type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { versionsNow } from './machine.js';
import { loadTaskData } from './task-data.js';
import { taskOutputs } from './task-outputs.js';

/** Whether a task answers as on the day it was frozen. */
export interface Verified {
  /** The task. */
  readonly task: string;
  /** Outputs compared, one row per test sample. */
  readonly rows: number;
  /** undefined: not comparable bit for bit, `reason` says why. */
  readonly identical: boolean | undefined;
  /** Why it does not, in one line. */
  readonly reason?: string;
  /** Not comparable bit for bit: whether loss and metric are those of freezing up to 1e-5. */
  readonly close?: boolean;
  /** The metric; absent, as the loss, where nothing judges what the column gives. */
  readonly metric?: { readonly name: string; readonly atFreeze: number; readonly now: number };
  /** On the test set, now. */
  readonly loss?: number;
  /** Of several heads each by its name, on the test set, now: then the loss is the sum of theirs by their weights, and the metric that of the first. */
  readonly heads?: Readonly<Record<string, VerifiedHead>>;
  /** sha256 of the outputs as they are now. */
  readonly sha256: string;
  /** Further measures on the test set, where they were asked for. */
  readonly measures?: Measures;
}

/** Outputs that are others, or loss and metric where bits cannot be compared. */
export const hasMoved = (verified: Verified | undefined): boolean => verified?.identical === false || verified?.close === false;

/** What came of it, in a word or two; undefined: the task's data cannot be read. */
export function outcomeOf(verified: Verified | undefined): string {
  if (verified === undefined) return 'no data';
  const { identical, close } = verified;
  if (identical !== undefined) return identical ? 'identical' : 'DIFFERENT';
  if (close === undefined) return 'other data';
  return close ? 'not comparable, metrics agree' : 'not comparable, METRICS DIFFER';
}

/** One of several heads. */
export interface VerifiedHead extends HeadEvaluation {
  /** Further measures, where they were asked for. */
  readonly measures?: Measures;
}

/** How a task is verified. */
export interface VerifyOptions extends ReadingOptions {
  /** The task's test data, if they are read already. */
  readonly test?: SampleSet;
  /** Default: what the column was frozen with. */
  readonly provider?: string;
  /** Threads inside one op; those of the day it was frozen when absent. */
  readonly threads?: number;
  /** Asks for all measures: each class, label or number of the head. */
  readonly measures?: boolean;
  /** On abort InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

/** Whether a task that runs here, as it ran at its freezing, must give the bits that were recorded then. */
export function mustBeSame(record: ColumnRecord, runtime: Runtime, test: SampleSet): boolean {
  const { count, provider, threads } = record.outputs;
  // Another provider than the CPU may not be here, and then the CPU runs.
  if (count === 0 || provider !== 'cpu' || record.data.test !== fingerprint(test)) return false;
  return incomparable(record, runtime, { provider, threads }) === undefined;
}

/** Why the bits need not be those of freezing; undefined when they must be. */
function incomparable(
  record: ColumnRecord,
  runtime: Runtime,
  ran: { provider: string; threads: number },
  since: 'frozen' | 'trained' = 'frozen',
): string | undefined {
  const { outputs, versions } = record;
  const now: Record<string, string> = versionsNow(runtime);
  if (ran.provider !== outputs.provider) return `${since} on ${outputs.provider}, run on ${ran.provider}`;
  if (ran.threads !== outputs.threads) return `${since} with ${outputs.threads} threads, run with ${ran.threads}`;
  for (const name of ['onnxruntime', 'processor']) {
    const was = versions[name];
    if (was !== undefined && was !== now[name]) return `${since} with ${was}, this is ${now[name]}`;
  }
  return undefined;
}

const near = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a));

/** A task's outputs over its test data, and whether they are those of the day it was frozen. */
export interface ComparedOutputs extends Pick<Verified, 'task' | 'rows' | 'identical' | 'reason' | 'sha256'> {
  /** The data that were asked. */
  readonly test: SampleSet;
  /** float32 [D, k] */
  readonly scores: Tensor;
  /** What ran is not what ran at freezing, so that bits may differ where numbers agree. */
  readonly elsewhere: boolean;
}

/** Runs the task's model, in a session of its own, on its test data. */
export async function compareOutputs(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  options: VerifyOptions = {},
): Promise<ComparedOutputs> {
  const column = frozenOf(loaded, task);
  const { record } = column;
  // One that is trained and not frozen was measured when it was trained.
  const [since, then] = 'basis' in column ? (['trained', 'when it was trained'] as const) : (['frozen', 'at freezing'] as const);
  const test = options.test ?? (await loadTaskData(loaded, task, options)).test;
  const { outputs } = record;
  const { provider = outputs.provider, threads = outputs.threads, signal } = options;
  const providers = options.provider === undefined && provider !== 'cpu' ? [provider, 'cpu'] : [provider];
  const weights = weightsOf(loaded);
  const found = await taskOutputs(runtime, loaded.columns, weights, task, test.inputs, { providers, threads }, signal);
  const { sha256, scores } = found;
  const base = { task, rows: rows(test), sha256, test, scores, elsewhere: false };
  if (outputs.count === 0)
    return {
      ...base,
      identical: undefined,
      reason: 'no outputs were recorded at its freezing, its weights are the same (sha256)',
    };
  if (record.data.test !== fingerprint(test)) {
    return { ...base, identical: undefined, reason: `the test data are others than ${then}` };
  }
  if (sha256 === outputs.sha256) return { ...base, identical: true };
  const reason = incomparable(record, runtime, { provider: found.provider, threads }, since);
  const model =
    found.graph === record.sha256.graph ? '' : ', and so does the exported model: another version of prognet writes it';
  if (reason === undefined) return { ...base, identical: false, reason: `the outputs differ from those ${then}${model}` };
  return { ...base, identical: undefined, reason, elsewhere: true };
}

/** The same, with loss and metric. */
export async function verifyWith(
  evaluator: Evaluator,
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  options: VerifyOptions = {},
): Promise<Verified> {
  const { head } = loaded.columns.column(task);
  const { test, scores, elsewhere, ...compared } = await compareOutputs(runtime, loaded, task, options);
  if (!isJudged(head)) return compared;
  const now = await evaluator.evaluate(head, scores, test.targets);
  const { metrics } = frozenOf(loaded, task).record;
  const name = metricName(head);
  const metric = { name, atFreeze: metrics[name] ?? Number.NaN, now: now.metric };
  const asked = options.measures === true;
  const each = asked ? measuresOfHeads(head, scores, test.targets) : undefined;
  const measures = asked && each === undefined ? { measures: measuresOf(head, scores, test.targets) } : {};
  const heads = now.heads && mapHeads(now.heads, (own, key) => ({ ...own, ...(each?.[key] && { measures: each[key] }) }));
  const verified = { ...compared, metric, loss: now.loss, ...(heads && { heads }), ...measures };
  return elsewhere ? { ...verified, close: near(metrics.loss, now.loss) && near(metric.atFreeze, now.metric) } : verified;
}

const mapHeads = <T, U>(heads: Readonly<Record<string, T>>, of: (own: T, name: string) => U): Readonly<Record<string, U>> =>
  Object.fromEntries(Object.entries(heads).map(([name, own]) => [name, of(own, name)]));

/** Hashes were checked when the workspace was loaded; this runs the task's model on its test data. */
export async function verifyTask(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  options: VerifyOptions = {},
): Promise<Verified> {
  given(
    'verifyTask',
    { runtime, loaded, task, options },
    { runtime: anObject, loaded: aLoadedWorkspace, task: text, options: anObject },
  );
  const evaluator = new Evaluator(runtime);
  try {
    return await verifyWith(evaluator, runtime, loaded, task, options);
  } finally {
    await evaluator.release();
  }
}
