// A training under way: runs/<task>/{run.json, checkpoint-*.safetensors, metrics.jsonl, log.json, lock}. One process at a time; killed at any
// moment, it goes on from the last checkpoint with the metrics up to it. The trained column that it leaves there is trained-store.ts's.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InternalError, WorkspaceError } from '../onnx/core/errors.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256, shortHash } from '../onnx/files/hash.js';
import { acquireLock, type Lock } from '../onnx/files/lock-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import { removeQuietly, removeStale, temporaryName } from '../onnx/files/temporary.js';
import { type Checkpoint, dropCheckpointsFrom, listGenerations, readNewestCheckpoint, writeCheckpoint } from './checkpoint.js';
import { firstDifference, isJsonObject, type Json, parseJson, stableJson } from './json.js';
import { type MetricsRecord, MetricsWriter, readMetrics, truncateMetrics } from './metrics-log.js';
import { checkTask } from './task-name.js';
import { removeTrained } from './trained-store.js';
import { logNote } from './training-log.js';

/** Below a run's folder: the table of its sweep. */
export const sweepFolder = 'sweep';

export interface Resumed {
  /** Undefined when the run was interrupted before its first checkpoint. */
  readonly checkpoint: Checkpoint | undefined;
  /** What the user should know: one line for each damaged checkpoint or metrics line passed over. */
  readonly notes: readonly string[];
}

/** A loss or weight that was not finite. */
export interface Diverged {
  /** Steps whose weights gave it: checkpoints from there on are of no use. */
  readonly step: number;
  readonly found: string;
  /** A rate to try next. */
  readonly rate: number;
}

function divergedOf(value: Json | undefined): Diverged | undefined {
  if (!isJsonObject(value)) return undefined;
  const { step, found, rate } = value;
  return typeof step === 'number' && typeof found === 'string' && typeof rate === 'number' ? { step, found, rate } : undefined;
}

/** A run that this process has locked. Call `close` when done; the lock of a killed process is taken over by the next. */
export class Run {
  private readonly metrics: MetricsWriter;
  private good: number | undefined;
  private closed = false;

  /** Use `openRun`. */
  constructor(
    readonly task: string,
    readonly folder: string,
    private readonly lock: Lock,
  ) {
    this.metrics = new MetricsWriter(join(folder, 'metrics.jsonl'));
  }

  private get shown(): string {
    return `runs/${this.task}`;
  }

  private open(): void {
    if (this.closed) throw new InternalError(`run "${this.task}" is used after close()`);
  }

  /** True when there is something to resume. */
  get started(): boolean {
    return existsSync(join(this.folder, 'run.json'));
  }

  /** Begins anew: an earlier run's checkpoints and metrics are removed, the settings written. */
  start(settings: Json): void {
    this.drop();
    this.writeSettings(settings);
  }

  /** Removes what the training would be resumed from; a trained column and a sweep stay. */
  drop(): void {
    this.open();
    this.metrics.close();
    try {
      // run.json first: without it nothing is resumed, so that a kill in between leaves no mixture.
      for (const name of ['run.json', 'metrics.jsonl', logNote]) rmSync(join(this.folder, name), { force: true });
      for (const generation of listGenerations(this.folder))
        rmSync(join(this.folder, `checkpoint-${generation}.safetensors`), { force: true });
    } catch (cause) {
      throw fileError('remove', this.folder, cause);
    }
    this.good = undefined;
  }

  private writeSettings(settings: Json, diverged?: Diverged): void {
    const noted = diverged && { diverged: { ...diverged } };
    const content = { format: 1, task: this.task, fingerprint: sha256(stableJson(settings)), settings, ...noted };
    writeFileAtomic(join(this.folder, 'run.json'), new TextEncoder().encode(`${stableJson(content, 2)}\n`));
  }

  /** Notes that the training diverged: from then on it is resumed with other settings alone, from a state before that step. */
  noteDiverged(settings: Json, diverged: Diverged): void {
    this.open();
    this.writeSettings(settings, diverged);
  }

  /**
   * Goes on with the run: the newest whole checkpoint, the metrics cut back to it.
   * @param settings must be those that the run began with
   * @param fixed what of the settings must stay where the run diverged; the rest must differ
   * @throws WorkspaceError when there is no run, the settings differ, or no checkpoint can be read
   */
  resume(settings: Json, fixed: (settings: Json) => Json = (all) => all): Resumed {
    this.open();
    this.metrics.close();
    const diverged = this.checkSettings(settings, fixed);
    if (diverged !== undefined) {
      // In this order a kill in between leaves a run that diverged.
      dropCheckpointsFrom(this.folder, diverged.step);
      this.writeSettings(settings);
    }
    const loaded = readNewestCheckpoint(this.folder, this.shown);
    this.good = loaded?.generation;
    const metricsNotes = truncateMetrics(
      join(this.folder, 'metrics.jsonl'),
      loaded?.checkpoint.step ?? -1,
      `${this.shown}/metrics.jsonl`,
    );
    return { checkpoint: loaded?.checkpoint, notes: [...(loaded?.notes ?? []), ...metricsNotes] };
  }

