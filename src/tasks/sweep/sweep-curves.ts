// Learning curves of the trials of a sweep, over one another: all that the table holds, the best of them by what was measured strongest.
import type { CurveRun, Curves } from '../../chart/curves.js';
import { metricName, metricRises } from '../../model/heads/heads.js';
import { measureNames, rises } from '../../model/heads/measure-names.js';
import { UsageError } from '../../onnx/core/errors.js';
import { readSweep, type SweepTrial } from '../../workspace/sweep-store.js';
import type { Followed } from '../best-epoch.js';
import { epochOf } from '../epoch-records.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { curvePanels } from '../task-curves.js';

/** Trials that have a colour each. */
const coloured = 5;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * The curves of a task's trials on the validation data, of the best one on the training data too.
 * @param names what is drawn; undefined: the loss and the measures that say most
 * @throws UsageError where the task has no trial whose epochs were kept, and where a measure is in none
 */
export function sweepCurves(loaded: LoadedWorkspace, task: string, names?: readonly Followed[]): Curves {
  const { head } = loaded.columns.column(task);
  const table = readSweep(loaded.workspace.root, task);
  const metric = table?.metric ?? metricName(head);
  const found = (table?.trials ?? []).flatMap((trial) => {
    const history = (table?.historyOf(trial.key) ?? []).map(epochOf);
    return history.length === 0 ? [] : [{ trial, history }];
  });
  if (found.length === 0) {
    const what =
      table === undefined ? 'no sweep yet' : 'no trial whose epochs were kept, those of earlier versions kept the last alone';
    throw new UsageError(`task "${task}" has ${what}: prognet sweep ${task} --set lr=0.01,0.001`, { got: task });
  }
  const measure = measureNames.find((name) => name === metric);
  const up = measure === undefined ? metricRises(head) : rises(measure);
  const value = ({ measure: own = metricName(head), metric: measured }: SweepTrial): number =>
    own !== metric || measured === undefined ? Number.POSITIVE_INFINITY : up ? -measured : measured;
  const apart = (a: number, b: number) => (a === b ? 0 : a - b);
  const trials = found.sort((a, b) => apart(value(a.trial), value(b.trial)) || apart(a.trial.loss ?? 0, b.trial.loss ?? 0));
  const seeds = new Set(trials.map(({ trial }) => trial.seed)).size > 1;
  const runs = trials.map(({ trial, history }, i): CurveRun => {
    const { settings, seed, metric: measured, epoch } = trial;
    const name = [...Object.entries(settings).map(([key, set]) => `${key} ${shown(set)}`), ...(seeds ? [`seed ${seed}`] : [])];
    const about = [
      `${history.length} ${history.length === 1 ? 'epoch' : 'epochs'}`,
      ...(epoch === undefined ? [] : [`weights of epoch ${epoch}`]),
    ];
    return {
      name: name.join(', '),
      about: `${i === 0 ? 'best of the sweep; ' : ''}${about.join('; ')}`,
      ...(measured !== undefined && { result: `validation ${trial.measure ?? metricName(head)} ${measured.toFixed(4)}` }),
      ...(i === 0 && epoch !== undefined && { best: epoch }),
      ...(i === 0 ? { weight: 'strong' } : i >= coloured ? { weight: 'quiet' } : {}),
    };
  });
  const drawn = trials.map(({ history }, i) => ({ history, ...(i > 0 && { parts: ['validation'] as const }) }));
  const panels = curvePanels(drawn, ['training', 'validation'], names, task);
  return { title: `Trials of the sweep of ${task}`, runs, panels };
}
