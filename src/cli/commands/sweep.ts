// prognet sweep
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InterruptedError, TrainingError, UsageError } from '../../onnx/core/errors.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { processRunner } from '../../tasks/process-runner.js';
import { keepTrial } from '../../tasks/sweep/keep-trial.js';
import { type Ranked, type Sweep, sweepInterrupted, sweepTask } from '../../tasks/sweep/sweep-task.js';
import type { SweepTrial } from '../../workspace/sweep-store.js';
import { choiceFlag, integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { progressOf, trialsProgress } from '../progress.js';
import { colours, type GlobalOptions, result, table } from '../report.js';
import { openRuntime } from '../runtime.js';

export interface SweepFlags extends GlobalOptions {
  readonly set: readonly string[];
  readonly trials?: string;
  readonly seeds?: string;
  readonly metric?: string;
  readonly jobs?: string;
  readonly threads?: string;
  readonly keep?: string;
  readonly write?: boolean;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const settingsText = (settings: Readonly<Record<string, unknown>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(', ');

function outcomeText({ state, reason }: SweepTrial): string {
  return state === 'done' ? 'done' : `${state}: ${reason ?? ''}`;
}

/** The best first; each combination with its means. */
function tableOf({ metric, ranked }: Sweep): string {
  const names = Object.keys(ranked[0]?.planned.combination ?? {});
  const number = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(4));
  const many = ranked.some(({ deviation }) => deviation !== undefined);
  const stateOf = ({ trials }: Ranked) => {
    const bad = trials.find(({ state }) => state !== 'done');
    return bad !== undefined ? outcomeText(bad) : trials.length === 0 ? 'not run' : 'done';
  };
  const rows = ranked.map((r) => [
    ...names.map((name) => shown(r.planned.combination[name])),
    number(r.metric),
    ...(many ? [number(r.deviation)] : []),
    number(r.loss),
    r.trials.map((t) => t.epoch ?? '-').join(' '),
    `${r.trials.reduce((s, t) => s + (t.seconds ?? 0), 0).toFixed(1)} s`,
    stateOf(r),
  ]);
  const header = [...names, `validation ${metric}`, ...(many ? ['±'] : []), 'loss', 'epoch', 'time', 'state'];
  return table(header, rows, (text, row) => (row === 0 && ranked[0]?.metric !== undefined ? colours.green(text) : text));
}

const documentOf = ({ task, by, metric, ranked, asked, ended }: Sweep): object => ({
  task,
  by,
  metric,
  measuredOn: 'validation part',
  asked,
  ended,
  trials: ranked.map(({ planned, ...rest }) => ({ settings: planned.combination, ...rest })),
});

async function keptText(
  flags: SweepFlags,
  loaded: LoadedWorkspace,
  task: string,
  best: Ranked,
  threads: number,
  signal: AbortSignal,
): Promise<{ readonly document: object; readonly text: string }> {
  const { runtime } = await openRuntime({ ...flags, threads: String(threads) });
  const progress = progressOf(flags, task);
  const options = { threads, signal, onEvent: progress.event, onNote: progress.line, write: flags.write === true };
  try {
    const { trained, lines } = await keepTrial(runtime, loaded, task, best.planned, options);
    const test = `${task} trained with ${settingsText(best.planned.combination)}, not frozen: ${trained.metric} ${trained.value.toFixed(4)} on its test data`;
    const say = `\n${loaded.file} does not say so yet; in the column of ${task} put, or give --write:\n${lines.map((l) => `  ${l}\n`).join('')}`;
    const text = `${test}${lines.length === 0 ? '' : say.trimEnd()}\nthen: prognet freeze ${task}`;
    return { document: { ...trained, lines, written: flags.write === true }, text };
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    throw new InterruptedError(`${error.statement}; state kept, the same command goes on`, { cause: error });
  } finally {
    progress.stop();
  }
}

export async function sweep(task: string, flags: SweepFlags): Promise<void> {
  if (flags.set.length === 0) throw new UsageError('give what to try: prognet sweep <task> --set lr=0.1,0.01', { path: '--set' });
  const keep = flags.keep !== undefined && choiceFlag('--keep', flags.keep, ['best']) === 'best';
  if (flags.write && !keep) throw new UsageError('--write is for --keep best', { path: '--write' });
  const [trials, seeds] = [integerFlag('--trials', flags.trials), integerFlag('--seeds', flags.seeds)];
  const threads = integerFlag('--threads', flags.threads) ?? 1;
  const jobs = integerFlag('--jobs', flags.jobs) ?? Math.max(1, Math.floor(availableParallelism() / threads));
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const { root } = loaded.workspace;
  const { runtime } = await openRuntime({ ...flags, threads: String(threads) });
  await interruptible(flags, 'stopping, the table is kept', async (signal) => {
    const progress = trialsProgress(flags, task);
    let found: Sweep;
    try {
      found = await sweepTask(runtime, loaded, task, {
        set: flags.set,
        ...(trials !== undefined && { trials }),
        ...(seeds !== undefined && { seeds }),
        ...(flags.metric !== undefined && { metric: flags.metric }),
        jobs,
        threads,
        runner: () => processRunner('trial-process', root),
        signal,
        onNote: progress.line,
        onTrial: (trial, done, total) => {
          const measured =
            trial.metric === undefined
              ? outcomeText(trial)
              : `validation loss ${trial.loss?.toFixed(4)} metric ${trial.metric.toFixed(4)}`;
          progress.done(`${settingsText(trial.settings)}, seed ${trial.seed}: ${measured}`, done, total);
        },
      });
    } finally {
      progress.stop();
    }
    const [best] = found.ranked;
    const measured = best?.metric !== undefined;
    const head = tableOf(found);
    const where = `measured on the validation part; the test set was not looked at. Kept in ${join('runs', task, 'sweep')}`;
    if (signal.aborted) {
      result(flags, documentOf(found), `${head}\n${where}`);
      throw sweepInterrupted(found);
    }
    if (best === undefined || !measured) {
      result(flags, documentOf(found), `${head}\n${where}`);
      throw new TrainingError(`no trial of task "${task}" could be measured: ${best?.trials[0]?.reason ?? 'none was run'}`);
    }
    const line = `best: ${settingsText(best.planned.combination)}`;
    const kept = keep ? await keptText(flags, loaded, task, best, threads, signal) : undefined;
    const next = kept?.text ?? 'the same command with --keep best trains it as the column of the task';
    result(flags, { ...documentOf(found), ...(kept && { kept: kept.document }) }, `${head}\n${where}\n${line}\n${next}`);
  });
}
