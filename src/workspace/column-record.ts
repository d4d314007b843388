// column.json: what is known of a frozen column. Its field `self` is the SHA-256 of all the others.
import * as z from 'zod';
import { WorkspaceError } from '../onnx/core/errors.js';
import { valueAt } from '../onnx/core/value-at.js';
import { sha256, sha256Pattern, shortHash } from '../onnx/files/hash.js';
import { formatPath, isJsonObject, type Json, parseJson, show, stableJson } from './json.js';
import { taskPattern } from './task-name.js';

const right = {
  hash: 'a SHA-256, 64 lower-case hex digits',
  text: 'text',
  count: 'an integer of 0 and more',
  number: 'a finite number',
  object: 'an object',
} as const;

const hash = z.string({ error: right.hash }).regex(sha256Pattern, { error: right.hash });
const text = z.string({ error: right.text });
const count = z.int({ error: right.count }).min(0, { error: right.count });
const number = z.number({ error: right.number });
const json: z.ZodType<Json> = z.json({ error: 'JSON' });

/** What the caller knows of a column; the store adds the rest. */
const known = {
  task: z.string({ error: 'a task name' }).regex(taskPattern, { error: 'a task name' }),
  /** Canonical text of the column's description, opaque here. */
  description: text,
  /** SHA-256 of the weights of every column that it reads, by task: a column means nothing over others. */
  sources: z.record(z.string(), hash, { error: right.object }),
  seed: z.int({ error: 'an integer' }),
  /** What it was trained on: the fingerprint, the classes where labels were texts, and whatever else the caller notes. */
  data: z
    .object({ fingerprint: text, classes: z.array(text, { error: 'a list of texts' }).optional() }, { error: right.object })
    .catchall(json),
  /** Of the finished column, on the test set. */
  metrics: z.record(z.string(), number, { error: right.object }),
  /** By epoch, oldest first. */
  history: z
    .array(z.record(z.string(), z.union([number, text, z.boolean(), z.null()]), { error: right.object }), { error: 'a list' })
    .optional(),
  /** The proof that nothing was forgotten: SHA-256 of the raw outputs for the first `count` rows of the test set, and what ran them. */
  outputs: z.strictObject({ sha256: hash, count, provider: text, threads: count }, { error: right.object }),
  versions: z.object({ prognet: text, onnxruntime: text }, { error: right.object }).catchall(text),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime({ error: 'a time such as 2026-01-31T12:00:00.000Z' }),
};

const columnSchema = z.strictObject(
  {
    format: z.literal(1, { error: '1' }),
    ...known,
    sha256: z.strictObject({ weights: hash, graph: hash }, { error: right.object }),
    self: hash,
  },
  { error: right.object },
);

/** A frozen column's record, as column.json holds it. */
export type ColumnRecord = z.infer<typeof columnSchema>;

/** What `freezeColumn` is given: the record without what the store computes. `createdAt` is now unless stated. */
export type ColumnDraft = Omit<ColumnRecord, 'format' | 'self' | 'sha256' | 'createdAt'> & {
  readonly sha256: { readonly graph: string };
  readonly createdAt?: string;
};

/** SHA-256 of a record's content: its sorted JSON without `self`. */
function selfHash(record: object): string {
  return sha256(stableJson({ ...record, self: undefined }));
}

function schemaError(file: string, issue: z.core.$ZodIssue | undefined, root: Json): WorkspaceError {
  const path = issue?.path ?? [];
  const place = path.length === 0 ? file : `${file}: ${formatPath(path)}`;
  if (issue?.code === 'unrecognized_keys') {
    return new WorkspaceError(`${place}: unknown key ${show(issue.keys[0])}, expected a record of prognet`, { path: place });
  }
  const value = valueAt(root, path);
  const got = value === undefined ? 'is missing' : `found ${show(value)}`;
  const expected = issue?.message ?? 'a record';
  return new WorkspaceError(`${place}: ${got}, expected ${expected}`, { path: place, expected, got: show(value) });
}

function validate(value: Json, file: string): ColumnRecord {
  const result = columnSchema.safeParse(value);
  if (result.success) return result.data;
  throw schemaError(file, result.error.issues[0], value);
}

/** Says where a number is NaN or infinite: JSON has no such thing, and a column with it is of no use. */
function refuseNotFinite(value: unknown, file: string, path: readonly PropertyKey[] = []): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const place = `${file}: ${formatPath(path)}`;
    throw new WorkspaceError(`${place}: found ${value}, expected a finite number`, {
      path: place,
      expected: right.number,
      got: String(value),
    });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, v] of Object.entries(value)) refuseNotFinite(v, file, [...path, Array.isArray(value) ? Number(key) : key]);
}

/**
 * The whole record and its file.
 * @throws WorkspaceError for a draft that could not be read again (a metric that is NaN, a hash that is none)
 */
export function writeRecord(
  draft: ColumnDraft,
  weights: string,
  file: string,
): { readonly record: ColumnRecord; readonly bytes: Uint8Array } {
  const { createdAt = new Date().toISOString(), sha256: given, ...rest } = draft;
  const content = { format: 1, ...rest, createdAt, sha256: { weights, graph: given.graph } };
  refuseNotFinite({ metrics: draft.metrics, history: draft.history ?? [] }, file);
  const complete = parseJson(stableJson({ ...content, self: selfHash(content) }), file);
  const record = validate(complete, file);
  return { record, bytes: new TextEncoder().encode(`${stableJson(complete, 2)}\n`) };
}

/**
 * Reads and checks column.json.
 * @throws DataError when it is no JSON
 * @throws WorkspaceError when it was changed, is of another format or is no record
 */
export function readRecord(bytes: Uint8Array | string, file: string): ColumnRecord {
  const value = parseJson(bytes, file);
  if (!isJsonObject(value))
    throw new WorkspaceError(`${file}: found ${show(value)}, expected an object`, { path: file, expected: 'an object' });
  if (typeof value.format === 'number' && value.format !== 1) {
    throw new WorkspaceError(`${file}: format ${value.format} is newer than this prognet, which reads format 1; update prognet`, {
      path: file,
      expected: '1',
      got: String(value.format),
    });
  }
  const { self } = value;
  const found = selfHash(value);
  if (typeof self === 'string' && sha256Pattern.test(self) && self !== found) {
    throw new WorkspaceError(
      `${file}: changed since it was frozen, sha256 of its content is ${shortHash(found)}.., its field self says ${shortHash(self)}..`,
      {
        path: file,
        expected: self,
        got: found,
      },
    );
  }
  return validate(value, file);
}
