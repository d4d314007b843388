// Task names as folder names: the description's rule, checked again here because a name becomes a path.
import { WorkspaceError } from '../onnx/core/errors.js';
import { show } from './json.js';

export const taskPattern = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;

/** @throws WorkspaceError for a name that may not be a folder: `../x`, `.hidden`, the empty one */
export function checkTask(task: string): void {
  if (taskPattern.test(task)) return;
  throw new WorkspaceError(
    `task ${show(task)} is no valid name, expected a letter, then letters, digits, "_" or "-", at most 100`,
    {
      expected: 'a letter, then letters, digits, "_" or "-"',
      got: task,
    },
  );
}
