// What was frozen in a workspace, by task: columns/.frozen/<task> holds the SHA-256 of the column's weights. Written at freezing, so that a column
// that is gone is told, not taken for one that never was. One file a task: two freezings at once do not write the same one.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WorkspaceError } from '../onnx/core/errors.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { shortHash } from '../onnx/files/hash.js';
import { taskPattern } from './task-name.js';

const folderOf = (root: string): string => join(root, 'columns', '.frozen');

/** Notes that a task is frozen with these weights. Throws WorkspaceError when the disk does not take it. */
export function noteFrozen(root: string, task: string, weights: string): void {
  const folder = folderOf(root);
  try {
    makeFolder(folder);
  } catch (cause) {
    throw fileError('write', folder, cause);
  }
  writeFileAtomic(join(folder, task), new TextEncoder().encode(`${weights}\n`));
}

/** Takes the note of a task back. Throws WorkspaceError when the disk does not take it. */
export function forgetFrozen(root: string, task: string): void {
  const path = join(folderOf(root), task);
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw fileError('remove', path, cause);
  }
}

/** The tasks that were frozen, with the SHA-256 of their weights; none in a workspace of an older prognet. */
export function notedFrozen(root: string): ReadonlyMap<string, string> {
  const folder = folderOf(root);
  try {
    const tasks = readdirSync(folder).filter((name) => taskPattern.test(name));
    return new Map(tasks.map((task) => [task, readFileSync(join(folder, task), 'utf8').trim()]));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return new Map();
    throw fileError('read', folder, cause);
  }
}

/**
 * Compares what was frozen with what is there.
 * @param found SHA-256 of the weights of the columns that are there
 * @throws WorkspaceError for a column that is gone or is another one
 */
export function checkFrozen(root: string, found: ReadonlyMap<string, string>): void {
  for (const [task, was] of notedFrozen(root)) {
    const now = found.get(task);
    if (now === was) continue;
    const path = `columns/${task}`;
    const what = now === undefined ? 'is missing' : `is another column, sha256 ${shortHash(now)}..`;
    throw new WorkspaceError(
      `${path}: ${what}; it was frozen with sha256 ${shortHash(was)}..: restore it from a copy, or give it up`,
      { path, expected: was, remedy: { kind: 'reset', task }, ...(now !== undefined && { got: now }) },
    );
  }
}
