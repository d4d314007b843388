// The proof: a frozen task's outputs over its whole test set, compared bit for bit (by SHA-256) with those of the day it was frozen.

import { rows, type SampleSet } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { metricName } from '../model/heads/heads.js';
import { anObject, given, text } from '../onnx/core/given.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { evaluateScores } from '../train/evaluate.js';
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
  /** The metric's name. */
  readonly metric: { readonly name: string; readonly atFreeze: number; readonly now: number };
  /** On the test set, now. */
  readonly loss: number;
  /** sha256 of the outputs as they are now. */
  readonly sha256: string;
}

/** How a task is verified. */
export interface VerifyOptions {
  /** The task's test data, if they are read already. */
  readonly test?: SampleSet;
  /** Default: what the column was frozen with. */
  readonly provider?: string;
  /** Threads inside one op; those of the day it was frozen when absent. */
  readonly threads?: number;
  /** On abort InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

/** Why the bits need not be those of freezing; undefined when they must be. */
function incomparable(record: ColumnRecord, runtime: Runtime, ran: { provider: string; threads: number }): string | undefined {
  const { outputs, versions } = record;
  const now: Record<string, string> = versionsNow(runtime);
  if (ran.provider !== outputs.provider) return `frozen on ${outputs.provider}, run on ${ran.provider}`;
  if (ran.threads !== outputs.threads) return `frozen with ${outputs.threads} threads, run with ${ran.threads}`;
  for (const name of ['onnxruntime', 'processor']) {
    const was = versions[name];
    if (was !== undefined && was !== now[name]) return `frozen with ${was}, this is ${now[name]}`;
  }
  return undefined;
}

const near = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a));

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
  const column = loaded.columns.column(task);
  const { record } = frozenOf(loaded, task);
  const test = options.test ?? (await loadTaskData(loaded, task)).test;
  const { outputs } = record;
  const { provider = outputs.provider, threads = outputs.threads, signal } = options;
  const providers = options.provider === undefined && provider !== 'cpu' ? [provider, 'cpu'] : [provider];
  const weights = weightsOf(loaded);
  const found = await taskOutputs(runtime, loaded.columns, weights, task, test.inputs, { providers, threads }, signal);
  const now = await evaluateScores(runtime, column.head, found.scores, test.targets);
  const name = metricName(column.head);
  const metric = { name, atFreeze: record.metrics[name] ?? Number.NaN, now: now.metric };
  const base = { task, rows: rows(test), metric, loss: now.loss, sha256: found.sha256 };
  if (outputs.count === 0)
    return {
      ...base,
      identical: undefined,
      reason: 'no outputs were recorded at its freezing, its weights are the same (sha256)',
    };
  if (record.data.test !== fingerprint(test)) {
    return { ...base, identical: undefined, reason: 'the test data are others than at freezing' };
  }
  if (found.sha256 === outputs.sha256) return { ...base, identical: true };
  const reason = incomparable(record, runtime, { provider: found.provider, threads });
  if (reason === undefined) return { ...base, identical: false, reason: 'the outputs differ from those at freezing' };
  const close = near(record.metrics.loss, now.loss) && near(metric.atFreeze, now.metric);
  return { ...base, identical: undefined, reason, close };
}
