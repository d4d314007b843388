// What `train --log` writes: <folder>/<task>/{training,validation,test}/events.out.tfevents.*, for TensorBoard. A training has a folder of its own; one
// that goes on writes new files into it. No file is ever written over: runs/<task>/log.json remembers the folder.
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { restartEvent, scalarsEvent, versionEvent } from '../formats/event-file.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { readWhole } from '../onnx/files/read-file.js';
import { isJsonObject, parseJson, stableJson } from './json.js';

/** The file of a run that remembers where it is logged. */
export const logNote = 'log.json';

type Part = 'training' | 'validation' | 'test';

const seconds = (): number => Date.now() / 1000;

/** The folder in which the run is logged; undefined where it is not. */
function remembered(run: string): string | undefined {
  const file = join(run, logNote);
  if (!existsSync(file)) return undefined;
  const value = parseJson(readWhole(file), file);
  return isJsonObject(value) && typeof value.folder === 'string' ? value.folder : undefined;
}

/** A new folder for a training: `<task>`, `<task>-2`, ... whichever is not there yet. */
function newFolder(folder: string, task: string): string {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw fileError('write', folder, cause);
  }
  for (let n = 1; ; n++) {
    const path = join(folder, n === 1 ? task : `${task}-${n}`);
    try {
      mkdirSync(path);
      return path;
    } catch (cause) {
      if (errorCode(cause) !== 'EEXIST') throw fileError('write', path, cause);
    }
  }
}

/** The log of one training, in one process. */
export class TrainingLog {
  private readonly files = new Map<Part, string>();

  private constructor(
    /** Where it stands. */
    readonly folder: string,
    /** Steps that an earlier process logged and that come again: a mark in each file takes them back. */
    private readonly from: number | undefined,
  ) {}

  /**
   * Begins a log, or goes on with the run's own.
   * @param run the run's folder
   * @param folder what the user asks for; undefined: what the run was begun with
   * @param epochs done so far; 0 for a training that begins
   * @returns undefined where nobody asked for a log; `whole`: nothing of this training is in it yet
   */
  static open(
    run: string,
    task: string,
    folder: string | undefined,
    epochs: number,
  ): { readonly log: TrainingLog; readonly whole: boolean } | undefined {
    const before = remembered(run);
    const asked = folder === undefined ? undefined : resolve(folder);
    if (before !== undefined && existsSync(before) && (asked === undefined || dirname(before) === asked))
      return { log: new TrainingLog(before, epochs + 1), whole: false };
    const place = asked ?? (before === undefined ? undefined : dirname(before));
    if (place === undefined) return undefined;
    const own = newFolder(place, task);
    writeFileAtomic(join(run, logNote), new TextEncoder().encode(`${stableJson({ folder: own }, 2)}\n`));
    return { log: new TrainingLog(own, undefined), whole: true };
  }

  /** Values by name at an epoch. Names are tags: blanks become `_`. */
  write(part: Part, epoch: number, values: Readonly<Record<string, number>>): void {
    const tags = Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replaceAll(' ', '_'), value]));
    const file = this.file(part);
    try {
      appendFileSync(file, scalarsEvent(seconds(), epoch, tags));
    } catch (cause) {
      throw fileError('write', file, cause);
    }
  }

  /** The file that this process appends to. */
  private file(part: Part): string {
    const known = this.files.get(part);
    if (known !== undefined) return known;
    const folder = join(this.folder, part);
    try {
      makeFolder(folder);
      // Readers take the files of a folder in the order of their names.
      const times = readdirSync(folder).map((name) => Number(/^events\.out\.tfevents\.(\d{10})\./.exec(name)?.[1] ?? 0));
      const time = Math.max(Math.floor(seconds()), ...times.map((t) => t + 1));
      const path = join(folder, `events.out.tfevents.${time}.prognet`);
      writeFileSync(path, versionEvent(seconds()), { flag: 'wx' });
      if (this.from !== undefined) appendFileSync(path, restartEvent(seconds(), this.from));
      this.files.set(part, path);
      return path;
    } catch (cause) {
      throw fileError('write', folder, cause);
    }
  }
}
