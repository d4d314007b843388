// What tasks take of earlier columns, as it was measured: analysis/<task>.json, written whole at once.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { WorkspaceError } from '../onnx/core/errors.js';
import { valueAt } from '../onnx/core/value-at.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256Pattern } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { formatPath, type Json, parseJson, show, stableJson } from './json.js';
import { checkTask } from './task-name.js';

const number = z.number({ error: 'a number' });
const count = z.int({ error: 'an integer of 0 and more' }).min(0, { error: 'an integer of 0 and more' });
const text = z.string({ error: 'text' });
const metric = z.enum(['accuracy', 'error'], { error: '"accuracy" or "error"' });
const head = z.object({ metric, value: number, constant: number }, { error: 'an object' });
const tap = z.object(
  {
    into: count,
    source: text,
    tap: count,
    fisher: number,
    fisherByFeature: number.optional(),
    perturbation: number,
    halvingVariance: number.optional(),
    alpha: number.optional(),
    gain: number.optional(),
    without: number.optional(),
    withoutByHead: z.record(z.string(), number, { error: 'numbers by head' }).optional(),
  },
  { error: 'an object' },
);
const schema = z.object(
  {
    task: text,
    rows: count,
    metric,
    value: number,
    constant: number,
    heads: z.record(z.string(), head, { error: 'heads by name' }).optional(),
    drawn: z.boolean({ error: 'true or false' }),
    taps: z.array(tap, { error: 'a list' }),
    correlation: number.optional(),
    /** SHA-256 of the weights that were measured. */
    weights: text.regex(sha256Pattern, { error: 'a SHA-256' }),
  },
  { error: 'an object' },
);

/** An analysis as it is kept. */
export type StoredAnalysis = z.infer<typeof schema>;

const nameOf = (task: string): string => `analysis/${task}.json`;

/** Takes the place of the one before. Throws WorkspaceError where the disk does not take it. */
export function writeAnalysis(root: string, task: string, analysis: Json): void {
  checkTask(task);
  const folder = join(root, 'analysis');
  makeFolder(folder);
  writeFileAtomic(join(folder, `${task}.json`), new TextEncoder().encode(`${stableJson(analysis)}\n`));
}

/** The last one of a task; undefined where there is none. Throws DataError for a file that is no JSON, WorkspaceError for one that is no analysis of the task. */
export function readAnalysis(root: string, task: string): StoredAnalysis | undefined {
  checkTask(task);
  const [file, name] = [join(root, nameOf(task)), nameOf(task)];
  if (!existsSync(file)) return undefined;
  const value = parseJson(readWhole(file), name);
  const read = schema.safeParse(value);
  const refuse = (path: readonly PropertyKey[], expected: string): never => {
    const got = show(valueAt(value, path));
    const place = path.length === 0 ? name : `${name}: ${formatPath(path)}`;
    throw new WorkspaceError(`${place}: found ${got}, expected ${expected}; prognet analyze ${task} writes it anew`, {
      path: place,
      expected,
      got,
    });
  };
  if (!read.success) return refuse(read.error.issues[0]?.path ?? [], read.error.issues[0]?.message ?? 'an analysis');
  if (read.data.task !== task) return refuse(['task'], JSON.stringify(task));
  return read.data;
}
