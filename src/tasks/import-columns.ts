// Frozen columns of another workspace brought into this one: the column of a task and those that it stands on, with their records, so that what was
// proved of them there is proved here. Weights are the same bits; where names change, their hashes follow.
import { existsSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { stringify } from 'yaml';
import { sourceNames } from '../data/sources.js';
import { describeDifference } from '../model/description/canonical.js';
import type { ColumnInput, Description, Laterals } from '../model/description/description.js';
import { parseDescription, toInput } from '../model/description/parse.js';
import { readDescription } from '../model/description/read-text.js';
import { type Column, type Columns, columnsOf } from '../model/progressive/column.js';
import { graphBytes } from '../model/progressive/imported-graph.js';
import type { Weights } from '../model/progressive/weights.js';
import { DataError, must, UsageError, WorkspaceError } from '../onnx/core/errors.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256 } from '../onnx/files/hash.js';
import { acquireLock } from '../onnx/files/lock-file.js';
import { leftPending } from '../onnx/files/pending.js';
import { readWhole } from '../onnx/files/read-file.js';
import type { Runtime } from '../onnx/runtime/session.js';
import type { ColumnDraft, ColumnRecord } from '../workspace/column-record.js';
import { freezeColumn, removeColumn, weightsFile } from '../workspace/column-store.js';
import { refuseOutput } from '../workspace/output-path.js';
import { checkTask } from '../workspace/task-name.js';
import { trainedExists } from '../workspace/trained-store.js';
import { createFolders, descriptionNames, findWorkspace } from '../workspace/workspace.js';
import { withColumn } from './column-text.js';
import { importedFile, withGraphs } from './imported-graph.js';
import { frozenOf, type LoadedWorkspace, loadWorkspace, reloadWorkspace } from './load-workspace.js';
import { tokenizerFiles, withTokenizers } from './tokenizer-file.js';
import { compareOutputs } from './verify.js';
import { missingFolders, removeEmpty, writtenTogether } from './written-together.js';

/** What is brought, and under which name. */
export interface ImportColumnsOptions {
  readonly task: string;
  /** Its name here; what it stands on is then `<as>-<name>`. Left out: the names that they have there. */
  readonly as?: string;
  readonly onNote?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A column that came, or that was here already. */
export interface BroughtColumn {
  readonly task: string;
  /** Its name where it came from. */
  readonly was: string;
  /** `here`: it was here already, the same in every bit. */
  readonly state: 'brought' | 'here';
  readonly parameters: number;
  /** Whether its answers over its test data are those of the day it was frozen; undefined where that could not be compared. */
  readonly identical: boolean | undefined;
}

export interface ImportedColumns {
  readonly workspace: string;
  readonly columns: readonly BroughtColumn[];
}

/** One column on its way. */
interface Coming {
  /** As it is there. */
  readonly from: Column;
  readonly task: string;
  readonly written: ColumnInput;
}

/**
 * Brings a frozen column of the workspace `from`, and those that it stands on, into that of `folder`, or with `begin` into a new one there. All or
 * nothing. Throws UsageError, WorkspaceError, DescriptionError in one line for what does not fit.
 */
export async function importColumns(
  runtime: Runtime,
  folder: string,
  begin: boolean,
  from: string,
  options: ImportColumnsOptions,
): Promise<ImportedColumns> {
  const { task, as } = options;
  checkTask(as ?? task);
  if (begin) refuseOutput(folder);
  const theirs = loadWorkspace(from);
  const column = theirs.columns.column(task);
  frozenOf(theirs, task);
  const place = placeOf(folder, begin, theirs);
  if (place.root === theirs.workspace.root)
    throw new UsageError(`${from}: is the workspace itself, expected another one`, { path: from });
  const names = new Map([...column.foundation, column].map((each) => [each.task, nameHere(each.task, task, as)]));
  const coming = writtenColumns(theirs, names, place.root);
  const folders = ['imported', 'columns', 'runs'].map((name) => join(place.root, name));
  // The deepest first.
  const made = folders.filter((path) => !existsSync(path)).concat(missingFolders(place.root));
  makeFolder(join(place.root, 'imported'));
  const held = acquireLock(join(place.root, 'imported', 'lock'), 'imported/lock');
  let done = false;
  try {
    const { tasks } = described(place);
    const files = new Map(place.files);
    const graphs = coming.flatMap(({ from: { description }, task }) => {
      if (description.onnx === undefined || tasks.includes(task)) return [];
      const path = join(place.root, importedFile(task));
      files.set(path, graphBytes(description.onnx.graph));
      return [path];
    });
    refuseTaken(place, graphs);
    const added = coming.filter(({ task }) => !tasks.includes(task));
    const text = added.reduce((now, { written }) => withColumn(now, place.file, written), place.text);
    files.set(join(place.root, place.file), new TextEncoder().encode(text));
    const columns = await writtenTogether(files, graphs, () => freezeAll(runtime, place.root, theirs, coming, options));
    done = true;
    return { workspace: place.root, columns };
  } finally {
    held.release();
    for (const path of done ? folders.slice(0, 1) : made) removeEmpty(path);
  }
}

/** The columns that the workspace describes so far. */
function described({ root, file, text }: Place): Columns {
  return columnsOf(readDescription(text, file, (value) => withTokenizers(withGraphs(value, root, file).value, root, file).value));
}

const nameHere = (name: string, task: string, as: string | undefined): string =>
  as === undefined ? name : name === task ? as : `${as}-${name}`;

/** The workspace that is added to: its description as text, and the files that a new one has beside it. */
interface Place {
  readonly root: string;
  /** Name of the description. */
  readonly file: string;
  readonly text: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function placeOf(folder: string, begin: boolean, theirs: LoadedWorkspace): Place {
  const root = (begin ? undefined : findWorkspace(folder)) ?? resolve(folder);
  const file = descriptionNames.find((name) => existsSync(join(root, name)));
  if (file !== undefined) return { root, file, text: new TextDecoder().decode(readWhole(join(root, file))), files: new Map() };
  if (!begin)
    throw new UsageError(`no ${descriptionNames[0]} in ${root} or above it; -o <folder> begins a workspace`, { path: root });
  const { prognet, name, seed, input } = toInput(theirs.description);
  const called = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/.test(basename(root)) ? basename(root) : name;
  const files = new Map<string, Uint8Array>();
  const moved = tokenizerFiles([input].flat(), (path, bytes) => files.set(join(root, path), bytes));
  const [only] = moved;
  const text = stringify(
    { prognet, name: called, seed, input: moved.length === 1 ? only : moved, columns: [] },
    { lineWidth: 120 },
  );
  return { root, file: descriptionNames[0], text, files };
}

/** The columns as this workspace is to describe them, each with all that it has of its own workspace's defaults. */
function writtenColumns(theirs: LoadedWorkspace, names: ReadonlyMap<string, string>, root: string): Coming[] {
  const all = toInput(theirs.description).columns;
  return [...theirs.columns].flatMap((from): Coming[] => {
    const task = names.get(from.task);
    const found = all.find((column) => column.task === from.task);
    if (task === undefined || found === undefined) return [];
    const { like: _, data, laterals: __, onnx, tune, ...rest } = found;
    const written: ColumnInput = {
      ...rest,
      task,
      ...(data !== undefined && { data: movedData(data, theirs.workspace.root, root) }),
      ...(onnx === undefined
        ? {
            ...(tune !== undefined && { tune: { ...tune, base: must(names.get(tune.base), tune.base) } }),
            laterals: renamedLaterals(from.laterals, names),
            train: { ...rest.train, seed: from.seed },
          }
        : { onnx: { ...onnx, graph: importedFile(task) } }),
    };
    return [{ from, task, written }];
  });
}

type Data = NonNullable<ColumnInput['data']>;

/** A source that is a path leads from here to where the data lie. */
export function movedData(data: Data, from: string, to: string): Data {
  const moved = (source: string) =>
    sourceNames.includes(source) ? source : relative(to, resolve(from, source)).split(sep).join('/');
  return typeof data === 'string' ? moved(data) : { ...data, source: moved(data.source) };
}

/** What a column takes from others, by their names here. */
function renamedLaterals(laterals: Laterals, names: ReadonlyMap<string, string>): Laterals {
  if (laterals.kind === 'none') return laterals;
  const here = (task: string) => must(names.get(task), task);
  const { from, taps } = laterals;
  const moved = taps && Object.fromEntries(Object.entries(taps).map(([task, of]) => [here(task), of]));
  return { ...laterals, from: from.map(here), ...(moved !== undefined && { taps: moved }) };
}

/** A graph of ours where a file of somebody else's stands is not written over. */
function refuseTaken({ file }: Place, graphs: readonly string[]): void {
  const path = graphs.find((graph) => existsSync(graph) && leftPending(graph) === undefined);
  if (path === undefined) return;
  throw new UsageError(`${path} exists and belongs to no column of ${file}: move it, or choose another name`, {
    path,
    remedy: { kind: 'give', option: 'as', value: 'name' },
  });
}

/** Freezes what came, in the order in which it stands on each other, and asks each whether it answers as it did. */
async function freezeAll(
  runtime: Runtime,
  root: string,
  theirs: LoadedWorkspace,
  coming: readonly Coming[],
  { onNote, signal }: ImportColumnsOptions,
): Promise<BroughtColumn[]> {
  const before = loadWorkspace(root);
  createFolders(before.workspace);
  const renamed = columnsOf(renamedDescription(theirs, coming));
  const frozen: string[] = [];
  try {
    const records = new Map<string, ColumnRecord>();
    for (const { from, task } of coming) {
      const here = before.columns.column(task);
      refuseOther(before, here, renamed.column(task));
      const { record, tensors } = frozenOf(theirs, from.task);
      const weights = renamedWeights(tensors, from, renamed.column(task));
      const known = before.frozen.get(task)?.record;
      if (known === undefined) {
        records.set(task, freezeColumn(root, draftOf(record, here, theirs, records), weights));
        frozen.push(task);
      } else if (known.sha256.weights === sha256(weightsFile(task, weights))) records.set(task, known);
      else throw taken(`task "${task}" is frozen here already with other weights`);
    }
    const after = reloadWorkspace(before);
    const brought: BroughtColumn[] = [];
    for (const { from, task } of coming) {
      const { parameters } = after.columns.column(task);
      const state = frozen.includes(task) ? 'brought' : 'here';
      const identical = state === 'here' ? true : await answersAsBefore(runtime, after, task, onNote, signal);
      brought.push({ task, was: from.task, state, parameters: parameters.count, identical });
    }
    return brought;
  } catch (error) {
    for (const task of frozen.reverse()) removeColumn(root, task);
    throw error;
  }
}

const taken = (message: string): UsageError =>
  new UsageError(`${message}: choose another name`, { remedy: { kind: 'give', option: 'as', value: 'name' } });

/** Their description with the columns that come alone, under the names that they have here. */
function renamedDescription(theirs: LoadedWorkspace, coming: readonly Coming[]): Description {
  const columns = coming.map(({ from, written }) => ({
    ...written,
    ...(from.description.onnx !== undefined && { onnx: from.description.onnx }),
  }));
  return parseDescription({ ...toInput(theirs.description), columns });
}

/** What the workspace says of the column is what was frozen: its own input, steps and columns may say otherwise. */
function refuseOther({ file, workspace, frozen }: LoadedWorkspace, here: Column, there: Column): void {
  const { task } = here;
  if (here.canonical !== there.canonical) {
    const difference = describeDifference(there.canonical, here.canonical);
    throw new UsageError(`${file}: the column "${task}" does not fit here, ${difference}`, { path: file, got: task });
  }
  if (!frozen.has(task) && trainedExists(workspace.root, task)) throw taken(`task "${task}" is trained here already`);
}

/** The same tensors under the names that the column's parameters have here. */
function renamedWeights(weights: Weights, from: Column, here: Column): Weights {
  if (from.task === here.task && from.foundation.every(({ task }, i) => here.foundation[i]?.task === task)) return weights;
  const names = new Map(from.parameters.specs.map(({ name }, i) => [name, must(here.parameters.specs[i], name).name]));
  return new Map([...weights].map(([name, tensor]) => [must(names.get(name), name), tensor]));
}

/** The record as it was; of a column that has another name here with what follows from that, and where it came from. */
function draftOf(
  record: ColumnRecord,
  here: Column,
  theirs: LoadedWorkspace,
  records: ReadonlyMap<string, ColumnRecord>,
): ColumnDraft {
  const { format: _, self: __, ...known } = record;
  if (record.description === here.canonical && record.task === here.task) return known;
  const data: ColumnDraft['data'] = { ...record.data };
  data.from = { network: theirs.description.name, task: record.task, sha256: record.sha256.weights };
  return {
    ...known,
    task: here.task,
    description: here.canonical,
    sources: Object.fromEntries(here.foundation.map(({ task }) => [task, must(records.get(task), task).sha256.weights])),
    data,
  };
}

/** Compares as `verify` does. A column whose data are not here is brought all the same, and that is said. */
async function answersAsBefore(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  onNote: ((line: string) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  let found: Awaited<ReturnType<typeof compareOutputs>>;
  try {
    found = await compareOutputs(runtime, loaded, task, { ...(signal && { signal }) });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    onNote?.(`task "${task}": its answers could not be compared, ${error.message}`);
    return undefined;
  }
  const { identical, reason } = found;
  if (identical === false) {
    const path = `columns/${task}`;
    throw new WorkspaceError(`task "${task}": ${reason ?? 'the outputs differ'}; nothing was brought`, { path });
  }
  if (identical === undefined && reason !== undefined) onNote?.(`task "${task}": not compared bit for bit, ${reason}`);
  return identical;
}
