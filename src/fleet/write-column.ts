// Writes a column into the folder of a fleet: its file and its adapter, each whole or not at all.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { removeStale } from '../onnx/files/temporary.js';
import type { FrozenColumn } from '../workspace/column-store.js';
import { encodeAdapter } from './adapter-file.js';
import { columnHead, columnTensors, encodeColumn } from './column-file.js';
import { adapterFile, columnFile, type Fleet } from './folder.js';

/** The files of a column by their paths in the folder, checked as a fleet reads them. Throws DataError for a column of another shape or base. */
export function columnFiles(column: FrozenColumn, fleet: Fleet): ReadonlyMap<string, Uint8Array> {
  const { task } = column.record;
  const { tensors } = columnHead(columnTensors(column), task, fleet, `columns/${task}`);
  // The adapter first: a column is in the fleet when its own file is there.
  return new Map([
    [adapterFile(task), encodeAdapter(tensors)],
    [columnFile(task), encodeColumn(column)],
  ]);
}

/** Throws WorkspaceError where the disk does not take it; of many columns `settleFleet` must be called when they are written. */
export function writeFleetFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (cause) {
      throw fileError('write', path, cause);
    }
    writeFileAtomic(path, bytes, { oneOfMany: true });
  }
}

/** Before columns are written: removes what killed processes left half-written. After it: the names are on the disk too. Throws WorkspaceError where the disk does not take it. */
export function settleFleet(folder: string): void {
  for (const each of [adapterFile(''), columnFile('')].map((name) => dirname(join(folder, name)))) {
    if (!existsSync(each)) continue;
    removeStale(each);
    try {
      syncFolder(each);
    } catch (cause) {
      throw fileError('write', each, cause);
    }
  }
}
