// An ONNX model from elsewhere becomes a frozen column of a workspace: its graph a file beside the description, its weights those of the column.
// Everything is checked and the model run on the task's test data before the column is frozen; where that fails, nothing is left behind.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DescriptionError, must, UsageError } from '../core/errors.js';
import { writeFileAtomic } from '../files/atomic-file.js';
import { fileError } from '../files/file-error.js';
import { readWhole } from '../files/read-file.js';
import type { HeadInput } from '../progressive/description/head-schema.js';
import { readDescription } from '../progressive/description/parse.js';
import { type ImportedModel, importModel } from '../progressive/import-model.js';
import { columnParameters } from '../progressive/parameters.js';
import { defaultThreads } from '../runtime/node.js';
import type { Runtime } from '../runtime/session.js';
import { loadModel } from '../serde/external-data.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { createFolders, descriptionNames, findWorkspace } from '../workspace/workspace.js';
import { emptyDescription, withColumn } from './column-text.js';
import { testAndFreeze } from './freeze-task.js';
import { importedFile, withGraphs } from './imported-graph.js';
import { openProject, taskOf } from './project.js';
import { loadTaskData } from './task-data.js';

export interface ImportTaskOptions {
  readonly task: string;
  readonly taps?: readonly string[];
  readonly scores?: string;
  readonly head: 'classify' | 'binary' | 'regress';
  /** The column's `data`, as a description has it: its test part is what `verify` compares over. */
  readonly data: unknown;
  readonly provider?: string;
  readonly threads?: number;
}

export interface ImportedTask {
  readonly workspace: string;
  readonly task: string;
  readonly taps: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
  readonly record: ColumnRecord;
}

function headOf(kind: ImportTaskOptions['head'], width: number): HeadInput {
  return kind === 'classify' ? { classify: width } : kind === 'binary' ? { binary: width } : { regress: width };
}

/** The workspace of `folder`, or the files of a new one. */
function descriptionAt(
  folder: string,
  begin: boolean,
  { input }: ImportedModel,
): { root: string; file: string; text: string; old?: Uint8Array } {
  const found = begin ? undefined : findWorkspace(folder);
  const root = found ?? resolve(folder);
  const name = descriptionNames.find((n) => existsSync(join(root, n)));
  if (name === undefined) {
    if (!begin)
      throw new UsageError(`no ${descriptionNames[0]} in ${root} or above it; -o <folder> begins a workspace`, { path: root });
    const valid = (text: string, other: string) => (/^[A-Za-z][A-Za-z0-9_-]{0,99}$/.test(text) ? text : other);
    const text = emptyDescription(valid(basename(root), 'network'), { ...input, name: valid(input.name, 'input') });
    return { root, file: descriptionNames[0], text };
  }
  const old = readWhole(join(root, name));
  return { root, file: name, text: new TextDecoder().decode(old), old };
}

/**
 * `folder` lies in a workspace, or with `begin` is one or becomes one. Throws UsageError, ModelError, DescriptionError or DataError in one line
 * for what does not fit.
 */
export async function importTask(
  runtime: Runtime,
  folder: string,
  begin: boolean,
  file: string,
  options: ImportTaskOptions,
): Promise<ImportedTask> {
  const { task, head, data } = options;
  const imported = importModel(loadModel(file), options, file);
  const { root, file: name, text, old } = descriptionAt(folder, begin, imported);
  const before = readDescription(text, name, (value) => withGraphs(value, root, name));
  const known = before.columns.find((c) => c.task === task);
  // One that was interrupted between description and freezing may be taken in again.
  if (known !== undefined && (known.onnx === undefined || existsSync(join(root, 'columns', task)))) {
    throw new UsageError(`task "${task}" is in ${name} already, choose another name with --task`, { got: task });
  }
  const { shape } = must(before.inputs[0], 'input');
  if (shape.join() !== imported.input.shape.join()) {
    throw new DescriptionError(`${file}: its input is [N,${imported.input.shape}], the network's is [N,${shape}]`, {
      expected: `[N,${shape}]`,
      got: `[N,${imported.input.shape}]`,
    });
  }
  const graph = importedFile(task);
  const onnx = { graph, taps: [...imported.taps], scores: imported.scores };
  const next = withColumn(text, name, { task, ...{ data, onnx, head: headOf(head, imported.width) } });
  const description = join(root, name);
  try {
    mkdirSync(dirname(join(root, graph)), { recursive: true });
  } catch (cause) {
    throw fileError('write', dirname(join(root, graph)), cause);
  }
  const encode = (t: string) => new TextEncoder().encode(t);
  try {
    writeFileAtomic(join(root, graph), imported.graph);
    writeFileAtomic(description, encode(next));
    return await freeze(runtime, root, imported, options, basename(file));
  } catch (error) {
    if (old === undefined) rmSync(description, { force: true });
    else writeFileAtomic(description, old);
    rmSync(join(root, graph), { force: true });
    throw error;
  }
}

async function freeze(
  runtime: Runtime,
  root: string,
  imported: ImportedModel,
  { task, provider = 'cpu', threads = defaultThreads() }: ImportTaskOptions,
  from: string,
): Promise<ImportedTask> {
  const project = openProject(root);
  const { index, column } = taskOf(project, task);
  const { taps, count } = columnParameters(project.description, index);
  const data = await loadTaskData(project, task);
  createFolders(project.workspace);
  const record = await testAndFreeze({
    runtime,
    project,
    index,
    column,
    seed: project.description.seed,
    data,
    session: { providers: [provider], threads },
    trained: { weights: imported.weights, history: [] },
    seconds: 0,
    trainer: `imported from ${from}`,
  });
  const shapes = imported.taps.map((name, i) => ({ name, shape: must(taps[i], name) }));
  return { workspace: root, task, taps: shapes, parameters: count, record };
}
