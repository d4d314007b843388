// The folder of a fleet: fleet.json, the models, and a file for each column. A column that is copied into columns/ is one of the fleet.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { storedSafetensors } from '../formats/safetensors.js';
import { DataError, UsageError } from '../onnx/core/errors.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { sha256, sha256Pattern, shortHash } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { StoredFile } from '../onnx/files/stored-file.js';
import type { FrozenColumn } from '../workspace/column-store.js';
import { parseJson } from '../workspace/json.js';
import { taskPattern } from '../workspace/task-name.js';
import { columnHead, decodeColumn } from './column-file.js';
import type { FleetForm, FleetWeight } from './forms.js';

const hash = z.string().regex(sha256Pattern);
const names = z.array(z.string());

/** What fleet.json says. */
export interface Fleet {
  /** Of the file: 1. */
  readonly format: 1;
  /** Of the program that wrote it. */
  readonly version: string;
  /** The network's name. */
  readonly network: string;
  /** What of a column decides its graph, as stable text. */
  readonly column: string;
  /** SHA-256 of the weights of the columns that they stand on, by task. */
  readonly sources: Readonly<Record<string, string>>;
  /** The weights of a column, in the order of the models' inputs. */
  readonly weights: readonly FleetWeight[];
  /** Names of the inputs that every run takes. */
  readonly inputs: readonly string[];
  /** Names of the outputs: `scores`, and `probabilities` and `label` where the head has them. */
  readonly outputs: readonly string[];
  /** SHA-256 of the models. */
  readonly models: { readonly required: string; readonly adapter: string; readonly stacked?: string | undefined };
  /** Why there is no stacked form. */
  readonly unstacked?: string | undefined;
}

const schema: z.ZodType<Fleet> = z.strictObject({
  format: z.literal(1),
  version: z.string(),
  network: z.string(),
  column: z.string(),
  sources: z.record(z.string(), hash),
  weights: z.array(z.strictObject({ name: z.string(), dtype: z.literal('float32'), shape: z.array(z.int().min(0)) })).min(1),
  inputs: names,
  outputs: names,
  models: z.strictObject({ required: hash, adapter: hash, stacked: hash.optional() }),
  unstacked: z.string().optional(),
});

/** Files of the models by their forms. */
export const modelFiles: Readonly<Record<FleetForm, string>> = {
  required: 'model.onnx',
  adapter: 'adapter.onnx',
  stacked: 'stacked.onnx',
};

/** Where what is, from the folder. */
export const fleetFile = 'fleet.json';
export const columnFile = (name: string): string => `columns/${name}.safetensors`;
export const adapterFile = (name: string): string => `adapters/${name}.onnx_adapter`;

/** What the folder of a fleet says of itself. Throws WorkspaceError where it is none, DataError for what is no fleet.json. */
export function readFleet(folder: string): Fleet {
  const file = join(folder, fleetFile);
  const result = schema.safeParse(parseJson(readWhole(file), file));
  if (result.success) return result.data;
  const { path = [], message = '' } = result.error.issues[0] ?? {};
  throw new DataError(`${file}: ${path.join('.') || 'it'}: ${message}, expected what prognet export --fleet writes`, {
    path: file,
  });
}

/** The bytes of a model, those that fleet.json names. Throws UsageError for a form that the fleet does not have, DataError for other bytes. */
export function readModel(folder: string, fleet: Fleet, form: FleetForm): Uint8Array {
  const wanted = fleet.models[form];
  if (wanted === undefined) throw new UsageError(`${folder}: this fleet has no ${form} form: ${fleet.unstacked ?? ''}`);
  const file = join(folder, modelFiles[form]);
  const bytes = readWhole(file);
  const found = sha256(bytes);
  if (found === wanted) return bytes;
  throw new DataError(`${file}: sha256 is ${shortHash(found)}.., expected ${shortHash(wanted)}.., as ${fleetFile} says`, {
    path: file,
    expected: wanted,
    got: found,
  });
}

/** Names of the columns of a fleet, sorted; whether each is whole is for `readColumn` to say. */
export function listFleet(folder: string): readonly string[] {
  try {
    return readdirSync(join(folder, 'columns'))
      .filter((file) => file.endsWith('.safetensors') && taskPattern.test(nameOf(file)))
      .map(nameOf)
      .sort();
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw fileError('read', join(folder, 'columns'), cause);
  }
}

const nameOf = (file: string): string => file.slice(0, -'.safetensors'.length);

/** A column of a fleet, checked against its hashes and against the fleet. Throws UsageError for an unknown name, DataError as `decodeColumn`. */
export function readColumn(folder: string, fleet: Fleet, name: string): FrozenColumn {
  const file = columnFile(name);
  let bytes: Uint8Array;
  try {
    if (!taskPattern.test(name)) throw unknownColumn(folder, name);
    bytes = readWhole(join(folder, file));
  } catch (error) {
    throw isMissing(error) ? unknownColumn(folder, name) : error;
  }
  return decodeColumn(bytes, name, fleet, join(folder, file));
}

/** Whether a column fits the fleet, by the header of its file alone. Throws DataError as `columnHead`, WorkspaceError for a file that cannot be read. */
export function checkColumn(folder: string, fleet: Fleet, name: string): void {
  const file = join(folder, columnFile(name));
  columnHead(storedSafetensors(new StoredFile(file), file), name, fleet, file);
}

const isMissing = (error: unknown): boolean => error instanceof Error && errorCode(error.cause) === 'ENOENT';

const unknownColumn = (folder: string, name: string): UsageError =>
  new UsageError(`${folder}: no column "${name}" in this fleet, expected ${columnFile(name)} in it`, { got: name });
