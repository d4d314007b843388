// prognet verify, prognet eval
import { UsageError } from '../../core/errors.js';
import { columnParameters } from '../../progressive/parameters.js';
import { frozenOf, frozenTasks, openProject, taskOf } from '../../project/project.js';
import { type Verified, type VerifyOptions, verifyTask } from '../../project/verify.js';
import { integerFlag } from '../flags.js';
import { colours, count, note, result, table } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface VerifyFlags extends RuntimeFlags {
  readonly all?: boolean;
}

type Checked = Verified & { readonly sha256Weights: string; readonly seconds: number | undefined; readonly parameters: number };

/** Opening the project checks the hashes of every frozen column; this runs the tasks. */
async function checkTasks(task: string | undefined, flags: VerifyFlags, how: VerifyOptions): Promise<Checked[]> {
  const project = openProject(flags.workspace ?? '.');
  const tasks = task === undefined ? frozenTasks(project) : [task];
  for (const name of tasks) frozenOf(project, name);
  const opened = await openRuntime(flags);
  const found: Checked[] = [];
  for (const name of tasks) {
    const { sha256, metrics } = frozenOf(project, name).record;
    const verified = await verifyTask(opened.runtime, project, name, { ...how, ...chosen(opened) });
    const parameters = columnParameters(project.description, taskOf(project, name).index).count;
    found.push({ ...verified, sha256Weights: sha256.weights, seconds: metrics.seconds, parameters });
    if (verified.identical === undefined) note(flags, `${name}: not comparable bit for bit, ${verified.reason}`);
  }
  if (found.some((v) => v.identical === false)) process.exitCode = 1;
  return found;
}

function verdict(v: Verified): string {
  if (v.identical !== undefined) return v.identical ? 'identical' : 'DIFFERENT';
  return v.close === undefined ? 'not comparable' : v.close ? 'not comparable, metrics agree' : 'not comparable, METRICS DIFFER';
}

function print(flags: VerifyFlags, found: readonly Checked[]): void {
  const rows = found.map((v) => [
    v.task,
    count(v.parameters),
    v.seconds === undefined ? '-' : `${v.seconds.toFixed(1)} s`,
    count(v.rows),
    v.metric.atFreeze.toFixed(4),
    v.metric.now.toFixed(4),
    v.loss.toFixed(4),
    verdict(v),
  ]);
  const paint = (text: string, row: number, column: number) => {
    const same = found[row]?.identical;
    if (column !== 7) return text;
    return same === undefined ? colours.yellow(text) : same ? colours.green(text) : colours.red(text);
  };
  const metric = found.some((v) => v.metric.name === 'error') ? 'metric' : 'accuracy';
  const header = ['task', 'parameters', 'trained in', 'test rows', `${metric} then`, 'now', 'loss now', 'outputs'];
  result(flags, { tasks: found }, rows.length === 0 ? 'no task is trained yet' : table(header, rows, paint));
}

export async function verify(flags: VerifyFlags): Promise<void> {
  print(flags, await checkTasks(undefined, flags, {}));
}

export async function evaluate(task: string | undefined, flags: VerifyFlags): Promise<void> {
  if (task !== undefined && flags.all) throw new UsageError('name one task, or give --all: prognet eval <task>');
  const threads = integerFlag('--threads', flags.threads);
  print(
    flags,
    await checkTasks(task, flags, {
      ...(threads === undefined ? {} : { threads }),
    }),
  );
}
