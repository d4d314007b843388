// The loop of a workspace's training: with its checkpoints and metrics in the run's folder, and taps beyond the memory budget in cache/.

import { dirname, join } from 'node:path';
import { rows, type SampleSet, type Split } from '../data/dataset.js';
import type { Column } from '../model/progressive/column.js';
import type { GivenData, TaskData } from '../network/growing.js';
import { stopIfAborted } from '../onnx/core/errors.js';
import type { Runtime } from '../onnx/runtime/session.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { headFigures } from '../train/evaluate.js';
import type { TrainEvent } from '../train/events.js';
import { singleRowNote } from '../train/least-rows.js';
import { type TrainResult, train } from '../train/loop.js';
import { fitData, partition } from '../train/prepare-data.js';
import type { TrainSettings } from '../train/settings.js';
import { stateSchema } from '../train/state-schema.js';
import type { TapCache } from '../train/taps/tap-cache.js';
import type { Run } from '../workspace/run-store.js';
import { TapStore } from '../workspace/tap-store.js';
import { TrainingLog } from '../workspace/training-log.js';
import type { ChosenEngine } from './engines.js';
import { flat } from './epoch-records.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { versionsNow } from './machine.js';
import { besideRate, type RunIdentity, toJson } from './stored-run.js';

export interface Parts extends Split<SampleSet> {
  readonly validation?: SampleSet;
}

/** Checked against the network's inputs and the column's head. */
export function givenData(column: Column, { train: own, validation, test }: TaskData & { readonly test: GivenData }): Parts {
  const checked = (part: string, given: GivenData) => fitData(column, given, `${part} data of task "${column.task}"`);
  return {
    train: checked('train', own),
    test: checked('test', test),
    ...(validation !== undefined && { validation: checked('validation', validation) }),
  };
}

/** What the loop is told from outside. */
export interface RunOptions {
  readonly log?: string;
  readonly resume?: boolean;
  readonly tapCache?: TapCache;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
  readonly onNote?: (line: string) => void;
}

export interface Work {
  readonly runtime: Runtime;
  readonly loaded: LoadedWorkspace;
  readonly column: Column;
  readonly settings: TrainSettings;
  readonly data: Parts;
  readonly session: { readonly providers: readonly string[]; readonly threads: number };
  readonly engine: ChosenEngine;
  readonly options: RunOptions;
}

/** Where a training is logged beside the workspace, if anybody asked for it. Epochs of a run that goes on are in it, or are written into it. */
function logOf(run: Run, { options, column }: Work, history: readonly EpochRecord[]): TrainingLog | undefined {
  const opened = TrainingLog.open(run.folder, column.task, options.log, history.length);
  if (opened === undefined) return undefined;
  const { log, whole } = opened;
  if (whole) for (const record of history) logEpoch(log, record);
  options.onNote?.(`${column.task} is logged in ${log.folder}: tensorboard --logdir ${dirname(log.folder)}`);
  return log;
}

function logEpoch(log: TrainingLog, { epoch, loss, rate, measures = {}, validation }: EpochRecord): void {
  log.write('training', epoch, { loss, rate, ...measures });
  if (validation !== undefined)
    log.write('validation', epoch, { loss: validation.loss, ...validation.measures, ...headFigures(validation.heads) });
}

/** Runs the loop with checkpoints and metrics in the run's folder, and the log that was asked for. */
export async function trainInRun(
  run: Run,
  identity: RunIdentity,
  work: Work,
): Promise<TrainResult & { readonly log: TrainingLog | undefined }> {
  const { settings, data, options } = work;
  const json = toJson(identity);
  const resumed = options.resume === true && run.started ? run.resume(json, besideRate) : undefined;
  for (const note of resumed?.notes ?? []) options.onNote?.(note);
  if (resumed === undefined) run.start(json);
  const checkpoint = resumed?.checkpoint && {
    tensors: resumed.checkpoint.tensors,
    state: stateSchema.parse(resumed.checkpoint.state),
  };
  let log: TrainingLog | undefined;
  try {
    log = logOf(run, work, checkpoint?.state.history ?? []);
  } catch (error) {
    // Nothing was trained that would have to go on.
    if (resumed === undefined) run.drop();
    throw error;
  }
  const { validation } = data;
  const parts =
    validation === undefined
      ? partition(data.train, settings, `train data of task "${work.column.task}"`)
      : { train: data.train, validation };
  const perEpoch = Math.ceil(rows(parts.train) / Math.min(settings.batch, rows(parts.train)));
  const single = singleRowNote(work.column, rows(parts.train), Math.min(settings.batch, rows(parts.train)));
  if (single !== undefined) options.onNote?.(single);
  const result = await train({
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
      load: async () => checkpoint,
      save: async ({ state, tensors }) => run.saveCheckpoint({ step: state.step, tensors, state: toJson(state) }),
    },
    onEvent: (event) => {
      // Before the first step there is no checkpoint to save: the loop need not hear of the abort.
      if (event.kind === 'tapping') stopIfAborted(options.signal);
      if (event.kind === 'epoch') {
        run.appendMetrics({ step: event.record.epoch * perEpoch, ...flat(event.record) });
        if (log !== undefined) logEpoch(log, event.record);
      }
      options.onEvent?.(event);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { ...result, log };
}

const cacheOf = (root: string): string => join(root, 'cache');

/** Removes the taps that trainings left: their column is frozen, and the next one reads others. */
export function clearTaps(root: string): void {
  new TapStore(cacheOf(root), '').clear();
}

/** Taps beyond the memory budget, under all that their bits depend on beside the inputs. */
function tapStore({ runtime, loaded, column, session }: Work): TapStore {
  const columns = column.foundation.map(({ task }) => loaded.frozen.get(task)?.record.sha256);
  return new TapStore(cacheOf(loaded.workspace.root), JSON.stringify([versionsNow(runtime), session, columns]));
}
