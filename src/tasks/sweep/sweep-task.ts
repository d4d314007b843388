// Trains combinations of settings side by side and ranks them by what they measure on the validation part. How a trial is run (in a process of its own,
// or in this one) is the caller's.
import { meanOf, spreadOf } from '../../analysis/study/scores.js';
import { fingerprint } from '../../data/fingerprint.js';
import { type Head, headLoss, metricName, metricRises } from '../../model/heads/heads.js';
import { type MeasureName, measureNamed, measuresFor, monitorNames, rises as risesBy } from '../../model/heads/measure-names.js';
import { refuseTraining } from '../../model/progressive/imported.js';
import { InterruptedError, must, UsageError } from '../../onnx/core/errors.js';
import { sha256 } from '../../onnx/files/hash.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { type Json, stableJson } from '../../workspace/json.js';
import { SweepStore, type SweepTrial } from '../../workspace/sweep-store.js';
import { createFolders } from '../../workspace/workspace.js';
import type { FlatEpoch } from '../epoch-records.js';
import { frozenIsFinal, type LoadedWorkspace, requireSources, sourceHashes, withText } from '../load-workspace.js';
import { versionsNow } from '../machine.js';
import { type Runner, sideBySide } from '../side-by-side.js';
import { toJson } from '../stored-run.js';
import { loadTaskData } from '../task-data.js';
import { basisOf } from '../trained-column.js';
import { type PlannedTrial, type PlanOptions, planTrials } from './plan.js';
import type { TrialJob, TrialOutcome } from './trial.js';

/** What runs trials. */
export type TrialRunner = Runner<TrialJob, TrialOutcome>;

/** A row of the table, and what each of its epochs measured, where that is known. */
export type TriedTrial = SweepTrial & { readonly history?: readonly FlatEpoch[] };

