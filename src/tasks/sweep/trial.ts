// One trial of a sweep: a training that keeps no files, measured on the validation part. The test set is not looked at.
import type { SampleSet } from '../../data/dataset.js';
import type { MeasureName } from '../../model/heads/measure-names.js';
import { must } from '../../onnx/core/errors.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { DivergedError } from '../../train/diverged.js';
import { train } from '../../train/loop.js';
import { partition } from '../../train/prepare-data.js';
import { trainSettings } from '../../train/settings.js';
import { stableJson } from '../../workspace/json.js';
import { type FlatEpoch, flat } from '../epoch-records.js';
import { type LoadedWorkspace, weightsOf, withText } from '../load-workspace.js';
import { toJson } from '../stored-run.js';
import { loadTaskData } from '../task-data.js';

/** What a process is told to train. */
export interface TrialJob {
  readonly task: string;
  /** The description of this trial. */
  readonly text: string;
  readonly threads: number;
  /** What is measured; the head's own metric when absent. */
  readonly measure?: MeasureName;
}

/** How a trial ended. */
export type TrialOutcome =
  | {
      readonly state: 'done';
      /** Both on the validation part. */
      readonly metric: number;
      readonly loss: number;
      /** The epoch whose weights are kept. */
      readonly epoch: number;
      readonly seconds: number;
      /** What each epoch measured. */
      readonly history: readonly FlatEpoch[];
    }
  | { readonly state: 'diverged' | 'failed'; readonly reason: string };

/** The data of the last trial, for the next one that reads the same. */
export interface KeptData {
  key?: string;
  train?: SampleSet;
}

/** Trains and measures. Throws for what the description or the data do not take. */
export async function runTrial(
  runtime: Runtime,
  opened: LoadedWorkspace,
  { task, text, threads, measure }: TrialJob,
  kept: KeptData = {},
): Promise<TrialOutcome> {
  const started = performance.now();
  const loaded = withText(opened, text);
  const column = loaded.columns.column(task);
  const settings = trainSettings(column.train, column.seed, column.head);
  const key = stableJson(toJson([column.description.data, column.head, column.prepare, loaded.description.inputs]));
  if (kept.key !== key || kept.train === undefined) {
    kept.train = (await loadTaskData(loaded, task)).train;
    kept.key = key;
  }
  try {
    const { history, epoch } = await train({
      runtime,
      column,
      frozen: weightsOf(loaded),
      settings,
      ...partition(kept.train, settings, `train data of task "${task}"`),
      session: { providers: ['cpu'], threads },
    });
    const record = must(history[epoch - 1], 'epoch');
    const { loss, metric: own, measures = {} } = must(record.validation, 'validation');
    const metric = measure === undefined ? own : measures[measure];
    if (metric === undefined) return { state: 'failed', reason: `the validation part gives no ${measure}` };
    const seconds = (performance.now() - started) / 1000;
    return { state: 'done', loss, metric, epoch, seconds, history: history.map(flat) };
  } catch (error) {
    if (error instanceof DivergedError) return { state: 'diverged', reason: error.statement };
    throw error;
  }
}
