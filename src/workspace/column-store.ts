// Frozen columns: columns/<task>/{weights.safetensors, column.json}. Written once by an atomic rename, read-only, checked at each load.
import { lstatSync, mkdirSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSafetensorsParts, storedSafetensors } from '../formats/safetensors.js';
import { WorkspaceError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { syncFolder, writeNewFile } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { HashedPieces, sha256, shortHash } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { StoredFile } from '../onnx/files/stored-file.js';
import { removeQuietly, removeStale, temporaryName } from '../onnx/files/temporary.js';
import { type ColumnDraft, type ColumnRecord, readRecord, writeRecord } from './column-record.js';
import { forgetFrozen, noteFrozen } from './frozen-list.js';
import { checkTask } from './task-name.js';

const readOnly = 0o444;

/** A column that is frozen on disk. */
export interface FrozenColumn {
  /** What column.json says of it. */
  readonly record: ColumnRecord;
  /** Its weights by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Names in a folder, or undefined when there is none. */
function entriesOf(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw fileError('read', folder, cause);
  }
}

function refuseExisting(root: string, task: string): void {
  const entries = entriesOf(join(root, 'columns', task));
  if (entries === undefined || entries.length === 0) return;
  const path = `columns/${task}`;
  if (entries.includes('column.json')) {
    throw new WorkspaceError(`column "${task}" is frozen already, ${path} is never written again; choose another task name`, {
      path,
    });
  }
  throw new WorkspaceError(
    `${path}: holds ${JSON.stringify(entries[0])} but no column.json, so it is no frozen column; move it elsewhere`,
    {
      path,
      expected: 'no such folder',
    },
  );
}

/** The bytes of weights.safetensors. */
export function weightsFile(task: string, tensors: ReadonlyMap<string, Tensor>): Iterable<Uint8Array> {
  return encodeSafetensorsParts(tensors, { producer: 'prognet', task });
}

/**
 * Freezes a column for good: all files in a hidden folder, each on the disk, then one rename. A kill at any moment leaves no column or the
 * whole one.
 * @throws WorkspaceError when the task is frozen already, or the record or the disk does not take it
 * @throws DataError for tensors that safetensors cannot hold
 */
export function freezeColumn(root: string, draft: ColumnDraft, tensors: ReadonlyMap<string, Tensor>): ColumnRecord {
  const { task } = draft;
  checkTask(task);
  const columns = join(root, 'columns');
  const final = join(columns, task);
  removeStale(columns);
  refuseExisting(root, task);
  const weights = new HashedPieces(weightsFile(task, tensors));
  const temporary = join(columns, temporaryName(task));
  let record: ColumnRecord;
  try {
    if (makeFolder(columns)) syncFolder(root);
    mkdirSync(temporary);
    writeNewFile(join(temporary, 'weights.safetensors'), weights, readOnly);
    const written = writeRecord(draft, weights.digest(), `columns/${task}/column.json`);
    record = written.record;
    writeNewFile(join(temporary, 'column.json'), written.bytes, readOnly);
    syncFolder(temporary);
    renameSync(temporary, final);
  } catch (cause) {
    removeQuietly(temporary);
    // Another process was first, between our look and our rename.
    if (errorCode(cause) === 'ENOTEMPTY' || errorCode(cause) === 'EEXIST') refuseExisting(root, task);
    throw fileError('write', final, cause);
  }
  try {
    syncFolder(columns);
  } catch (cause) {
    throw fileError('write', final, cause);
  }
  try {
    noteFrozen(root, task, record.sha256.weights);
  } catch (error) {
    // The column is frozen, whatever becomes of the note; the next training writes it.
    if (!(error instanceof WorkspaceError)) throw error;
  }
  return record;
}

/**
 * Takes a frozen column back: its note, and then its folder by one rename, so that a kill leaves the column or none.
 * @throws WorkspaceError when the disk does not take it
 */
export function removeColumn(root: string, task: string): void {
  checkTask(task);
  const columns = join(root, 'columns');
  forgetFrozen(root, task);
  const aside = join(columns, temporaryName(task));
  try {
    renameSync(join(columns, task), aside);
    syncFolder(columns);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return;
    throw fileError('remove', join(columns, task), cause);
  }
  removeQuietly(aside);
}

/** Where a file is, links followed. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * A frozen column, its hashes checked against its files. Large weights are read when they are asked for.
 * @throws WorkspaceError when there is none, or a file is missing or was changed
 */
export function loadColumn(root: string, task: string): FrozenColumn {
  checkTask(task);
  removeStale(join(root, 'columns'));
  const folder = `columns/${task}`;
  const entries = entriesOf(join(root, folder));
  if (entries === undefined && isLink(join(root, folder)))
    throw new WorkspaceError(`${folder}: is a link that leads nowhere, restore the folder that it led to`, { path: folder });
  if (entries === undefined) {
    const frozen = listColumns(root);
    throw new WorkspaceError(
      `column "${task}" is not frozen, ${frozen.length === 0 ? 'no column is' : `found ${frozen.join(', ')}`}`,
      {
        path: folder,
        got: frozen.join(', '),
      },
    );
  }
  for (const name of ['column.json', 'weights.safetensors']) {
    if (!entries.includes(name)) {
      throw new WorkspaceError(`${folder}/${name}: missing, restore it from a copy`, {
        path: `${folder}/${name}`,
        expected: 'a file',
      });
    }
  }
  const record = loadRecord(root, task);
  if (record.task !== task) {
    throw new WorkspaceError(
      `${folder}/column.json: is the record of task "${record.task}", expected "${task}"; the folder was renamed`,
      {
        path: `${folder}/column.json`,
        expected: task,
        got: record.task,
      },
    );
  }
  const file = `${folder}/weights.safetensors`;
  const stored = new StoredFile(realOf(join(root, file)));
  const found = sha256(stored.pieces());
  if (found !== record.sha256.weights) {
    throw new WorkspaceError(
      `${file}: changed since it was frozen, sha256 is ${shortHash(found)}.., column.json says ${shortHash(record.sha256.weights)}..`,
      { path: file, expected: record.sha256.weights, got: found },
    );
  }
  return { record, tensors: storedSafetensors(stored, file).tensors };
}

/** What column.json says of a frozen column, its weights left unread. Throws as `loadColumn`. */
export function loadRecord(root: string, task: string): ColumnRecord {
  checkTask(task);
  const file = `columns/${task}/column.json`;
  return readRecord(readWhole(join(root, file)), file);
}

/** Tasks that have a folder, or a link to one, under columns/, sorted by name; whether each is whole is for `loadColumn` to say. */
export function listColumns(root: string): readonly string[] {
  const columns = join(root, 'columns');
  try {
    return readdirSync(columns, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.') && !entry.isFile())
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw fileError('read', columns, cause);
  }
}
