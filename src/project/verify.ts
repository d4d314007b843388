// The proof: a frozen task's outputs over its whole test set, compared bit for bit (by SHA-256) with those of the day it was frozen.
import { fingerprint, rows } from '../data/dataset.js';
import type { Runtime } from '../runtime/session.js';
import { frozenOf, type Project, taskOf, weightsOf } from './project.js';
import { loadTaskData } from './task-data.js';
import { meanMetric, taskOutputs } from './task-outputs.js';

export interface Verified {
  readonly task: string;
  /** Outputs compared, one row per test sample. */
  readonly rows: number;
  /** undefined: not comparable bit for bit, `reason` says why. */
  readonly identical: boolean | undefined;
  readonly reason?: string;
  readonly metric: { readonly atFreeze: number; readonly now: number };
}

/** Hashes were checked when the project was opened; this runs the task's model on its test data. */
export async function verifyTask(runtime: Runtime, project: Project, task: string): Promise<Verified> {
  const { column } = taskOf(project, task);
  const { record } = frozenOf(project, task);
  const { test } = await loadTaskData(project, task);
  const { outputs } = record;
  const found = await taskOutputs(runtime, project.description, weightsOf(project), task, test.inputs, {
    providers: [outputs.provider],
    threads: outputs.threads,
  });
  const now = meanMetric(column.head, found.scores, test.targets);
  const metric = { atFreeze: record.metrics.accuracy ?? record.metrics.error ?? Number.NaN, now };
  const base = { task, rows: rows(test), metric };
  if (record.data.test !== fingerprint(test))
    return { ...base, identical: undefined, reason: 'the test data are others than at freezing' };
  if (found.sha256 === outputs.sha256) return { ...base, identical: true };
  if (record.versions.onnxruntime !== runtime.version) {
    return { ...base, identical: undefined, reason: `frozen with ${record.versions.onnxruntime}, this is ${runtime.version}` };
  }
  return { ...base, identical: false, reason: 'the outputs differ from those at freezing' };
}