  /** How the run diverged, if it did. */
  private checkSettings(settings: Json, fixed: (settings: Json) => Json): Diverged | undefined {
    const file = `${this.shown}/run.json`;
    if (!this.started) {
      throw new WorkspaceError(`${this.shown}: no run of "${this.task}" to resume, train without resuming`, { path: this.shown });
    }
    const value = parseJson(readWhole(join(this.folder, 'run.json')), file);
    const old = isJsonObject(value) ? value : {};
    const { format, fingerprint, settings: was } = old;
    if (format !== 1 || old.task !== this.task || was === undefined || fingerprint !== sha256(stableJson(was))) {
      throw new WorkspaceError(`${file}: is no settings file of this run as prognet wrote it, train anew without resuming`, {
        path: file,
      });
    }
    const now = parseJson(stableJson(settings), file);
    const same = fingerprint === sha256(stableJson(now));
    const diverged = divergedOf(old.diverged);
    if (diverged !== undefined && same) {
      throw new WorkspaceError(`${this.shown}: the training diverged, ${diverged.found}, and would again`, {
        path: this.shown,
        remedy: { kind: 'lower-rate', task: this.task, rate: diverged.rate },
      });
    }
    if (same) return undefined;
    if (diverged !== undefined && stableJson(fixed(was)) === stableJson(fixed(now))) return diverged;
    const difference =
      firstDifference(diverged === undefined ? was : fixed(was), diverged === undefined ? now : fixed(now)) ??
      `sha256 is ${shortHash(sha256(stableJson(now)))}..`;
    throw new WorkspaceError(
      `${file}: the run began with other settings, ${difference}; resume with the old ones or train anew`,
      {
        path: file,
        expected: stableJson(was),
        got: stableJson(now),
      },
    );
  }

  /** Writes the metrics so far to the disk, then the checkpoint; at a kill there is the old one or the new one. */
  saveCheckpoint(checkpoint: Checkpoint): void {
    this.open();
    if (!Number.isSafeInteger(checkpoint.step) || checkpoint.step < 0) {
      throw new InternalError(`checkpoint of "${this.task}" at step ${checkpoint.step}`);
    }
    this.metrics.sync();
    this.good = writeCheckpoint(this.folder, checkpoint, this.good);
  }

  appendMetrics(record: MetricsRecord): void {
    this.open();
    this.metrics.append(record);
  }

  readMetrics(): readonly MetricsRecord[] {
    return readMetrics(join(this.folder, 'metrics.jsonl'));
  }

  /** Removes the run with its trained column, once that is frozen or given up; the table of a sweep stays. Also closes it. */
  clear(): void {
    if (existsSync(join(this.folder, sweepFolder))) {
      this.drop();
      removeTrained(join(this.folder, '..', '..'), this.task);
      this.close();
      return;
    }
    this.open();
    this.metrics.close();
    this.closed = true;
    const aside = join(this.folder, '..', temporaryName(this.task));
    try {
      // Renamed first, so that no half-removed run can be resumed. The lock goes with it.
      renameSync(this.folder, aside);
    } catch (cause) {
      this.lock.release();
      throw fileError('remove', this.folder, cause);
    }
    removeQuietly(aside);
  }

  /** Gives the lock back; what was written stays for `resume`. A second call does nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.metrics.close();
    this.lock.release();
  }
}

/**
 * Opens the run of a task and locks it for this process; nothing is started or resumed yet.
 * @throws WorkspaceError when a live process holds it
 */
export function openRun(root: string, task: string): Run {
  checkTask(task);
  const runs = join(root, 'runs');
  const folder = join(runs, task);
  for (let attempt = 0; ; attempt++) {
    try {
      makeFolder(folder);
    } catch (cause) {
      throw fileError('write', folder, cause);
    }
    removeStale(runs);
    try {
      return new Run(task, folder, acquireLock(join(folder, 'lock'), `runs/${task}/lock`));
    } catch (error) {
      // Another process cleared the run between our two steps.
      const cause = error instanceof WorkspaceError ? error.cause : undefined;
      if (errorCode(cause) !== 'ENOENT' || attempt === 10) throw error;
    }
  }
}

/**
 * Removes the run of a task, and what processes that were killed at it left in runs/.
 * @throws WorkspaceError when a live process works in it
 */
export function clearRun(root: string, task: string): void {
  checkTask(task);
  if (existsSync(join(root, 'runs', task))) openRun(root, task).clear();
  else removeStale(join(root, 'runs'));
}

/** The metrics of a run under way or interrupted, without locking it. */
export function readRunMetrics(root: string, task: string): readonly MetricsRecord[] {
  checkTask(task);
  return readMetrics(join(root, 'runs', task, 'metrics.jsonl'));
}

/** How the stored run of a task diverged, without locking it; undefined where it did not, or where its file is damaged (resuming says so). */
export function readDiverged(root: string, task: string): Diverged | undefined {
  checkTask(task);
  const file = join(root, 'runs', task, 'run.json');
  try {
    const stored = parseJson(readWhole(file), file);
    return isJsonObject(stored) ? divergedOf(stored.diverged) : undefined;
  } catch {
    return undefined;
  }
}
