// The data of a task: read, transformed, and checked against the network's input and the task's head.

import { join } from 'node:path';
import type { Labelled, RowSet, SampleSet, Split } from '../data/dataset.js';
import { loadHeads } from '../data/heads.js';
import type { ReadingOptions } from '../data/reading.js';
import type { SampleRows } from '../data/samples.js';
import { type DataSpec, parseDataSpec } from '../data/schema.js';
import type { SeveralContext } from '../data/sources/source.js';
import { loadRows, loadSeveral, sourceFiles } from '../data/sources.js';
import { isJudged } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { DataError, DescriptionError } from '../onnx/core/errors.js';
import { fitData, fitInputs, readingFor } from '../train/prepare-data.js';
import { fixedSamples } from './fixed-samples.js';
import type { LoadedWorkspace } from './load-workspace.js';

/** The checked `data` entry of a column; undefined where it has none. Nothing is read. Throws DescriptionError. */
export function dataSpecOf(loaded: LoadedWorkspace, column: Column): DataSpec | undefined {
  const written = column.description.data;
  if (written === undefined) return undefined;
  try {
    return parseDataSpec(written, `${loaded.file}: ${column.path}.data`);
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
export function namedFiles(loaded: LoadedWorkspace): string[] {
  const data = [...loaded.columns].flatMap((column) => {
    const spec = dataSpecOf(loaded, column);
    const source = typeof spec === 'string' ? spec : spec?.source;
    return source === undefined ? [] : sourceFiles(source, loaded.workspace.root);
  });
  return [...data, ...loaded.graphs];
}

/** Who hears of the reading of a task's data, and what stops it. */
export interface TaskDataOptions extends ReadingOptions {
  /** A line on what was taken for granted. */
  readonly onNote?: ((line: string) => void) | undefined;
  /** A line where a test set was drawn for which nobody said the part. */
  readonly onDrawn?: ((line: string) => void) | undefined;
}

/** Train and test data of a task. Throws InterruptedError on abort, DataError where they do not fit, DescriptionError for a wrong `data` entry. */
export async function loadTaskData(
  loaded: LoadedWorkspace,
  task: string,
  options: TaskDataOptions = {},
): Promise<Split<SampleSet>> {
  const column = loaded.columns.column(task);
  const path = `${column.path}.data`;
  const spec = dataSpecOf(loaded, column);
  if (!isJudged(column.head)) {
    const fixed = fixedSamples(column.inputs);
    return { train: fixed, test: fixed };
  }
  if (spec === undefined) throw new DataError(`${path}: task "${task}" names no data, expected a source such as mnist`, { path });
  const split = await readSplit(spec, { ...readingOf(loaded, column), path, ...told(options) });
  return {
    train: fitData(column, split.train, `train data of task "${task}"`),
    test: fitData(column, split.test, `test data of task "${task}"`),
  };
}

/** Test samples of a source that no task names, under the inputs of a column; what they are labelled is not looked at. Throws as `loadTaskData`. */
export async function loadOtherSamples(
  loaded: LoadedWorkspace,
  task: string,
  source: unknown,
  path: string,
): Promise<Labelled<SampleRows>> {
  const column = loaded.columns.column(task);
  const { head: _, ...reading } = readingOf(loaded, column);
  const { test } = await readSplit(parseDataSpec(source, path), { ...reading, path });
  return { ...test, inputs: fitInputs(column, test.inputs, `test data of ${path}`) };
}

const readingOf = ({ workspace: { root } }: LoadedWorkspace, column: Column) => ({
  baseDir: root,
  cache: join(root, 'cache'),
  ...readingFor(column),
});

const told = ({ onNote, onDrawn, onReading, signal }: TaskDataOptions) => ({
  ...(onNote && { onNote }),
  ...(onDrawn && { onDrawn }),
  ...(onReading && { onReading }),
  ...(signal && { signal }),
});

const readAlone = async (spec: DataSpec, reading: SeveralContext): Promise<Split<RowSet | SampleSet>> =>
  reading.inputs.length > 1 ? await loadSeveral(spec, reading) : await loadRows(spec, reading);

const readSplit = async (spec: DataSpec, reading: SeveralContext): Promise<Split<RowSet | SampleSet>> => {
  const heads = reading.head?.heads;
  return heads === undefined ? await readAlone(spec, reading) : await loadHeads(spec, { ...reading, heads }, readAlone);
};
