// The table of a sweep: runs/<task>/sweep/{sweep.json, sweep.csv}, written anew after each trial, each file whole at any kill. A trial is found again by
// its key, a hash of all that its numbers follow from; what its epochs measured stands in curves/<key>.json, written once, before its row.
import { join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { acquireLock, type Lock } from '../onnx/files/lock-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type Json, parseJson, stableJson } from './json.js';
import { sweepFolder } from './run-store.js';
import { checkTask } from './task-name.js';

const number = z.number();
const trialSchema = z.strictObject({
  key: z.string(),
  /** What was set, by the names that `--set` gave. */
  settings: z.record(
    z.string(),
    z.custom<Json>(() => true),
  ),
  seed: z.int(),
  /** done: it was trained and measured; diverged: a loss was not finite, and would be again; failed: it may be tried again. */
  state: z.enum(['done', 'diverged', 'failed']),
  /** On the validation part, of the epoch whose weights are kept. */
  metric: number.optional(),
  /** What `metric` is; the head's own where absent. */
  measure: z.string().optional(),
  loss: number.optional(),
  epoch: z.int().optional(),
  seconds: number.optional(),
  reason: z.string().optional(),
});
const sweepSchema = z.strictObject({
  format: z.literal(1),
  task: z.string(),
  metric: z.string(),
  measuredOn: z.literal('validation part'),
  trials: z.array(trialSchema),
});

const historySchema = z.array(z.record(z.string(), number));

/** A row of the table. */
export type SweepTrial = z.infer<typeof trialSchema>;
/** What each epoch of a trial measured, by name. */
export type TrialHistory = z.infer<typeof historySchema>;

/** A table as it was left. */
export interface SweepTable {
  /** The measure beside the loss. */
  readonly metric: string;
  readonly trials: readonly SweepTrial[];
  /** Of each trial by its key; empty where nothing was kept. */
  readonly historyOf: (key: string) => TrialHistory;
}

/** The table of a task; undefined where it has none, or none that can be read. */
export function readSweep(root: string, task: string): SweepTable | undefined {
  const folder = folderOf(root, task);
  const found = readTable(join(folder, 'sweep.json'), task);
  return found && { metric: found.metric, trials: found.trials, historyOf: (key) => readHistory(folder, key) };
}

const curvesFolder = 'curves';

function folderOf(root: string, task: string): string {
  checkTask(task);
  return join(root, 'runs', task, sweepFolder);
}

function make(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw fileError('write', folder, cause);
  }
}

function readHistory(folder: string, key: string): TrialHistory {
  const path = join(folder, curvesFolder, `${key}.json`);
  try {
    return historySchema.parse(parseJson(readWhole(path), path));
  } catch {
    // Of a trial of an earlier version, or one that diverged.
    return [];
  }
}

export class SweepStore {
  private constructor(
    private readonly folder: string,
    private readonly task: string,
    private readonly metric: string,
    private readonly measure: string | undefined,
    private readonly lock: Lock,
    private trials: readonly SweepTrial[],
  ) {}

  /**
   * Opens the table of a task for this process; one that cannot be read is begun anew.
   * @param measure the metric's name where it is not the head's own
   * @throws WorkspaceError when a live process holds it
   */
  static open(root: string, task: string, metric: string, measure?: string): SweepStore {
    const folder = folderOf(root, task);
    make(folder);
    const lock = acquireLock(join(folder, 'lock'), `runs/${task}/${sweepFolder}/lock`);
    try {
      const store = new SweepStore(
        folder,
        task,
        metric,
        measure,
        lock,
        readTable(join(folder, 'sweep.json'), task)?.trials ?? [],
      );
      // Killed between the two files, the last trial stands in one of them.
      store.writeCsv();
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The trial of this key, if it was run to its end. */
  find(key: string): SweepTrial | undefined {
    return this.trials.find((trial) => trial.key === key && trial.state !== 'failed');
  }

  /** What each epoch of a trial measured; empty where nothing was kept. */
  historyOf(key: string): TrialHistory {
    return readHistory(this.folder, key);
  }

  /** Keeps a trial, in the place of one of the same key. @throws WorkspaceError when the disk does not take it */
  add(trial: SweepTrial, history: readonly Readonly<Record<string, number>>[] = []): void {
    const { task, metric } = this;
    if (history.length > 0) {
      const folder = join(this.folder, curvesFolder);
      make(folder);
      const lines = history.map((epoch) => stableJson({ ...epoch })).join(',\n');
      writeFileAtomic(join(folder, `${trial.key}.json`), new TextEncoder().encode(`[\n${lines}\n]\n`));
    }
    this.trials = [...this.trials.filter(({ key }) => key !== trial.key), trial];
    const document = { format: 1, task, metric, measuredOn: 'validation part', trials: this.trials };
    writeFileAtomic(join(this.folder, 'sweep.json'), new TextEncoder().encode(`${stableJson(document, 2)}\n`));
    this.writeCsv();
  }

  private writeCsv(): void {
    const path = join(this.folder, 'sweep.csv');
    const text = csvOf(this.trials, this.metric, this.measure);
    if (textOf(path) !== text) writeFileAtomic(path, new TextEncoder().encode(text));
  }

  /** Gives the lock back. */
  close(): void {
    this.lock.release();
  }
}

/** None yet, or damaged: its trials are run again. */
function readTable(path: string, task: string): z.infer<typeof sweepSchema> | undefined {
  try {
    const found = sweepSchema.parse(parseJson(readWhole(path), path));
    return found.task === task ? found : undefined;
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return new TextDecoder().decode(readWhole(path));
  } catch {
    return undefined;
  }
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function csvOf(trials: readonly SweepTrial[], metric: string, measure: string | undefined): string {
  const names = [...new Set(trials.flatMap(({ settings }) => Object.keys(settings)))];
  const header = [...names, 'seed', 'state', `validation ${metric}`, 'validation loss', 'epoch', 'seconds', 'reason'];
  const cell = (value: unknown): string =>
    value === undefined ? '' : quoted(typeof value === 'string' ? value : JSON.stringify(value));
  const rows = trials.map((t) =>
    [
      ...names.map((name) => t.settings[name]),
      t.seed,
      t.state,
      t.measure === measure ? t.metric : undefined,
      t.loss,
      t.epoch,
      t.seconds,
      t.reason,
    ].map(cell),
  );
  return [header.map(quoted), ...rows].map((row) => `${row.join(',')}\n`).join('');
}
