// Other taps for an imported column that is frozen: its graph gets other outputs, its record says so, its weights stay the file that they are. What is
// trained over it reads the same values afterwards, or the change is refused.
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportedTap, tapName } from '../model/description/imported-schema.js';
import { isJudged } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { taskModel } from '../model/progressive/forms.js';
import { importModel } from '../model/progressive/import-model.js';
import { graphUrl, type ImportedDescription, isGraphUrl } from '../model/progressive/imported-graph.js';
import { InternalError, must, UsageError } from '../onnx/core/errors.js';
import { anObject, given, names, optional, text } from '../onnx/core/given.js';
import { type FeatureLayout, layoutFrom } from '../onnx/features/layout.js';
import { makeFolder } from '../onnx/files/folder.js';
import { acquireLock } from '../onnx/files/lock-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import { cloneModel, type Model } from '../onnx/ir/model.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { type ColumnDraft, type ColumnRecord, writeRecord } from '../workspace/column-record.js';
import { listColumns, loadRecord } from '../workspace/column-store.js';
import { openRun, sweepFolder } from '../workspace/run-store.js';
import { checkTask } from '../workspace/task-name.js';
import { trainedExists } from '../workspace/trained-store.js';
import { requireWorkspace } from '../workspace/workspace.js';
import { graphWritten, tapsNamed, withTaps } from './column-text.js';
import { fixedSamples } from './fixed-samples.js';
import { apartAlone, type ProbeOptions, stateShapes, withWeights } from './import-probe.js';
import { describedTaps, mixedNote, withGoodTaps } from './import-taps.js';
import { asImported, frozenOf, type LoadedWorkspace, loadWorkspace, loadWorkspaceWith, weightsOf } from './load-workspace.js';
import { versionsNow } from './machine.js';
import { clearTaps } from './run-training.js';
import { runExists } from './stored-run.js';
import { modelHash, taskOutputs } from './task-outputs.js';
import { removeEmpty, writtenTogether } from './written-together.js';

/** Which taps an imported column is to have. */
export interface ChangeTapsOptions {
  /** Names of values of its graph, in the order of depth; left out: those that it has, or with `spread` good ones that are found. */
  readonly taps?: readonly string[];
  /** So many of the taps that are found, evenly spread by depth. */
  readonly spread?: number;
  /** How the axes of taps lie, by their names, where the graph does not show it: `NHWC` and the like. */
  readonly layouts?: ReadonlyMap<string, FeatureLayout>;
  /** The execution provider that runs the graph to find the shapes of the taps; default `cpu`. */
  readonly provider?: string;
  /** Threads of one op. */
  readonly threads?: number;
  /** Hears lines that the user should know. */
  readonly onNote?: (line: string) => void;
}

/** What an imported column gives to later ones now. */
export interface ChangedTaps {
  /** The folder of the workspace. */
  readonly workspace: string;
  /** The task. */
  readonly task: string;
  /** Its taps with the shape of one sample. */
  readonly taps: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  /** The columns that read it, with the names of the taps that they read. */
  readonly readers: readonly { readonly task: string; readonly taps: readonly string[] }[];
}

/**
 * Gives a frozen column that was imported other taps, out of the graph that is stored. Its weights and what it answers stay, bit for bit; a column whose
 * last tap is what it gives answers with its new last tap. All or nothing.
 * @throws UsageError when the task is not imported and frozen, when the graph has no such value, and when a trained column would read other values
 */
export async function changeTaps(
  runtime: Runtime,
  start: string,
  task: string,
  options: ChangeTapsOptions = {},
): Promise<ChangedTaps> {
  const kinds = { runtime: anObject, start: text, task: text, options: anObject, 'options.taps': optional(names) };
  given('changeTaps', { runtime, start, task, options }, kinds);
  checkTask(task);
  const { root } = requireWorkspace(start);
  if (!listColumns(root).includes(task)) throw notImported(loadWorkspace(start).columns.column(task));
  // A description may hold its graphs itself.
  const folder = join(root, 'imported');
  makeFolder(folder);
  const lock = acquireLock(join(folder, 'lock'), 'imported/lock');
  try {
    return await changed(runtime, root, task, options);
  } finally {
    lock.release();
    removeEmpty(folder);
  }
}

