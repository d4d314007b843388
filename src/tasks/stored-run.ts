// What an unfinished training was begun with, so that `--resume` needs no flag given again.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Train } from '../model/description/description.js';
import { trainSchema } from '../model/description/train-schema.js';
import { UsageError } from '../onnx/core/errors.js';
import { readWhole } from '../onnx/files/read-file.js';
import { isJsonObject, type Json, parseJson, stableJson } from '../workspace/json.js';
import { readDiverged } from '../workspace/run-store.js';

/** What decides a training's numbers; a resumed training must agree in all of it. */
export interface RunIdentity {
  readonly settings: object;
  /** What the caller set beside the description. */
  readonly overrides: Train;
  readonly inputs: object;
  /** The column as described, its data and training options aside: losses, initialisers and the start of alpha count as well. */
  readonly column: object;
  /** SHA-256 of the weights of the columns that it reads, by task. */
  readonly sources: Readonly<Record<string, string>>;
  /** The runtime that the bits of each step depend on. */
  readonly onnxruntime: string;
  readonly data: string;
  /** How rows on disk are shuffled. */
  readonly shuffle?: object;
  readonly provider: string;
  readonly threads: number;
  /** What took the steps, if it was not the engine `ort`. */
  readonly engine?: string;
}

const storedSchema = z.object({
  settings: z.object({
    overrides: trainSchema,
    provider: z.string(),
    threads: z.int().min(1),
    engine: z.string().exactOptional(),
  }),
});

export type StoredRun = z.output<typeof storedSchema>['settings'];

/** Any value that JSON holds, as the workspace writes it: -0 stays -0, what is undefined is left out. */
export function toJson(value: unknown): Json {
  return parseJson(stableJson(value), 'value');
}

const free: Readonly<Record<string, readonly string[]>> = { settings: ['rate', 'clip'], overrides: ['lr', 'clip'] };

/** What a training that diverged must be resumed with: all but the rate and how gradients are clipped. */
export function besideRate(identity: Json): Json {
  if (!isJsonObject(identity)) return identity;
  const kept = ([part, value]: [string, Json]): [string, Json] => {
    const names = free[part];
    if (names === undefined || !isJsonObject(value)) return [part, value];
    return [part, Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))];
  };
  return Object.fromEntries(Object.entries(identity).map(kept));
}

/** True when a training of the task was begun and not finished. */
export function runExists(root: string, task: string): boolean {
  return existsSync(join(root, 'runs', task, 'run.json'));
}

/** Why a training cannot begin where an unfinished one of the task is stored: what is there, and both ways out. */
export function unfinished(root: string, task: string): UsageError {
  const path = `runs/${task}`;
  const diverged = readDiverged(root, task);
  if (diverged === undefined) {
    return new UsageError(`${path}: an unfinished training is here`, { path, remedy: { kind: 'resume-or-restart', task } });
  }
  const { found, rate } = diverged;
  return new UsageError(`${path}: a training that diverged is here, ${found}`, {
    path,
    remedy: { kind: 'lower-rate', task, rate },
  });
}

/** What the unfinished training of a task was begun with; undefined without one, or where its file is damaged (resuming then says so). */
export function storedRun(root: string, task: string): StoredRun | undefined {
  if (!runExists(root, task)) return undefined;
  const file = join(root, 'runs', task, 'run.json');
  try {
    return storedSchema.parse(parseJson(readWhole(file), file)).settings;
  } catch {
    return undefined;
  }
}
