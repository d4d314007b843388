// An ONNX model from elsewhere becomes a frozen column of a workspace: its graph a file beside the description, its weights those of the column.
// Everything is checked and the model run on the task's test data before the column is frozen; where that fails, nothing is left behind.
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Description } from '../model/description/description.js';
import { readDescription } from '../model/description/read-text.js';
import { type HeadKind, headOfWidth } from '../model/heads/heads.js';
import { sampleDims } from '../model/nn/sample.js';
import { inferenceScope } from '../model/nn/scope.js';
import { importedPrepare, lowerPrepare } from '../model/prepare/prepare.js';
import { type Column, columnsOf } from '../model/progressive/column.js';
import { type ImportedModel, importModel } from '../model/progressive/import-model.js';
import { addInputs } from '../model/progressive/inputs.js';
import type { Weights } from '../model/progressive/weights.js';
import { DescriptionError, InternalError, must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { acquireLock } from '../onnx/files/lock-file.js';
import { leftPending } from '../onnx/files/pending.js';
import { readWhole } from '../onnx/files/read-file.js';
import { ops } from '../onnx/ops/ops.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { loadModel } from '../onnx/serde/external-data.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { dataFeeds } from '../train/network-input.js';
import { checkRows } from '../train/step/check-rows.js';
import { tapGraph } from '../train/taps/tap-graph.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { refuseOutput } from '../workspace/output-path.js';
import { checkTask } from '../workspace/task-name.js';
import { createFolders, descriptionNames, findWorkspace } from '../workspace/workspace.js';
import { emptyDescription, withColumn } from './column-text.js';
import { importedFile, withGraphs } from './imported-graph.js';
import { type LoadedWorkspace, loadWorkspace, weightsOf } from './load-workspace.js';
import { loadTaskData } from './task-data.js';
import { testAndFreeze } from './test-column.js';
import { missingFolders, removeEmpty, writtenTogether } from './written-together.js';

export interface ImportTaskOptions {
  readonly task: string;
  readonly taps?: readonly string[];
  readonly scores?: string;
  readonly head: HeadKind;
  /** The column's `data`, as a description has it: its test part is what `verify` compares over. */
  readonly data: unknown;
  readonly provider?: string;
  readonly threads?: number;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

export interface ImportedTask {
  readonly workspace: string;
  readonly task: string;
  readonly taps: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
  readonly record: ColumnRecord;
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

/** One sample as an imported column gets it: the network's input, behind its steps unless one of them learns. */
function importedSample(description: Description): readonly number[] {
  const { inputs, opset } = columnsOf(description);
  const [input] = description.inputs;
  const steps = importedPrepare(input?.prepare);
  const g = ops({ opset });
  const [raw] = Object.values(addInputs(g, inputs));
  const scope = inferenceScope(g, ({ name }) => {
    throw new InternalError(`an imported column learns ${name}`);
  });
  const place = { scope, prefix: 'prepare', path: 'input.prepare', features: input?.features };
  return sampleDims(lowerPrepare(place, steps ?? [], must(raw, 'input')));
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
  checkTask(task);
  if (begin) refuseOutput(folder);
  const imported = importModel(loadModel(file), options, file);
  for (const line of imported.notes) options.onNote?.(line);
  const { root, file: name, text, old } = descriptionAt(folder, begin, imported);
  const before = readDescription(text, name, (value) => withGraphs(value, root, name).value);
  // Names differ by more than case, since they name files.
  const known = before.columns.find((c) => c.task.toLowerCase() === task.toLowerCase());
  // One that was interrupted between description and freezing may be taken in again.
  if (known !== undefined && (known.task !== task || known.onnx === undefined || existsSync(join(root, 'columns', task)))) {
    throw new UsageError(`task "${known.task}" is in ${name} already, choose another name with --task`, { got: task });
  }
  const shape = importedSample(before);
  if (shape.join() !== imported.input.shape.join()) {
    throw new DescriptionError(`${file}: its input is [N,${imported.input.shape}], the network gives it [N,${shape}]`, {
      expected: `[N,${shape}]`,
      got: `[N,${imported.input.shape}]`,
    });
  }
  const graph = importedFile(task);
  const kept = join(root, graph);
  if (known === undefined && existsSync(kept) && leftPending(kept) === undefined) {
    throw new UsageError(`${kept} exists and belongs to no column of ${name}: move it, or choose another name with --task`, {
      path: kept,
    });
  }
  const onnx = { graph, taps: [...imported.taps], scores: imported.scores };
  const next = withColumn(text, name, { task, ...{ data, onnx, head: headOfWidth(head, imported.width) } });
  const description = join(root, name);
  // The deepest first.
  const made = [join(root, 'columns'), join(root, 'runs')].filter((f) => !existsSync(f)).concat(missingFolders(dirname(kept)));
  try {
    makeFolder(dirname(kept));
  } catch (cause) {
    throw fileError('write', dirname(kept), cause);
  }
  const lock = acquireLock(join(dirname(kept), 'lock'), 'imported/lock');
  let done = false;
  const files = new Map([
    [kept, imported.graph],
    [description, new TextEncoder().encode(next)],
  ]);
  try {
    if (old !== undefined && Buffer.compare(readWhole(description), old) !== 0)
      throw new UsageError(`${name} was changed while it was read: import again`, { path: description });
    // A graph that a kill leaves without a column is one that the next import may write over.
    const frozen = await writtenTogether(files, [kept], () => freeze(runtime, root, imported, options, basename(file)));
    done = true;
    return frozen;
  } finally {
    lock.release();
    if (!done) for (const folder of made) removeEmpty(folder);
  }
}

/** Every tap has a row for each sample, whatever the batch: what has not would be frozen for good. */
async function checkTaps(runtime: Runtime, loaded: LoadedWorkspace, column: Column, weights: Weights): Promise<void> {
  const { columns } = loaded;
  const inputs = column.taps.map((shape, block) => ({
    name: must(column.imported?.taps[block], 'tap'),
    refs: [{ column, block }],
    widths: [shape[0] ?? 1],
    shape,
  }));
  const frozen = new Map(weightsOf(loaded)).set(column.task, weights);
  const dtypes = Object.fromEntries(columns.inputs.map(({ name, dtype }) => [name, dtype]));
  const session = await runtime.createSession(toBinary(tapGraph(columns, inputs, frozen, dtypes)));
  try {
    for (const rows of [2, 3]) {
      const samples = columns.inputs.map(({ name, dtype, shape }) => [name, Tensor.zeros(dtype, [rows, ...shape])] as const);
      const results = await session.run(dataFeeds(Object.fromEntries(samples)));
      for (const { name } of inputs) checkRows(must(results[name], name), name, rows);
    }
  } finally {
    await session.release();
  }
}

async function freeze(
  runtime: Runtime,
  root: string,
  imported: ImportedModel,
  { task, provider = 'cpu', threads = defaultThreads(), onNote }: ImportTaskOptions,
  from: string,
): Promise<ImportedTask> {
  const loaded = loadWorkspace(root);
  const column = loaded.columns.column(task);
  const { taps, count } = column.parameters;
  const data = await loadTaskData(loaded, task, { onNote });
  await checkTaps(runtime, loaded, column, imported.weights);
  createFolders(loaded.workspace);
  const record = await testAndFreeze({
    runtime,
    loaded,
    column,
    seed: loaded.description.seed,
    data,
    session: { providers: [provider], threads },
    trained: { weights: imported.weights, history: [] },
    seconds: 0,
    trainer: `imported from ${from}`,
  });
  const shapes = imported.taps.map((name, i) => ({ name, shape: must(taps[i], name) }));
  return { workspace: root, task, taps: shapes, parameters: count, record };
}
