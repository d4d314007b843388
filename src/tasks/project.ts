// A workspace opened for work: its description and its frozen columns, each checked against its hashes and against the description.
import { relative } from 'node:path';
import { canonical, describeDifference } from '../model/description/canonical.js';
import type { Column, Description } from '../model/description/description.js';
import { readDescription } from '../model/description/parse.js';
import { columnIndex, notTrained } from '../model/progressive/forms.js';
import { tapsRead } from '../model/progressive/lowering.js';
import { columnParameters, type Weights } from '../model/progressive/parameters.js';
import { DescriptionError, must, UsageError, WorkspaceError } from '../onnx/core/errors.js';
import { shortHash } from '../onnx/files/hash.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type FrozenColumn, listColumns, loadColumn } from '../workspace/column-store.js';
import { requireWorkspace, type Workspace } from '../workspace/workspace.js';

import { withGraphs } from './imported-graph.js';

export interface Project {
  readonly workspace: Workspace;
  readonly description: Description;
  /** Name of the description's file, for messages. */
  readonly file: string;
  /** Paths of the imported graphs that the description names. */
  readonly graphs: readonly string[];
  /** By the index of the column; undefined while it is not frozen. */
  readonly frozen: readonly (FrozenColumn | undefined)[];
}

/** A description is a text that people write: 16 MiB is beyond any. */
const maxDescriptionBytes = 1 << 24;

function readText(path: string, file: string): string {
  const bytes = readWhole(path);
  if (bytes.length > maxDescriptionBytes)
    throw new DescriptionError(`${file}: over 16 MiB, no description is so long`, { path: file });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DescriptionError(`${file}: not valid UTF-8, expected a text`, { path: file, expected: 'UTF-8', cause });
  }
}

/** Every column is lowered once, so that shapes that do not fit are found before any work. */
function checkShapes(description: Description, file: string): void {
  try {
    description.columns.forEach((_, index) => {
      columnParameters(description, index);
    });
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    const { path } = error;
    throw new DescriptionError(`${file}: ${error.message}`, {
      ...(path !== undefined && { path: `${file}: ${path}` }),
      cause: error,
    });
  }
}

function openColumn(root: string, description: Description, task: string, file: string): FrozenColumn {
  const column = loadColumn(root, task);
  const was = column.record.description;
  const now = canonical(description, task);
  if (was === now) return column;
  throw new WorkspaceError(
    `${file}: task "${task}" no longer fits its frozen column, ${describeDifference(was, now)}; undo that, or add a new task`,
    { path: file, expected: was, got: now },
  );
}

/** A frozen column stands over the very columns that it was trained over. */
function checkSources(description: Description, frozen: readonly (FrozenColumn | undefined)[]): void {
  description.columns.forEach(({ task }, index) => {
    const record = frozen[index]?.record;
    if (record === undefined) return;
    for (const column of columnsNeeded(description, index)) {
      const source = must(description.columns[column], 'source').task;
      const now = frozen[column]?.record.sha256.weights;
      const was = record.sources[source];
      if (now === was && now !== undefined) continue;
      const path = `columns/${task}`;
      const found =
        now === undefined
          ? `reads the column "${source}", whose files are missing`
          : `was trained over another column "${source}", sha256 ${shortHash(was ?? 'none')}.., found ${shortHash(now)}..`;
      throw new WorkspaceError(`${path}: ${found}; restore columns/${source} from a copy`, {
        path,
        ...(was !== undefined && { expected: was }),
        ...(now !== undefined && { got: now }),
      });
    }
  });
}

/** SHA-256 of the weights of the columns that a column reads, by task. */
export function sourceHashes(project: Project, index: number): Record<string, string> {
  return Object.fromEntries(
    columnsNeeded(project.description, index).map((column) => {
      const { task } = must(project.description.columns[column], 'source');
      return [task, frozenOf(project, task).record.sha256.weights];
    }),
  );
}

/** Opens the workspace that `start` lies in. Throws WorkspaceError, DataError or DescriptionError in one line. */
export function openProject(start: string): Project {
  const workspace = requireWorkspace(start);
  const file = relative(workspace.root, workspace.description);
  let graphs: readonly string[] = [];
  const description = readDescription(readText(workspace.description, file), file, (written) => {
    const { value, files } = withGraphs(written, workspace.root, file);
    graphs = files;
    return value;
  });
  checkShapes(description, file);
  const tasks = listColumns(workspace.root);
  for (const task of tasks) {
    if (description.columns.some((c) => c.task === task)) continue;
    throw new WorkspaceError(
      `${file}: the frozen column "${task}" is no longer in the description; put it back, or move columns/${task} away`,
      { path: file, expected: task },
    );
  }
  const frozen = description.columns.map(({ task }) =>
    tasks.includes(task) ? openColumn(workspace.root, description, task, file) : undefined,
  );
  checkSources(description, frozen);
  return { workspace, description, file, graphs, frozen };
}

/** The column of a task and its index; UsageError for an unknown task. */
export function taskOf(project: Project, task: string): { index: number; column: Column } {
  const index = columnIndex(project.description, task);
  return { index, column: must(project.description.columns[index], task) };
}

/** Weights by column for graphs. */
export function weightsOf(project: Project): (Weights | undefined)[] {
  return project.frozen.map((c) => c?.tensors);
}

/** Tasks whose columns are frozen, in the order of the columns. */
export function frozenTasks(project: Project): string[] {
  return project.description.columns.map((c) => c.task).filter((_, i) => project.frozen[i] !== undefined);
}

/** The frozen column of a task; UsageError says to train it first. */
export function frozenOf(project: Project, task: string): FrozenColumn {
  const { index } = taskOf(project, task);
  const column = project.frozen[index];
  if (column === undefined) throw notTrained(task);
  return column;
}

/** Columns whose taps a column needs, directly or through others, ascending. */
export function columnsNeeded(description: Description, column: number): number[] {
  const found = new Set<number>();
  const visit = (index: number): void => {
    for (const ref of tapsRead(description, index)) {
      if (found.has(ref.column)) continue;
      found.add(ref.column);
      visit(ref.column);
    }
  };
  visit(column);
  return [...found].sort((a, b) => a - b);
}

/** The columns that a column reads must be frozen before it is trained: UsageError says which is not. */
export function requireSources(project: Project, index: number): void {
  const task = project.description.columns[index]?.task;
  for (const column of columnsNeeded(project.description, index)) {
    if (project.frozen[column] !== undefined) continue;
    const source = must(project.description.columns[column], 'source').task;
    throw new UsageError(`task "${task}" reads the column "${source}", which is not trained yet`, {
      got: task ?? '',
      remedy: { kind: 'train', task: source },
    });
  }
}