/** How a sweep is run. */
export interface SweepOptions extends PlanOptions {
  /** `loss`, the head's own or another measure of it; default: the head's own. */
  readonly metric?: string;
  /** Trials at one time. */
  readonly jobs: number;
  /** Threads of one op in each trial. The bits of the result depend on it. */
  readonly threads: number;
  /** Called for each of the trials that run at one time. */
  readonly runner: () => TrialRunner;
  /** On abort the running trials are dropped and InterruptedError is thrown; those that ended stay in the table. */
  readonly signal?: AbortSignal;
  /** Told of each trial that ended, or was found in the table. */
  readonly onTrial?: (trial: TriedTrial, done: number, total: number) => void;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

/** A combination with what its trials measured. */
export interface Ranked {
  readonly trials: readonly TriedTrial[];
  readonly planned: PlannedTrial;
  /** Means over the seeds; undefined where a trial is missing. */
  readonly metric?: number;
  readonly loss?: number;
  /** Standard deviation of the metric over the seeds; undefined for one. */
  readonly deviation?: number;
}

/** What a sweep found. */
export interface Sweep {
  readonly task: string;
  /** By what the combinations are ranked. */
  readonly by: string;
  /** The measure beside the loss: the head's own, or the one that was asked for. */
  readonly metric: string;
  /** The best first; those that failed last. */
  readonly ranked: readonly Ranked[];
  /** Trials that were asked for, and those that ended. */
  readonly asked: number;
  readonly ended: number;
}

/** All that a trial's numbers follow from. */
function keyOf(runtime: Runtime, loaded: LoadedWorkspace, task: string, data: string, threads: number, measure?: string): string {
  const column = loaded.columns.column(task);
  const measured = measure === undefined ? [] : [measure];
  return sha256(
    stableJson([basisOf(column, 'cpu'), sourceHashes(loaded, column), data, { ...versionsNow(runtime) }, threads, ...measured]),
  ).slice(0, 32);
}

/** What is measured beside the loss, where it is not the head's own. Throws UsageError. */
function measureOf(head: Head, by: string | undefined): MeasureName | undefined {
  const own = metricName(head);
  if (by === undefined || by === own || by === 'loss') return undefined;
  const known = measuresFor(head);
  const found = known.find(
    (name) => name === by || monitorNames.some((m) => m === by && m !== 'loss' && measureNamed(m) === name),
  );
  if (found !== undefined) return found;
  const expected = [...new Set([own, ...known, 'loss'])].join(', ');
  throw new UsageError(`--metric: found "${by}", expected one of ${expected}`, { path: '--metric', expected, got: by });
}

/**
 * Runs a sweep; trials that stand in the table are not run again.
 * @throws UsageError, DescriptionError and DataError before any trial is run; InterruptedError on abort, with the table kept
 */
export async function sweepTask(runtime: Runtime, loaded: LoadedWorkspace, task: string, options: SweepOptions): Promise<Sweep> {
  const { signal, threads } = options;
  const column = loaded.columns.column(task);
  if (loaded.frozen.has(task)) throw frozenIsFinal(task);
  refuseTraining(column);
  requireSources(loaded, column);
  const measure = measureOf(column.head, options.metric);
  const metric = measure ?? metricName(column.head);
  const by = options.metric === 'loss' ? 'loss' : metric;
  const plan = planTrials(loaded, must(loaded.text, 'description'), task, options);
  const data = fingerprint((await loadTaskData(loaded, task, options)).train);
  createFolders(loaded.workspace);
  const described = plan.map((planned) => [planned, withText(loaded, planned.text)] as const);
  if (by === 'loss')
    refuseLosses(
      described.map(([, { columns }]) => columns.column(task).head),
      metric,
    );
  const store = SweepStore.open(loaded.workspace.root, task, metric, measure);
  const found = new Map<PlannedTrial, TriedTrial>();
  const tell = (planned: PlannedTrial, trial: TriedTrial) => {
    found.set(planned, trial);
    options.onTrial?.(trial, found.size, plan.length);
  };
  try {
    const keys = new Map(
      described.map(([planned, workspace]) => [planned, keyOf(runtime, workspace, task, data, threads, measure)]),
    );
    for (const planned of plan) {
      const known = store.find(must(keys.get(planned), 'key'));
      if (known === undefined) continue;
      const history = store.historyOf(known.key);
      tell(planned, { ...known, ...(history.length > 0 && { history }) });
    }
    await sideBySide({
      left: plan.filter((planned) => !found.has(planned)),
      jobs: options.jobs,
      runner: options.runner,
      signal,
      job: ({ text }) => ({ task, text, threads, ...(measure && { measure }) }),
      ended: (planned, ended) => {
        const { history, ...outcome } = withHistory(ended);
        const trial = {
          key: must(keys.get(planned), 'key'),
          settings: settingsOf(planned),
          seed: planned.seed ?? column.seed,
          ...outcome,
          ...(measure && { measure }),
        };
        store.add(trial, history);
        tell(planned, { ...trial, ...(history.length > 0 && { history }) });
      },
    });
  } finally {
    store.close();
  }
  const rises = by !== 'loss' && (measure === undefined ? metricRises(column.head) : risesBy(measure));
  return { task, by, metric, ranked: rankedOf(plan, found, by, rises), asked: plan.length, ended: found.size };
}

/** Why a sweep that was stopped ends; its table stands in the workspace. */
export function sweepInterrupted({ task, ended, asked }: Sweep): InterruptedError {
  return new InterruptedError(
    `interrupted after ${ended} of ${asked} trials, which stand in runs/${task}/sweep; the same command goes on with the others`,
  );
}

/** Values of different losses do not compare. Throws UsageError. */
function refuseLosses(heads: readonly Head[], metric: string): void {
  if (new Set(heads.map((head) => stableJson(headLoss(head)))).size < 2) return;
  throw new UsageError(
    `--metric loss: the trials minimise different losses, which do not compare; expected a measure such as ${metric}`,
    {
      path: '--metric',
      expected: metric,
      got: 'loss',
    },
  );
}

/** An outcome and what its epochs measured apart. */
function withHistory(
  outcome: TrialOutcome,
): Omit<SweepTrial, 'key' | 'settings' | 'seed'> & { readonly history: readonly FlatEpoch[] } {
  return outcome.state === 'done' ? outcome : { ...outcome, history: [] };
}

function settingsOf({ combination }: PlannedTrial): Record<string, Json> {
  return Object.fromEntries(Object.entries(combination).map(([name, value]) => [name, toJson(value)]));
}

/** Combinations by their means, the best first; of equal ones the smaller loss, then the one that was planned first. */
function rankedOf(
  plan: readonly PlannedTrial[],
  found: ReadonlyMap<PlannedTrial, TriedTrial>,
  by: string,
  rises: boolean,
): Ranked[] {
  const groups = new Map<PlannedTrial['combination'], PlannedTrial[]>();
  for (const planned of plan) groups.set(planned.combination, [...(groups.get(planned.combination) ?? []), planned]);
  const ranked = [...groups.values()].map((group): Ranked => {
    const trials = group.flatMap((planned) => found.get(planned) ?? []);
    const done = trials.flatMap(({ metric, loss }) => (metric === undefined || loss === undefined ? [] : [{ metric, loss }]));
    const planned = must(group[0], 'trial');
    if (done.length < group.length) return { trials, planned };
    const { mean: metric, deviation } = spreadOf(done.map((d) => d.metric));
    return { trials, planned, metric, loss: meanOf(done.map((d) => d.loss)), ...(group.length > 1 && { deviation }) };
  });
  const value = ({ metric, loss }: Ranked): number => {
    const measured = by === 'loss' ? loss : metric;
    return measured === undefined ? Number.POSITIVE_INFINITY : rises ? -measured : measured;
  };
  const apart = (a: number, b: number) => (a === b ? 0 : a - b);
  return ranked.sort((a, b) => apart(value(a), value(b)) || apart(a.loss ?? 0, b.loss ?? 0));
}
