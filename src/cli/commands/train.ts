// prognet train

import type { Train } from '../../model/description/description.js';
import { trainSchema } from '../../model/description/train-schema.js';
import { InterruptedError, UsageError } from '../../onnx/core/errors.js';
import type { EarlierTask } from '../../tasks/earlier-tasks.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { runExists, unfinished } from '../../tasks/stored-run.js';
import { type TrainedTask, trainLoaded } from '../../tasks/train-task.js';
import { TapCache } from '../../train/taps/tap-cache.js';
import { integerFlag } from '../flags.js';
import { progressOf } from '../progress.js';
import { note, result, table } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface TrainFlags extends RuntimeFlags {
  readonly all?: boolean;
  readonly epochs?: string;
  readonly batch?: string;
  readonly lr?: string;
  readonly optimizer?: string;
  readonly schedule?: string;
  readonly clip?: string;
  readonly seed?: string;
  readonly engine?: string;
  readonly resume?: boolean;
  readonly restart?: boolean;
}

/** `cosine`, `step:10`, `step:10:0.5` as the description writes them. */
function scheduleOf(text: string): unknown {
  const [, every, factor] = /^step:([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (every === undefined) return text;
  return { step: { every: Number(every), ...(factor === undefined ? {} : { factor: Number(factor) }) } };
}

/** `norm:1`, `value:0.5` as the description writes them. */
function clipOf(text: string): unknown {
  const [, kind, limit] = /^([^:]+):([^:]+)$/.exec(text) ?? [];
  return kind === undefined ? text : { [kind]: Number(limit) };
}

/** The training options among the flags, checked by the description's own schema. */
function overridesOf(flags: TrainFlags): Train {
  const { epochs, batch, lr, seed, optimizer, schedule, clip } = flags;
  const texts: Record<string, string | undefined> = { epochs, batch, lr, seed, optimizer, schedule, clip };
  const given: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined) continue;
    given[name] =
      name === 'schedule'
        ? scheduleOf(text)
        : name === 'clip'
          ? clipOf(text)
          : name === 'optimizer'
            ? text
            : /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
              ? Number(text)
              : text;
  }
  const parsed = trainSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0]);
  const right = /^(expected|did you mean) /.test(issue?.message ?? '') ? issue?.message : `expected ${issue?.message}`;
  throw new UsageError(`--${name}: found "${texts[name]}", ${right}`, { path: `--${name}`, got: texts[name] ?? '' });
}

/** The tasks to train, in order; unfinished ones refused before anything runs. */
function tasksOf(task: string | undefined, flags: TrainFlags, loaded: LoadedWorkspace): string[] {
  const { root } = loaded.workspace;
  if (task !== undefined) {
    loaded.columns.column(task);
    if (flags.resume && !loaded.frozen.has(task) && !runExists(root, task))
      note(flags, `no unfinished training of ${task}, it begins anew`);
    return [task];
  }
  const tasks = loaded.columns.tasks.filter((name) => !loaded.frozen.has(name));
  const left = tasks.find((name) => runExists(root, name));
  if (left !== undefined && !flags.resume && !flags.restart) throw unfinished(root, left);
  return tasks;
}

/** Calls `work` with a signal that the first SIGINT or SIGTERM gives; the second ends the process. */
async function interruptible<T>(flags: TrainFlags, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) {
      // A cursor that the bar hid comes back.
      if (process.stderr.isTTY) process.stderr.write('\u001b[?25h');
      process.exit(130);
    }
    controller.abort();
    note(flags, '\nstopping at the next checkpoint (again: at once)');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function earlierText(earlier: readonly EarlierTask[]): string {
  const words = (e: EarlierTask) =>
    e.identical === undefined ? `not checked: ${e.reason}` : `${e.identical ? 'identical' : 'NOT identical'} (${e.rows} rows)`;
  return earlier.length === 0 ? '-' : earlier.map((e) => `${e.task} ${words(e)}`).join(', ');
}

export async function trainCommand(task: string | undefined, flags: TrainFlags): Promise<void> {
  if ((task === undefined) !== (flags.all === true)) throw new UsageError('name one task, or give --all: prognet train <task>');
  if (flags.resume && flags.restart) throw new UsageError('give --resume or --restart, not both');
  const threads = integerFlag('--threads', flags.threads);
  const overrides = overridesOf(flags);
  let loaded = loadWorkspace(flags.workspace ?? '.');
  const tasks = tasksOf(task, flags, loaded);
  const { resume = false, restart = false } = flags;
  const done = await interruptible(flags, async (signal) => {
    const opened = await openRuntime(flags);
    const trained: TrainedTask[] = [];
    const tapCache = new TapCache();
    for (const name of tasks) {
      const progress = progressOf(flags, name);
      try {
        const options = { overrides, resume, restart, signal, onEvent: progress.event, onNote: progress.line };
        const done = await trainLoaded(opened.runtime, loaded, name, {
          ...options,
          ...(tasks.length > 1 && { tapCache }),
          ...chosen(opened),
          ...(flags.engine === undefined ? {} : { engine: flags.engine }),
          ...(threads === undefined ? {} : { threads }),
        });
        trained.push(done.trained);
        loaded = done.loaded;
      } catch (error) {
        if (!(error instanceof InterruptedError)) throw error;
        throw new InterruptedError(error.statement, {
          cause: error.cause,
          remedy: { kind: 'resume', ...(task !== undefined && { task }) },
        });
      } finally {
        progress.stop();
      }
    }
    return trained;
  });
  const rows = done.map((t) => [
    t.task,
    `${t.metric} ${t.value.toFixed(4)}`,
    t.loss.toFixed(4),
    `${t.seconds.toFixed(1)} s`,
    earlierText(t.earlier),
  ]);
  result(
    flags,
    { trained: done },
    rows.length === 0 ? 'every task is trained already' : table(['task', 'test', 'loss', 'time', 'earlier tasks'], rows),
  );
  if (done.some((t) => t.earlier.some((e) => e.identical === false))) process.exitCode = 1;
}
