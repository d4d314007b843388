// Figures that a command measured and a report shows later: analysis/.compressed.json of a compressed workspace, analysis/.auto/<kind>.json of each way to find
// the task of a sample. Each written whole at once, in the place of the one before; with hashes of the weights that it is of.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { WorkspaceError } from '../onnx/core/errors.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type Json, parseJson, stableJson } from './json.js';

const number = z.number();
const text = z.string();
const count = z.int().min(0);
/** By task the SHA-256 of the weights of its column. */
const weights = z.record(text, text);
const compared = { metric: z.enum(['accuracy', 'error']), before: number, after: number };

const compressedSchema = z.strictObject({
  /** The name of the network that was compressed. */
  from: text,
  inTurn: z.boolean(),
  parameters: z.strictObject({ before: count, after: count }),
  tasks: z.array(
    z.strictObject({
      ...compared,
      task: text,
      heads: z.record(text, z.strictObject(compared)).optional(),
      parameters: count,
    }),
  ),
  weights,
});

/** How many samples are in so much doubt: of 0 to 1, in as many equal parts. */
const doubts = z.array(count);
const autoSchema = z.strictObject({
  kind: text,
  /** The doubt above which a sample is of none. */
  none: number.optional(),
  /** Those that a sample may be given to. */
  candidates: z.array(text),
  tasks: z.array(
    z.strictObject({
      task: text,
      rows: count,
      told: number,
      found: number,
      right: number.optional(),
      none: number,
      /** Samples that are given to each of the candidates; what is left is given to none. */
      given: z.array(count),
      doubts,
    }),
  ),
  others: z.array(z.strictObject({ source: text, rows: count, none: number, apart: number, given: z.array(count), doubts })),
  /** Tasks that could not be asked. */
  left: z.array(text),
  weights,
});

/** What compressing a network cost. */
export type KeptCompression = z.infer<typeof compressedSchema>;
/** How often a model finds the task of a sample. */
export type KeptAuto = z.infer<typeof autoSchema>;

const folder = 'analysis';
const compressedName = `${folder}/.compressed.json`;
const autoFolder = `${folder}/.auto`;

function write(root: string, name: string, value: Json): void {
  const path = join(root, name);
  try {
    makeFolder(dirname(path));
  } catch (cause) {
    throw fileError('write', path, cause);
  }
  writeFileAtomic(path, new TextEncoder().encode(`${stableJson(value)}\n`));
}

/** Undefined where there is none. Throws DataError for what is no JSON, WorkspaceError for what is something else. */
function read<T>(root: string, name: string, schema: z.ZodType<T>, command: string): T | undefined {
  const path = join(root, name);
  if (!existsSync(path)) return undefined;
  const found = schema.safeParse(parseJson(readWhole(path), name));
  if (found.success) return found.data;
  const place = found.error.issues[0]?.path.join('.') ?? '';
  throw new WorkspaceError(`${name}: found something else at "${place}", expected the figures of ${command}; remove it`, {
    path: name,
  });
}

/** Throws WorkspaceError where the disk does not take it. */
export const keepCompression = (root: string, kept: KeptCompression): void => write(root, compressedName, kept as Json);

/** Throws as `readAuto`. */
export const readCompression = (root: string): KeptCompression | undefined =>
  read(root, compressedName, compressedSchema, 'prognet compress');

/** Throws WorkspaceError where the disk does not take it. */
export const keepAuto = (root: string, kept: KeptAuto): void => write(root, `${autoFolder}/${kept.kind}.json`, kept as Json);

/** Of every way that was measured, by name. Throws DataError for a file that is no JSON, WorkspaceError for one that holds something else. */
export function readAuto(root: string): readonly KeptAuto[] {
  const at = join(root, autoFolder);
  if (!existsSync(at)) return [];
  const names = readdirSync(at).filter((name) => name.endsWith('.json'));
  return names.sort().flatMap((name) => read(root, `${autoFolder}/${name}`, autoSchema, 'prognet export --auto') ?? []);
}