function notImported({ task, imported }: Pick<Column, 'task' | 'imported'>): UsageError {
  const found = imported === undefined ? 'has layers: its blocks are its taps' : 'is not frozen';
  return new UsageError(`task "${task}" ${found}, expected the task of an imported column that is frozen`, { got: task });
}

/** What the record says of the graph: after a kill the description may say something else. */
function importedBy(record: ColumnRecord): ImportedDescription | undefined {
  const { onnx }: { onnx?: ImportedDescription } = JSON.parse(record.description);
  return onnx;
}

async function changed(runtime: Runtime, root: string, task: string, options: ChangeTapsOptions): Promise<ChangedTaps> {
  const record = loadRecord(root, task);
  const onnx = importedBy(record);
  if (onnx === undefined) throw notImported({ task, imported: undefined });
  const folder = join(root, 'columns', task);
  if (lstatSync(folder).isSymbolicLink())
    throw new UsageError(`columns/${task} is a link, and its column may be another workspace's: copy the folder first`, {
      path: folder,
    });
  const before = loadWorkspaceWith(root, { task, onnx });
  const found = await tapsOf(runtime, before, task, onnx, options);
  const bytes = toBinary(found.model);
  const graph = graphUrl(bytes);
  // The description holds a path, or the graph itself.
  const said = must(before.text, 'text');
  const written = must(graphWritten(said, task), 'graph');
  const apart = !isGraphUrl(written);
  refuseNamed(before, task, found.taps);
  const next = withTaps(said, before.file, task, { taps: found.taps, ...(!apart && { graph }) });
  const after = asImported(before, next, { task, onnx: { ...onnx, graph, taps: [...found.taps] } });
  const shared = [...after.columns].find((c) => c.task !== task && apart && graphWritten(next, c.task) === written);
  if (shared !== undefined)
    throw new UsageError(`${written} is the graph of "${shared.task}" as well: copy it, and name the copy in the description`, {
      path: written,
    });
  const readers = [...after.columns].filter((c) => c.sources.some((source) => source.task === task));
  const runs = [after.columns.column(task), ...readers].map((c) => openRun(root, c.task));
  try {
    for (const reader of readers) refuseMoved(before, after, task, reader);
    const draft = await draftOf(runtime, record, { before, after, task, options, given: found.given });
    const path = join(folder, 'column.json');
    const files = new Map([
      ...(apart ? [[join(root, written), bytes] as const] : []),
      // Before the description: what a kill leaves is told from the record, by the same command.
      [path, writeRecord(draft, record.sha256.weights, `columns/${task}/column.json`).bytes],
      [before.workspace.description, new TextEncoder().encode(next)],
    ]);
    if (new TextDecoder().decode(readWhole(before.workspace.description)) !== said)
      throw new UsageError(`${before.file} was changed while it was read: try again`, { path: before.workspace.description });
    clearTaps(root);
    const { columns } = await writtenTogether(files, [path], async () => loadWorkspace(root));
    return {
      workspace: root,
      task,
      taps: found.taps.map(({ name, shape }) => ({ name, shape })),
      readers: readers.map((c) => ({ task: c.task, taps: readNames(columns.column(c.task), task) })),
    };
  } finally {
    for (const run of runs) run.close();
  }
}

interface Found {
  /** The stored graph with the new outputs. */
  readonly model: Model;
  readonly taps: readonly ImportedTap[];
  /** Compares what the column gives with what the stored graph gives. */
  readonly given: () => Promise<void>;
}

