// The data of a task: read, transformed, and checked against the network's input and the task's head.

import type { Split } from '../data/dataset.js';
import { type DataSpec, parseDataSpec } from '../data/schema.js';
import { loadData, sourceFiles } from '../data/sources.js';
import { DataError, DescriptionError, must } from '../onnx/core/errors.js';
import { fitData, targetHead } from '../train/prepare-data.js';
import { type Project, taskOf } from './project.js';

/** The checked `data` entry of a column; undefined where it has none. Nothing is read. Throws DescriptionError. */
export function dataSpecOf(project: Project, index: number): DataSpec | undefined {
  const written = must(project.description.columns[index], `column ${index}`).data;
  if (written === undefined) return undefined;
  try {
    return parseDataSpec(written, `${project.file}: columns[${index}].data`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { path, expected, got } = error;
    throw new DescriptionError(error.message, {
      ...(path !== undefined && { path }),
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      cause: error,
    });
  }
}

/** The user's files that the description names: the tasks' data, imported graphs. Throws DescriptionError for a wrong `data` entry. */
export function namedFiles(project: Project): string[] {
  const data = project.description.columns.flatMap((_, index) => {
    const spec = dataSpecOf(project, index);
    const source = typeof spec === 'string' ? spec : spec?.source;
    return source === undefined ? [] : sourceFiles(source, project.workspace.root);
  });
  return [...data, ...project.graphs];
}

/** Train and test data of a task; `onNote` hears what was taken for granted. Throws DataError where they do not fit, DescriptionError for a wrong `data` entry. */
export async function loadTaskData(project: Project, task: string, onNote?: (line: string) => void): Promise<Split> {
  const { index, column } = taskOf(project, task);
  const path = `columns[${index}].data`;
  const spec = dataSpecOf(project, index);
  if (spec === undefined) throw new DataError(`${path}: task "${task}" names no data, expected a source such as mnist`, { path });
  const split = await loadData(spec, {
    baseDir: project.workspace.root,
    path,
    head: targetHead(column.head),
    ...(onNote && { onNote }),
  });
  return {
    train: fitData(project.description, column, split.train, `train data of task "${task}"`),
    test: fitData(project.description, column, split.test, `test data of task "${task}"`),
  };
}
