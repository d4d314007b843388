// Writes a column into the folder of a fleet: its file and its adapter, each whole or not at all.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import type { FrozenColumn } from '../workspace/column-store.js';
import { encodeAdapter } from './adapter-file.js';
import { decodeColumn, encodeColumn } from './column-file.js';
import { adapterFile, columnFile, type Fleet } from './folder.js';

/** The files of a column by their paths in the folder, checked as a fleet reads them. Throws DataError for a column of another shape or base. */
export function columnFiles(column: FrozenColumn, fleet: Fleet): ReadonlyMap<string, Uint8Array> {
  const { task } = column.record;
  const bytes = encodeColumn(column);
  const { tensors } = decodeColumn(bytes, task, fleet, `columns/${task}`);
  // The adapter first: a column is in the fleet when its own file is there.
  return new Map([
    [adapterFile(task), encodeAdapter(tensors)],
    [columnFile(task), bytes],
  ]);
}

/** Throws WorkspaceError where the disk does not take it. */
export function writeFleetFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (cause) {
      throw fileError('write', path, cause);
    }
    writeFileAtomic(path, bytes);
  }
}