/** The taps that are asked for, found in the stored graph and run. */
async function tapsOf(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  onnx: ImportedDescription,
  { taps, spread, layouts, onNote, provider = 'cpu', threads = defaultThreads() }: ChangeTapsOptions,
): Promise<Found> {
  const column = loaded.columns.column(task);
  const { model: stored } = must(column.imported, 'graph');
  const written = must(graphWritten(must(loaded.text, 'text'), task), 'graph');
  const file = isGraphUrl(written) ? `the graph of "${task}"` : written;
  const whole = withWeights({ model: stored, weights: frozenOf(loaded, task).tensors }, task);
  const judged = isJudged(column.head);
  const own = taps ?? (spread === undefined ? onnx.taps.map(tapName) : undefined);
  // As they are stored, scores of two axes are of each step.
  const each = judged && onnx.scores !== undefined && column.parameters.scores.length === 2;
  const steps: [string, FeatureLayout][] = each ? [[must(onnx.scores, 'scores'), 'NTF']] : [];
  const request = {
    task,
    judged,
    ...(own !== undefined && { taps: own }),
    ...(spread !== undefined && { spread }),
    layouts: new Map([...layoutsOf(onnx, own), ...steps, ...(layouts ?? [])]),
    ...(onnx.scores === undefined ? { backbone: true } : { scores: onnx.scores }),
  };
  const asked: ProbeOptions = { task, file, judged, session: { providers: [provider], threads } };
  const first = importModel(whole, request, file);
  const { imported, probed, left } = await withGoodTaps(runtime, whole, first, request, asked);
  for (const line of [...imported.notes, ...left, ...mixedNote(probed, file)]) onNote?.(line);
  const model = cloneModel(stored);
  const values = new Map([...model.graph.values()].map((v) => [v.name, v]));
  const outputs = [...new Set([...imported.taps, ...(imported.scores === undefined ? [] : [imported.scores])])];
  model.graph.outputs = outputs.map((name) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    throw new UsageError(`${file}: the tap "${name}" stands in a branch of an If: import the model again`, { got: name });
  });
  stateShapes({ model, taps: imported.taps, scores: imported.scores }, probed);
  return {
    model,
    taps: describedTaps(imported, probed, file, onNote).map((tap) =>
      layouts?.has(tap.name) === true ? tap : (as(onnx, tap) ?? tap),
    ),
    given: async () => {
      await apartAlone(runtime, imported, probed, asked);
    },
  };
}

/** A tap that stays, as it is described. */
const as = ({ taps }: ImportedDescription, { name, shape }: ImportedTap): ImportedTap | undefined =>
  taps.find((tap) => typeof tap !== 'string' && tap.name === name && tap.shape.join() === shape.join()) as
    | ImportedTap
    | undefined;

/** A tap that stays keeps what was said of its axes. */
function layoutsOf({ taps }: ImportedDescription, own: readonly string[] | undefined): [string, FeatureLayout][] {
  return taps.flatMap((tap): [string, FeatureLayout][] => {
    if (typeof tap === 'string' || tap.layout === undefined || own?.includes(tap.name) !== true) return [];
    const rank = tap.shape.length + 1;
    const layout = layoutFrom(rank, 0, tap.layout === 'channels-last' ? rank - 1 : 1);
    return layout === undefined ? [] : [[tap.name, layout]];
  });
}

/** Columns that nothing is trained of yet may name taps: each that they name stays. */
function refuseNamed({ text: written, columns }: LoadedWorkspace, task: string, taps: readonly ImportedTap[]): void {
  const kept = new Set(taps.map(({ name }) => name));
  for (const column of columns) {
    const gone = tapsNamed(must(written, 'text'), column.task, task).find((name) => !kept.has(name));
    if (gone === undefined) continue;
    const found = `task "${column.task}" names the tap "${gone}" of "${task}" in ${column.path}.laterals.taps`;
    throw new UsageError(`${found}: keep it, or change that first`, { got: gone });
  }
}

