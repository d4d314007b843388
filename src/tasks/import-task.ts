// An ONNX model from elsewhere becomes a frozen column of a workspace: its graph a file beside the description, its weights those of the column.
// Everything is checked and the model run on the task's test data before the column is frozen; where that fails, nothing is left behind.
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readDescription } from '../model/description/read-text.js';
import { type HeadKind, headOfScores, headSchema, isJudged } from '../model/heads/heads.js';
import { samplesOf } from '../model/progressive/import-inputs.js';
import { graphFile, type ImportedModel, type ImportRequest, importModel } from '../model/progressive/import-model.js';
import { must, UsageError } from '../onnx/core/errors.js';
import type { FeatureLayout } from '../onnx/features/layout.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { acquireLock } from '../onnx/files/lock-file.js';
import { leftPending } from '../onnx/files/pending.js';
import { readWhole } from '../onnx/files/read-file.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime, Session } from '../onnx/runtime/session.js';
import { loadModel } from '../onnx/serde/external-data.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { refuseOutput } from '../workspace/output-path.js';
import { checkTask } from '../workspace/task-name.js';
import { createFolders, descriptionNames, findWorkspace } from '../workspace/workspace.js';
import { emptyDescription, withColumn } from './column-text.js';
import { inputName, networkInputsOf } from './import-fit.js';
import { apartAlone, stateShapes } from './import-probe.js';
import { apartFrom, readAsTheyAre } from './import-proof.js';
import { describedTaps, mixedNote, withGoodTaps } from './import-taps.js';
import { importedFile, withGraphs } from './imported-graph.js';
import { loadWorkspace } from './load-workspace.js';
import { loadTaskData } from './task-data.js';
import { type TestRequest, testAndFreeze } from './test-column.js';
import { missingFolders, removeEmpty, writtenTogether } from './written-together.js';

export interface ImportTaskOptions {
  readonly task: string;
  readonly taps?: readonly string[];
  readonly scores?: string;
  /** Sizes of dimensions that the model's inputs leave open beyond their batch, by their names. */
  readonly dims?: ReadonlyMap<string, number>;
  /** How the axes of taps and scores lie, by their names, where the graph does not show it. */
  readonly layouts?: ReadonlyMap<string, FeatureLayout>;
  /** Inputs of the model that are no samples, by name: the number that all their elements are. */
  readonly fixed?: ReadonlyMap<string, number>;
  /** The network's input for an input of the model that is called otherwise there. */
  readonly inputs?: ReadonlyMap<string, string>;
  /** What the scores are; `none`: nothing judges them. */
  readonly head: HeadKind;
  /** Its taps alone are of use: nothing judges them, and there are no scores unless they are named. */
  readonly backbone?: boolean;
  /** So many taps, evenly spread by depth, of those that are found. */
  readonly spread?: number;
  /** The column's `data`, as a description has it: its test part is what `verify` compares over. None where nothing judges what it gives. */
  readonly data?: unknown;
  readonly provider?: string;
  readonly threads?: number;
  /** A line that the user should know. */
  readonly onNote?: (line: string) => void;
}

export interface ImportedTask {
  readonly workspace: string;
  readonly task: string;
  readonly taps: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  /** Sizes that stay open, by the names that the model has for them. */
  readonly open: readonly string[];
  readonly parameters: number;
  readonly record: ColumnRecord;
}

