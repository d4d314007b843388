// prognet train
import cliProgress from 'cli-progress';
import { InterruptedError, UsageError } from '../../core/errors.js';
import { openProject } from '../../project/project.js';
import { type TrainedTask, trainTask } from '../../project/train-task.js';
import { type Train } from '../../progressive/description/description.js';
import { trainSchema } from '../../progressive/description/train-schema.js';
import { defaultThreads, NodeRuntime } from '../../runtime/node.js';
import type { TrainEvent } from '../../train/loop.js';
import { type GlobalOptions, note, result, table } from '../report.js';

export interface TrainFlags extends GlobalOptions {
  readonly all?: boolean;
  readonly epochs?: string;
  readonly batch?: string;
  readonly lr?: string;
  readonly optimizer?: string;
  readonly schedule?: string;
  readonly seed?: string;
  readonly provider?: string;
  readonly threads?: string;
  readonly resume?: boolean;
  readonly restart?: boolean;
}

/** The training options among the flags, checked by the description's own schema. */
function overridesOf(flags: TrainFlags): Train {
  const numbers = { epochs: flags.epochs, batch: flags.batch, lr: flags.lr, seed: flags.seed };
  const given: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(numbers)) if (text !== undefined) given[name] = Number(text);
  if (flags.optimizer !== undefined) given.optimizer = flags.optimizer;
  if (flags.schedule !== undefined) given.schedule = flags.schedule;
  const parsed = trainSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0]);
  throw new UsageError(`--${name}: found ${String(given[name])}, expected ${issue?.message}`, { path: `--${name}` });
}

export async function trainCommand(task: string | undefined, flags: TrainFlags): Promise<void> {
  const start = flags.workspace ?? '.';
  if ((task === undefined) !== (flags.all === true)) throw new UsageError('name one task, or give --all: prognet train <task>');
  const threads = flags.threads === undefined ? defaultThreads() : Number(flags.threads);
  if (!Number.isInteger(threads) || threads < 1)
    throw new UsageError(`--threads: found ${flags.threads}, expected a positive integer`);
  const overrides = overridesOf(flags);
  const project = openProject(start);
  const tasks =
    task === undefined
      ? project.description.columns.map((c) => c.task).filter((_, i) => project.frozen[i] === undefined)
      : [task];
  const runtime = await NodeRuntime.load();
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    note(flags, 'stopping after this run of minibatches (again: at once)');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const done: TrainedTask[] = [];
  try {
    for (const name of tasks) {
      const progress = progressOf(flags, name);
      try {
        done.push(
          await trainTask(runtime, start, name, {
            overrides,
            provider: flags.provider ?? 'cpu',
            threads,
            resume: flags.resume === true,
            restart: flags.restart === true,
            signal: controller.signal,
            onEvent: progress.event,
            onNote: (line) => note(flags, line),
          }),
        );
      } catch (error) {
        if (error instanceof InterruptedError)
          throw new InterruptedError(`${error.message}; kept, continue with: prognet train ${name} --resume`);
        throw error;
      } finally {
        progress.stop();
      }
    }
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  const rows = done.map((t) => [
    t.task,
    `${t.metric} ${t.value.toFixed(4)}`,
    `${t.seconds.toFixed(1)} s`,
    t.earlier.length === 0
      ? '-'
      : t.earlier.map((e) => `${e.task} ${e.identical ? 'identical' : 'NOT identical'} (${e.rows} rows)`).join(', '),
  ]);
  result(
    flags,
    { trained: done },
    rows.length === 0 ? 'every task is trained already' : table([['task', 'test', 'time', 'earlier tasks'], ...rows]),
  );
  if (done.some((t) => t.earlier.some((e) => e.identical === false))) process.exitCode = 1;
}

/** A bar on a terminal, a line per epoch elsewhere. */
function progressOf(flags: TrainFlags, task: string): { event: (event: TrainEvent) => void; stop: () => void } {
  const bar =
    process.stderr.isTTY && !flags.quiet
      ? new cliProgress.SingleBar({
          format: `${task} epoch {epoch} [{bar}] {value}/{total} loss {loss}`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
        })
      : undefined;
  let epoch = 0;
  const event = (e: TrainEvent): void => {
    if (e.kind === 'step' && bar !== undefined) {
      if (e.epoch !== epoch) bar.start(e.total, 0, { epoch: e.epoch, loss: '-' });
      epoch = e.epoch;
      bar.update(e.done, { epoch: e.epoch, loss: e.loss.toFixed(4) });
    } else if (e.kind === 'epoch') {
      bar?.stop();
      const { record } = e;
      const validation = record.validation;
      const seen =
        validation === undefined ? '' : `, validation loss ${validation.loss.toFixed(4)} metric ${validation.metric.toFixed(4)}`;
      note(flags, `${task} epoch ${record.epoch}/${e.epochs} loss ${record.loss.toFixed(4)}${seen} (${e.seconds.toFixed(1)} s)`);
    } else if (e.kind === 'resumed') note(flags, `${task} continues after epoch ${e.epoch}, step ${e.step}`);
    else if (e.kind === 'stopped') note(flags, `${task} stops early at epoch ${e.epoch}, takes epoch ${e.best} back`);
    else if (e.kind === 'uncached') {
      note(
        flags,
        `${task}: frozen features need ${e.bytes} bytes, over ${e.budget}: computed again for each chunk, which is slower`,
      );
    }
  };
  return { event, stop: () => bar?.stop() };
}
