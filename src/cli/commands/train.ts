// prognet train

import type { Train } from '../../model/description/description.js';
import { trainSchema } from '../../model/description/train-schema.js';
import { InterruptedError, UsageError } from '../../onnx/core/errors.js';
import { freezeLoaded } from '../../tasks/freeze-task.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { runExists, unfinished } from '../../tasks/stored-run.js';
import { type TrainedTask, trainLoaded } from '../../tasks/train-task.js';
import { isTrained } from '../../tasks/trained-column.js';
import type { TrainEvent } from '../../train/events.js';
import { TapCache } from '../../train/taps/tap-cache.js';
import { integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { progressOf } from '../progress.js';
import { note } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';
import { printTrained } from '../trained-table.js';
import { trainingLines } from '../training-lines.js';

export interface TrainFlags extends RuntimeFlags {
  readonly all?: boolean;
  readonly freeze?: boolean;
  readonly epochs?: string;
  readonly batch?: string;
  readonly lr?: string;
  readonly optimizer?: string;
  readonly schedule?: string;
  readonly clip?: string;
  readonly seed?: string;
  readonly engine?: string;
  readonly log?: string;
  readonly resume?: boolean;
  readonly restart?: boolean;
}

/** `cosine`, `step:10`, `step:10:0.5`, `plateau:5`, `plateau:5:0.5` as the description writes them. */
function scheduleOf(text: string): unknown {
  const [, kind, epochs, factor] = /^(step|plateau):([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (kind === undefined) return text;
  const count = { [kind === 'step' ? 'every' : 'patience']: Number(epochs) };
  return { [kind]: { ...count, ...(factor === undefined ? {} : { factor: Number(factor) }) } };
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

export async function trainCommand(task: string | undefined, flags: TrainFlags): Promise<void> {
  if ((task === undefined) !== (flags.all === true)) throw new UsageError('name one task, or give --all: prognet train <task>');
  if (flags.resume && flags.restart) throw new UsageError('give --resume or --restart, not both');
  const threads = integerFlag('--threads', flags.threads);
  const overrides = overridesOf(flags);
  let loaded = loadWorkspace(flags.workspace ?? '.');
  const tasks = tasksOf(task, flags, loaded);
  const { resume = false, restart = false } = flags;
  // Later columns read frozen ones alone.
  const freeze = flags.all === true || flags.freeze === true;
  const done = await interruptible(flags, 'stopping at the next checkpoint', async (signal) => {
    const opened = await openRuntime(flags);
    const trained: TrainedTask[] = [];
    const tapCache = new TapCache();
    for (const name of tasks) {
      const progress = progressOf(flags, name);
      const lines = trainingLines(flags, name);
      try {
        const onNote = (line: string) => {
          progress.line(line);
          lines.note(line);
        };
        const onEvent = (event: TrainEvent) => {
          progress.event(event);
          lines.event(event);
        };
        const said = { signal, onNote };
        // Trained before, and neither frozen nor trained again since.
        const kept = flags.all === true && isTrained(loaded, name) && !runExists(loaded.workspace.root, name);
        if (kept) onNote(`${name} is trained already and frozen as it is`);
        const done = kept
          ? await freezeLoaded(opened.runtime, loaded, name, said)
          : await trainLoaded(opened.runtime, loaded, name, {
              ...said,
              ...{ overrides, resume, restart, freeze, onEvent },
              ...(tasks.length > 1 && { tapCache }),
              ...chosen(opened),
              ...(flags.log !== undefined && { log: flags.log }),
              ...(flags.engine === undefined ? {} : { engine: flags.engine }),
              ...(threads === undefined ? {} : { threads }),
            });
        trained.push(done.trained);
        loaded = done.loaded;
      } catch (error) {
        // Before its first step nothing is there to go on from.
        const begun = task === undefined || runExists(loaded.workspace.root, task);
        if (!(error instanceof InterruptedError) || !begun) throw error;
        const remedy = { kind: 'resume' as const, ...(task !== undefined && { task, ...(freeze && { freeze }) }) };
        throw new InterruptedError(error.statement, { cause: error.cause, remedy });
      } finally {
        progress.stop();
      }
    }
    return trained;
  });
  printTrained(flags, done, 'every task is trained and frozen already', { event: 'done' });
  for (const t of done)
    if (!t.frozen)
      note(
        flags,
        `${t.task} is trained, not frozen: prognet freeze ${t.task} makes it final, prognet train ${t.task} trains it anew`,
      );
}
