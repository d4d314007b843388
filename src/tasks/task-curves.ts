// Learning curves of tasks of a workspace: of each the training that is kept, frozen or not, and an unfinished one. Of earlier trainings nothing is
// kept but what --log wrote.
import type { CurveLine, CurvePanel, CurveRun, Curves } from '../chart/curves.js';
import { rises } from '../model/heads/measure-names.js';
import { UsageError } from '../onnx/core/errors.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { trainSettings } from '../train/settings.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { readRunMetrics } from '../workspace/run-store.js';
import { bestEpoch, type Followed, followedBy, monitorOf } from './best-epoch.js';
import { epochOf } from './epoch-records.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { runExists } from './stored-run.js';
import { isTrained, trainedOf } from './trained-column.js';

/** One training of a task. */
export interface TaskRun {
  readonly name: string;
  readonly state: string;
  readonly history: readonly EpochRecord[];
  /** What the epoch to mark is the best by. */
  readonly monitor: Followed;
  /** Of the finished column. */
  readonly test?: string;
}

const units: Readonly<Record<Followed, string>> = {
  loss: 'mean over rows',
  accuracy: 'part of the answers, 0 to 1',
  'balanced accuracy': 'mean over classes, 0 to 1',
  'macro f1': 'mean over classes, 0 to 1',
  'macro auc': 'area, 0.5 is chance',
  'top 5 accuracy': 'part of the answers, 0 to 1',
  'calibration error': 'part, 0 is best',
  mae: 'mean absolute error, unit of the target',
  rmse: 'root mean squared error, unit of the target',
  r2: 'of the variance, 1 is best',
};
/** What is drawn where nothing else is asked for, as far as it is there. */
const usual: readonly Followed[] = ['loss', 'accuracy', 'macro f1', 'mae', 'r2'];

/** The trainings of a task whose epochs are kept; none where it is not trained, or was elsewhere. */
export function runsOf(loaded: LoadedWorkspace, task: string): TaskRun[] {
  const { root } = loaded.workspace;
  const column = loaded.columns.column(task);
  const found: TaskRun[] = [];
  const kept = (record: ColumnRecord, state: string) => {
    const history = (record.history ?? []).map(epochOf);
    if (history.length === 0) return;
    const test = Object.entries(record.metrics).find(([name]) => name === 'accuracy' || name === 'error');
    const monitor = monitorOf(record) ?? 'loss';
    found.push({ name: task, state, history, monitor, ...(test && { test: `test ${test[0]} ${test[1].toFixed(4)}` }) });
  };
  const frozen = loaded.frozen.get(task);
  if (frozen !== undefined) kept(frozen.record, 'frozen');
  else if (isTrained(loaded, task)) kept(trainedOf(loaded, task).record, 'trained, not frozen');
  if (frozen === undefined && runExists(root, task)) {
    const history = readRunMetrics(root, task).map(epochOf);
    const { earlyStopping } = trainSettings(column.train, column.seed, column.head);
    const monitor = followedBy(earlyStopping?.monitor);
    if (history.length > 0)
      found.push({ name: found.length > 0 ? `${task}, unfinished` : task, state: 'unfinished', history, monitor });
  }
  return found;
}

const drawnOf = (name: Followed, of: { readonly loss: number; readonly measures?: EpochRecord['measures'] } | undefined) =>
  name === 'loss' ? of?.loss : of?.measures?.[name];

/**
 * The curves of these tasks.
 * @param names what is drawn; undefined: the loss and the measures that say most
 * @throws UsageError for a task that is unknown or has no training, and where a measure is in none
 */
export function taskCurves(loaded: LoadedWorkspace, tasks: readonly string[], names?: readonly Followed[]): Curves {
  const runs = tasks.flatMap((task) => {
    const found = runsOf(loaded, task);
    if (found.length > 0) return found;
    const imported = loaded.columns.column(task).description.onnx !== undefined;
    throw new UsageError(
      `task "${task}" ${imported ? 'is imported, so no training of it is known' : 'has no epoch to draw yet'}`,
      imported ? { got: task } : { got: task, remedy: { kind: 'train', task } },
    );
  });
  const panels = curvePanels(runs, ['training', 'validation'], names, tasks.join(', '));
  return { title: `Learning curves of ${tasks.join(', ')}`, runs: runs.map(runText), panels };
}

/** What is drawn of one training. */
export interface DrawnRun {
  readonly history: readonly EpochRecord[];
  /** Where it is not drawn of all that is asked for. */
  readonly parts?: readonly CurveLine['part'][];
}

/**
 * A panel for each measure, as far as it is there.
 * @param of whose epochs they are, for errors
 * @throws UsageError where a measure that is asked for is in none
 */
export function curvePanels(
  runs: readonly DrawnRun[],
  parts: readonly CurveLine['part'][],
  names: readonly Followed[] | undefined,
  of: string,
): CurvePanel[] {
  return (names ?? usual).flatMap((name): CurvePanel[] => {
    const lines = runs.flatMap(({ history, parts: own = parts }, run) =>
      own.flatMap((part): CurveLine[] => {
        const points = history.flatMap((record) => {
          const value = drawnOf(name, part === 'training' ? record : record.validation);
          return value === undefined ? [] : [{ epoch: record.epoch, value }];
        });
        return points.length === 0 ? [] : [{ run, part, points }];
      }),
    );
    if (lines.length === 0 && names !== undefined)
      throw new UsageError(`no epoch of ${of} was measured by "${name}"`, { path: 'measure', got: name });
    if (lines.length === 0) return [];
    const cut = name === 'r2' && lines.some(({ points }) => points.some(({ value }) => value < -1));
    const logarithmic = name === 'loss' || (!rises(name) && name !== 'calibration error');
    return [{ name, unit: units[name], ...(cut && { least: -1 }), logarithmic, lines }];
  });
}

function runText(run: TaskRun): CurveRun {
  const best = bestEpoch(run.history, run.monitor);
  const { length } = run.history;
  const said = [
    `${run.state}, ${length} ${length === 1 ? 'epoch' : 'epochs'}`,
    ...(best === undefined ? [] : [`best epoch ${best.epoch} by ${best.by}`]),
  ];
  return {
    name: run.name,
    about: said.join('; '),
    ...(run.test !== undefined && { result: run.test }),
    ...(best !== undefined && { best: best.epoch }),
  };
}
