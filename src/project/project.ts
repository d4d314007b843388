// A workspace opened for work: its description and its frozen columns, each checked against its hashes and against the description.
import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { DescriptionError, must, UsageError, WorkspaceError } from '../core/errors.js';
import { canonical, describeDifference } from '../progressive/description/canonical.js';
import type { Column, Description } from '../progressive/description/description.js';
import { readDescription } from '../progressive/description/parse.js';
import { columnIndex } from '../progressive/forms.js';
import { type FrozenColumn, listColumns, loadColumn } from '../workspace/column-store.js';
import { requireWorkspace, type Workspace } from '../workspace/workspace.js';

export interface Project {
  readonly workspace: Workspace;
  readonly description: Description;
  /** By the index of the column; undefined while it is not frozen. */
  readonly frozen: readonly (FrozenColumn | undefined)[];
}

/** A description is a text that people write: 16 MiB is beyond any. */
const maxDescriptionBytes = 1 << 24;

/** Opens the workspace that `start` lies in. Throws WorkspaceError or DescriptionError in one line. */
export function openProject(start: string): Project {
  const workspace = requireWorkspace(start);
  const file = relative(workspace.root, workspace.description);
  if (statSync(workspace.description).size > maxDescriptionBytes)
    throw new DescriptionError(`${file}: over 16 MiB, no description is so long`);
  const description = readDescription(readFileSync(workspace.description, 'utf8'), file);
  const tasks = new Set(listColumns(workspace.root));
  const frozen = description.columns.map(({ task }) => {
    if (!tasks.has(task)) return undefined;
    const column = loadColumn(workspace.root, task);
    const now = canonical(description, task);
    if (column.record.description !== now) {
      const difference = describeDifference(column.record.description, now);
      throw new WorkspaceError(
        `${file}: task "${task}" no longer fits its frozen column, ${difference}; undo that, or add a new task`,
        {
          path: file,
          expected: column.record.description,
          got: now,
        },
      );
    }
    return column;
  });
  for (const task of tasks) {
    if (!description.columns.some((c) => c.task === task)) {
      throw new WorkspaceError(
        `${file}: the frozen column "${task}" is no longer in the description; put it back, or move columns/${task} away`,
      );
    }
  }
  return { workspace, description, frozen };
}

/** The column of a task and its index; UsageError for an unknown task. */
export function taskOf(project: Project, task: string): { index: number; column: Column } {
  const index = columnIndex(project.description, task);
  return { index, column: must(project.description.columns[index], task) };
}

/** Weights by column for graphs. */
export function weightsOf(project: Project): (ReadonlyMap<string, import('../core/tensor.js').Tensor> | undefined)[] {
  return project.frozen.map((c) => c?.tensors);
}

/** The frozen column of a task; UsageError says to train it first. */
export function frozenOf(project: Project, task: string): FrozenColumn {
  const { index } = taskOf(project, task);
  const column = project.frozen[index];
  if (column === undefined) throw new UsageError(`task "${task}" is not trained yet: prognet train ${task}`, { got: task });
  return column;
}
