// prognet verify, prognet eval

import { metricName } from '../../model/heads/heads.js';
import { DataError, must, PrognetError, UsageError } from '../../onnx/core/errors.js';
import { frozenOf, frozenTasks, type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { trainedTasks, withTrained } from '../../tasks/trained-column.js';
import { hasMoved, outcomeOf, type Verified, type VerifiedHead, type VerifyOptions, verifyWith } from '../../tasks/verify.js';
import { Evaluator } from '../../train/evaluate.js';
import type { Measures } from '../../train/measures.js';
import { integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { progressOf } from '../progress.js';
import { colours, count, note, result, table, warn } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface VerifyFlags extends RuntimeFlags {
  readonly all?: boolean;
}

interface Checked {
  readonly task: string;
  /** Else trained, and asked as it stands in runs/. */
  readonly frozen: boolean;
  readonly parameters: number;
  /** Of its training. */
  readonly seconds: number | undefined;
  readonly sha256Weights: string;
  readonly metric: { readonly name: string; readonly atFreeze: number };
  /** undefined: the task's data cannot be read, `reason` says why. */
  readonly verified?: Verified;
  readonly reason?: string;
}

function recorded(loaded: LoadedWorkspace, task: string): Checked {
  const { metrics, sha256 } = frozenOf(withTrained(loaded, task), task).record;
  const column = loaded.columns.column(task);
  const name = metricName(column.head);
  return {
    task,
    frozen: loaded.frozen.has(task),
    parameters: column.parameters.count,
    seconds: metrics.seconds,
    sha256Weights: sha256.weights,
    metric: { name, atFreeze: metrics[name] ?? Number.NaN },
  };
}

/** Loading the workspace checks the hashes of every frozen column; this runs the tasks. The data of one keep no other from its proof. */
async function checkTasks(
  task: string | undefined,
  flags: VerifyFlags,
  how: VerifyOptions,
  besideFrozen: (loaded: LoadedWorkspace) => readonly string[],
): Promise<Checked[]> {
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const tasks = task === undefined ? [...frozenTasks(loaded), ...besideFrozen(loaded)] : [task];
  const records = tasks.map((name) => recorded(loaded, name));
  const opened = await openRuntime(flags);
  const evaluator = new Evaluator(opened.runtime);
  const found: Checked[] = [];
  for (const record of records) {
    const progress = progressOf(flags, record.task);
    try {
      const verified = await verifyWith(evaluator, opened.runtime, withTrained(loaded, record.task), record.task, {
        ...how,
        ...chosen(opened),
        onReading: progress.reading,
      });
      found.push({ ...record, verified, ...(verified.reason !== undefined && { reason: verified.reason }) });
    } catch (error) {
      if (!(error instanceof DataError) || tasks.length === 1) throw error;
      found.push({ ...record, reason: error.message });
    } finally {
      progress.stop();
    }
    const { reason, verified } = must(found.at(-1), 'result');
    const apart = verified?.identical === false ? '' : 'not comparable bit for bit, ';
    if (reason !== undefined) note(flags, `${record.task}: ${apart}${reason}`);
  }
  await evaluator.release();
  return found;
}

/** Outputs that moved, or metrics that did where bits cannot be compared. */
const moved = ({ verified }: Checked): boolean => hasMoved(verified);
/** The test data are gone, or others than at freezing. */
const unproved = ({ verified }: Checked): boolean => verified?.identical === undefined && verified?.close === undefined;

function verdict(checked: Checked): string {
  const outcome = outcomeOf(checked.verified);
  return checked.frozen ? outcome : `${outcome}, not frozen`;
}

function print(flags: VerifyFlags, found: readonly Checked[]): void {
  const rows = found.map((c) => [
    c.task,
    count(c.parameters),
    c.seconds === undefined ? '-' : `${c.seconds.toFixed(1)} s`,
    c.verified === undefined ? '-' : count(c.verified.rows),
    Number.isNaN(c.metric.atFreeze) ? '-' : c.metric.atFreeze.toFixed(4),
    c.verified?.metric?.now.toFixed(4) ?? '-',
    c.verified?.loss?.toFixed(4) ?? '-',
    verdict(c),
  ]);
  const paint = (text: string, row: number, column: number) => {
    const same = found[row]?.verified?.identical;
    if (column !== 7) return text;
    return same === undefined ? colours.yellow(text) : same ? colours.green(text) : colours.red(text);
  };
  const metric = found.some((c) => c.metric.name === 'error') ? 'metric' : 'accuracy';
  const header = ['task', 'parameters', 'trained in', 'test rows', `${metric} then`, 'now', 'loss now', 'outputs'];
  const tasks = found.map(({ verified, ...rest }) => ({ ...rest, ...verified }));
  const measured = found.flatMap(({ task, verified }) => [
    ...(verified?.measures === undefined ? [] : [measuresText(task, verified.measures)]),
    ...Object.entries(verified?.heads ?? {}).map(([name, head]) => headText(`${task} ${name}`, head)),
  ]);
  result(flags, { tasks }, rows.length === 0 ? 'no task is trained yet' : [table(header, rows, paint), ...measured].join('\n\n'));
  for (const { task, verified } of found) {
    const constant = verified?.measures?.constant;
    if (constant !== undefined) warn(flags, `${task}: ${constant}`);
    for (const [name, { measures }] of Object.entries(verified?.heads ?? {}))
      if (measures?.constant !== undefined) warn(flags, `${task} ${name}: ${measures.constant}`);
  }
}

/** One of several heads: its loss and its measures, else its metric. */
function headText(name: string, { loss, metric, measures }: VerifiedHead): string {
  const figures = measures ?? { of: 'samples' as const, overall: { [metric.name]: metric.value }, outputs: [] };
  return measuresText(name, { ...figures, overall: { loss, ...figures.overall } });
}

/** Rows that are printed of each task; --json has all. */
const mostRows = 20;

/** Over all in a line, then a row for each class, label or number. */
function measuresText(
  task: string,
  { of, overall, outputs }: Pick<Measures, 'of' | 'outputs'> & { readonly overall: Readonly<Record<string, number>> },
): string {
  const line = Object.entries(overall).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const names = [...new Set(outputs.flatMap(({ measures }) => Object.keys(measures)))];
  const rows = outputs
    .slice(0, mostRows)
    .map(({ name, support, measures }) => [name, count(support), ...names.map((n) => measures[n]?.toFixed(4) ?? '-')]);
  const more = outputs.length > mostRows ? [`and ${outputs.length - mostRows} more, all by --json`] : [];
  const each = rows.length === 0 ? [] : [table(['', of, ...names], rows)];
  return [`${task}: ${line.join(', ')}`, ...each, ...more].join('\n');
}

/** Nothing is kept of what is interrupted. */
const stoppable = <T>(flags: VerifyFlags, work: (signal: AbortSignal) => Promise<T>) => interruptible(flags, 'stopping', work);

/** Fails (exit code 1) where a task moved, or where nothing could be proved of it. */
export async function verify(flags: VerifyFlags): Promise<void> {
  const found = await stoppable(flags, (signal) => checkTasks(undefined, flags, { signal }, () => []));
  print(flags, found);
  if (found.some((c) => moved(c) || unproved(c))) process.exitCode = 1;
}

/** Whether a trained column can be asked; why not is said, and keeps no other from being asked. */
function answers(flags: VerifyFlags, loaded: LoadedWorkspace, task: string): boolean {
  try {
    withTrained(loaded, task);
    return true;
  } catch (error) {
    if (!(error instanceof PrognetError)) throw error;
    note(flags, error.statement);
    return false;
  }
}

/** Fails (exit code 1) where a task moved or its data cannot be read. */
export async function evaluate(task: string | undefined, flags: VerifyFlags): Promise<void> {
  if (task !== undefined && flags.all) throw new UsageError('name one task, or give --all: prognet eval <task>');
  const threads = integerFlag('--threads', flags.threads);
  const how = { measures: true, ...(threads !== undefined && { threads }) };
  const found = await stoppable(flags, (signal) =>
    checkTasks(task, flags, { ...how, signal }, (loaded) => trainedTasks(loaded).filter((name) => answers(flags, loaded, name))),
  );
  print(flags, found);
  if (found.some((c) => moved(c) || c.verified === undefined)) process.exitCode = 1;
}
