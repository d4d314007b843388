// The data of a task: read, transformed, and checked against the network's input and the task's head.
import { DataError, must, UsageError } from '../core/errors.js';
import { fitTargets } from '../data/checks.js';
import { type Dataset, type Split } from '../data/dataset.js';
import { dataSchema } from '../data/schema.js';
import { loadData } from '../data/sources.js';
import type { Column } from '../progressive/description/description.js';
import { headWidth } from '../progressive/description/head-schema.js';
import { type Project, taskOf } from './project.js';

/** Train and test data of a task. Throws DataError where they do not fit, DescriptionError-like lines for a wrong `data` entry. */
export async function loadTaskData(project: Project, task: string): Promise<Split> {
  const { index, column } = taskOf(project, task);
  const path = `columns[${index}].data`;
  if (column.data === undefined)
    throw new UsageError(`${path}: task "${task}" names no data, expected a source such as mnist`, { path });
  const parsed = dataSchema.safeParse(column.data);
  if (!parsed.success) throw new UsageError(`${path}: ${parsed.error.issues[0]?.message ?? 'not valid'}`, { path });
  const split = await loadData(parsed.data, { baseDir: project.workspace.root, path });
  return {
    train: fit(project, column, split.train, `${task} train data`),
    test: fit(project, column, split.test, `${task} test data`),
  };
}

function fit(project: Project, column: Column, data: Dataset, where: string): Dataset {
  const { shape, name } = must(project.description.inputs[0], 'input');
  const found = data.inputs.dims.slice(1);
  if (found.join() !== shape.join()) {
    throw new DataError(`${where}: a sample has shape [${found}], input "${name}" is [${shape}]`, {
      expected: `[${shape}]`,
      got: `[${found}]`,
    });
  }
  return fitTargets(data, { kind: column.head.kind, size: headWidth(column.head) }, where);
}