/** Throws where a column of which something is trained would read other values than it does. */
function refuseMoved(before: LoadedWorkspace, after: LoadedWorkspace, task: string, { task: reader }: Column): void {
  const state = stateOf(before, reader);
  if (state === undefined) return;
  const [was, is] = [before, after].map(({ columns }) => columns.column(reader));
  if (was === undefined || is === undefined) return;
  const tuned = was.tuned !== undefined;
  if (!tuned && was.canonical === is.canonical && readingOf(was, task) === readingOf(is, task)) return;
  const way = state.sweep === undefined ? { remedy: { kind: 'reset', task: reader } as const } : {};
  const end = state.sweep === undefined ? 'take that back first' : `remove ${state.sweep} first`;
  const expected = 'taps that leave to trained columns what they read';
  if (tuned) throw new UsageError(`task "${reader}" ${state.what} and tunes "${task}": ${end}`, { expected, ...way });
  const read = readNames(was, task);
  const places = readNames(is, task);
  const reads = `task "${reader}" ${state.what} and reads ${read.join(', ')} of "${task}"`;
  // Where it leaves to its place in the column which taps it reads, more of them move them.
  const now = places.join() === read.join() ? 'it would find them in other places' : `it would read ${places.join(', ')}`;
  throw new UsageError(`${reads}, ${now}: keep them in their places and name them in its laterals, or ${end}`, {
    expected,
    ...way,
  });
}

/** What there is of a column that was trained on what it reads; undefined for nothing. */
function stateOf({ workspace: { root }, frozen }: LoadedWorkspace, task: string): { what: string; sweep?: string } | undefined {
  if (frozen.has(task)) return { what: 'is frozen' };
  if (trainedExists(root, task)) return { what: 'is trained' };
  if (runExists(root, task)) return { what: 'has an unfinished training' };
  const sweep = join('runs', task, sweepFolder);
  return existsSync(join(root, sweep)) ? { what: 'has a sweep', sweep } : undefined;
}

/** Names of the taps of a task that a column reads. */
const readNames = (column: Column, task: string): string[] =>
  column.tapsRead.filter((ref) => ref.column.task === task).map((ref) => must(ref.column.imported?.taps[ref.block], 'tap'));

/** What flows of a task into each block of a column, and how it lies. */
const readingOf = (column: Column, task: string): string =>
  JSON.stringify(
    column.receiving.map((into) =>
      column
        .sourcesInto(into)
        .filter((ref) => ref.column.task === task)
        .map(({ column: { imported }, block }) => [
          into,
          imported?.taps[block],
          imported?.tapShape(block),
          imported?.tapLayout(block),
        ]),
    ),
  );

interface Changing {
  readonly before: LoadedWorkspace;
  readonly after: LoadedWorkspace;
  readonly task: string;
  readonly options: ChangeTapsOptions;
  readonly given: Found['given'];
}

/** The record with the new description. What the column answers is asked anew where that is its last tap. */
async function draftOf(
  runtime: Runtime,
  record: ColumnRecord,
  { before, after, task, options, given }: Changing,
): Promise<ColumnDraft> {
  const { format: _, self: __, sha256: ___, ...rest } = record;
  const column = after.columns.column(task);
  const [was, is] = [before, after].map(({ columns }) => taskModel(columns, weightsOf(before), { tasks: [task] }));
  const draft = { ...rest, description: column.canonical, sha256: { graph: modelHash(must(is, 'model')) } };
  // The description of the column stands among the metadata.
  const [graph, now] = [was, is].map((model) => {
    const bare = cloneModel(must(model, 'model'));
    bare.metadata = new Map();
    return modelHash(bare);
  });
  if (graph === now) return draft;
  if (isJudged(column.head)) throw new InternalError(`other taps of "${task}" changed the graph of its scores`);
  await given();
  const { provider = 'cpu', threads = defaultThreads() } = options;
  const { inputs } = fixedSamples(column.inputs);
  const session = { providers: [provider], threads };
  const outputs = await taskOutputs(runtime, after.columns, weightsOf(before), task, inputs, session);
  return {
    ...draft,
    outputs: { ...record.outputs, sha256: outputs.sha256, provider: outputs.provider, threads },
    versions: { ...record.versions, ...versionsNow(runtime) },
  };
}
