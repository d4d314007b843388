// A column that is trained and not frozen: runs/<task>/trained.safetensors, one file, so that a kill leaves the former one or the new one. In its
// metadata stand the record that freezing makes column.json of, and what the training was begun with.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensorsParts } from '../formats/safetensors.js';
import { WorkspaceError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { sha256 } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type ColumnDraft, type ColumnRecord, readRecord, writeRecord } from './column-record.js';
import { weightsFile } from './column-store.js';
import { type Json, parseJson, stableJson } from './json.js';
import { checkTask } from './task-name.js';

const fileName = 'trained.safetensors';
const format = 'prognet-trained-1';

/** A trained column, as it stands in its run. */
export interface TrainedColumn {
  /** As column.json would say it. */
  readonly record: ColumnRecord;
  /** Weights and statistics by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What it was trained from, for whoever freezes it to compare; opaque here. */
  readonly basis: Json;
}

const pathOf = (root: string, task: string): string => join(root, 'runs', task, fileName);
const shownOf = (task: string): string => `runs/${task}/${fileName}`;

/** Whether a task has a trained column that is not frozen; whether it is whole, `readTrained` says. */
export function trainedExists(root: string, task: string): boolean {
  checkTask(task);
  return existsSync(pathOf(root, task));
}

/**
 * Puts a trained column in the place of the former one. The folder of the run is there, and locked by the caller.
 * @throws WorkspaceError when the record or the disk does not take it
 */
export function writeTrained(root: string, draft: ColumnDraft, tensors: ReadonlyMap<string, Tensor>, basis: Json): ColumnRecord {
  const { task } = draft;
  checkTask(task);
  const { record, bytes } = writeRecord(draft, sha256(weightsFile(task, tensors)), shownOf(task));
  const [column, from] = [new TextDecoder().decode(bytes), stableJson(basis)];
  const metadata = { format, column, basis: from, sha256: sha256(`${column}\n${from}`) };
  writeFileAtomic(pathOf(root, task), encodeSafetensorsParts(tensors, metadata));
  return record;
}

/**
 * The trained column of a task; undefined when there is none.
 * @throws WorkspaceError or DataError for a file that is not just as it was written
 */
export function readTrained(root: string, task: string): TrainedColumn | undefined {
  if (!trainedExists(root, task)) return undefined;
  const file = shownOf(task);
  const { tensors, metadata } = decodeSafetensors(readWhole(pathOf(root, task)), file);
  const { column, basis, sha256: stated } = metadata;
  const damaged = (what: string) =>
    new WorkspaceError(`${file}: ${what}, train the task anew`, { path: file, remedy: { kind: 'train', task } });
  if (metadata.format !== format || column === undefined || basis === undefined)
    throw damaged('is no trained column as prognet wrote it');
  if (stated !== sha256(`${column}\n${basis}`)) throw damaged('changed since it was written');
  const record = readRecord(new TextEncoder().encode(column), file);
  if (record.task !== task) throw damaged(`is the column of task "${record.task}"`);
  if (record.sha256.weights !== sha256(weightsFile(task, tensors))) throw damaged('changed since it was written');
  return { record, tensors, basis: parseJson(basis, file) };
}

/** Removes the trained column of a task, if there is one. */
export function removeTrained(root: string, task: string): void {
  checkTask(task);
  try {
    rmSync(pathOf(root, task), { force: true });
  } catch (cause) {
    throw fileError('remove', pathOf(root, task), cause);
  }
}