/** The workspace of `folder`, or the files of a new one. */
function descriptionAt(
  folder: string,
  begin: boolean,
  imported: ImportedModel,
  renamed: ReadonlyMap<string, string>,
): { root: string; file: string; text: string; old?: Uint8Array } {
  const found = begin ? undefined : findWorkspace(folder);
  const root = found ?? resolve(folder);
  const name = descriptionNames.find((n) => existsSync(join(root, n)));
  if (name === undefined) {
    if (!begin)
      throw new UsageError(`no ${descriptionNames[0]} in ${root} or above it; -o <folder> begins a workspace`, { path: root });
    const called = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/.test(basename(root)) ? basename(root) : 'network';
    const samples = samplesOf(imported.file, imported.inputs);
    const text = emptyDescription(
      called,
      samples.map((input) => ({ ...input, name: renamed.get(input.name) ?? inputName(input.name) })),
    );
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
  const { task, head, data, provider = 'cpu', threads = defaultThreads() } = options;
  const session = { providers: [provider], threads };
  checkTask(task);
  if (begin) refuseOutput(folder);
  const original = loadModel(file, undefined, 'all');
  const judged = isJudged({ kind: head });
  let request: ImportRequest = { ...options, judged };
  const look = (imported: ImportedModel) => {
    const at = descriptionAt(folder, begin, imported, options.inputs ?? new Map());
    const before = readDescription(at.text, at.file, (value) => withGraphs(value, at.root, at.file).value);
    const { names: inputs, called } = networkInputsOf(before, imported, options.inputs ?? new Map(), file);
    return { ...at, before, inputs, called };
  };
  let first = importModel(original, request, file);
  let seen = look(first);
  // Its open sizes have the names of the network's.
  const { called } = seen;
  if ([...called].some(([own, there]) => own !== there)) {
    request = { ...request, called };
    first = importModel(original, request, file);
    seen = look(first);
  }
  const { root, file: name } = seen;
  // Names differ by more than case, since they name files.
  const known = seen.before.columns.find((c) => c.task.toLowerCase() === task.toLowerCase());
  // One that was interrupted between description and freezing may be taken in again.
  if (known !== undefined && (known.task !== task || known.onnx === undefined || existsSync(join(root, 'columns', task)))) {
    throw new UsageError(`task "${known.task}" is in ${name} already, choose another name with --task`, { got: task });
  }
  const graph = importedFile(task);
  const kept = join(root, graph);
  if (known === undefined && existsSync(kept) && leftPending(kept) === undefined) {
    throw new UsageError(`${kept} exists and belongs to no column of ${name}: move it, or choose another name with --task`, {
      path: kept,
    });
  }
  const asked = { task, file, judged, session };
  const { imported, probed, left } = await withGoodTaps(runtime, original, first, request, asked);
  const { text, old, before, inputs } = imported === first ? seen : look(imported);
  for (const line of [...imported.notes, ...left, ...mixedNote(probed, file)]) options.onNote?.(line);
  const names = readAsTheyAre(before, inputs);
  const noteApart = (apart: number) => {
    if (apart > 0) options.onNote?.(`${file}: what it gives is the file's own up to ${apart}, not bit for bit`);
  };
  // Steps before its inputs would change what the file was asked.
  if (names === undefined) noteApart(await apartAlone(runtime, imported, probed, asked));
  stateShapes(imported, probed);
  const found = judged ? headOfScores(head, probed.scores ?? []) : undefined;
  if (judged && found === undefined) {
    const expected = 'scores [N,k], or [N,T,k] of each step, or --head none';
    throw new UsageError(`${file}: the output "${imported.scores}" is [N,${probed.scores}], expected ${expected}`, {
      path: file,
      expected,
    });
  }
  if (found !== undefined && !headSchema.safeParse(found).success)
    throw new UsageError(
      `${file}: the output "${imported.scores}" is [N,${probed.scores}], too few scores for the head ${head}`,
      {
        path: file,
        remedy: { kind: 'give', option: 'head', value: 'binary or regress' },
      },
    );
  const taps = describedTaps(imported, probed, file, options.onNote);
  const onnx = { graph, taps, ...(imported.scores !== undefined && { scores: imported.scores }), opset: imported.model.opset };
  const reads = inputs.length === 1 && inputs[0] === before.inputs[0]?.name ? {} : { inputs };
  const next = withColumn(text, name, {
    task,
    ...reads,
    ...(found === undefined ? { onnx } : { data, onnx, head: found }),
  });
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
    [kept, graphFile(imported, file)],
    [description, new TextEncoder().encode(next)],
  ]);
  try {
    if (old !== undefined && Buffer.compare(readWhole(description), old) !== 0)
      throw new UsageError(`${name} was changed while it was read: import again`, { path: description });
    // A graph that a kill leaves without a column is one that the next import may write over.
    const also =
      names &&
      (async (exported: Session) =>
        noteApart(await apartFrom(probed.answers, exported, imported, { names, output: task, file })));
    const frozen = await writtenTogether(files, [kept], () =>
      freeze(runtime, root, imported, { task, session, also, onNote: options.onNote, from: basename(file) }),
    );
    done = true;
    return frozen;
  } finally {
    lock.release();
    if (!done) for (const folder of made) removeEmpty(folder);
  }
}

interface Freezing extends Pick<TestRequest, 'session' | 'also'> {
  readonly task: string;
  readonly onNote: ImportTaskOptions['onNote'];
  /** The name of the file. */
  readonly from: string;
}

async function freeze(
  runtime: Runtime,
  root: string,
  imported: ImportedModel,
  { task, session, also, onNote, from }: Freezing,
): Promise<ImportedTask> {
  const loaded = loadWorkspace(root);
  const column = loaded.columns.column(task);
  const { taps, count } = column.parameters;
  const data = await loadTaskData(loaded, task, { onNote });
  createFolders(loaded.workspace);
  const record = await testAndFreeze({
    runtime,
    loaded,
    column,
    seed: loaded.description.seed,
    data,
    session,
    also,
    trained: { weights: imported.weights, history: [] },
    seconds: 0,
    trainer: `imported from ${from}`,
  });
  const shapes = imported.taps.map((name, i) => ({ name, shape: must(taps[i], name) }));
  const read = new Set(samplesOf(imported.file, imported.inputs).flatMap(({ shape }) => shape));
  const open = [...imported.file.open].flatMap(([called, own]) => (read.has(called) ? [own] : []));
  return { workspace: root, task, taps: shapes, open, parameters: count, record };
}
