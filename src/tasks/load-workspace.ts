// A workspace loaded for work: its description and its frozen columns, each checked against its hashes and against the description.

import { statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describeDifference } from '../model/description/canonical.js';
import type { Description } from '../model/description/description.js';
import { differences } from '../model/description/differences.js';
import { readDescription } from '../model/description/read-text.js';
import { type Head, headLoss, outputLabels, toBalance, withLoss, withNames } from '../model/heads/heads.js';
import { type Column, type Columns, columnsOf, someColumns } from '../model/progressive/column.js';
import { notFrozen, nothingTrained, notTrained } from '../model/progressive/forms.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { DescriptionError, UsageError, WorkspaceError } from '../onnx/core/errors.js';
import { anObject, given, type Kind, text } from '../onnx/core/given.js';
import { shortHash } from '../onnx/files/hash.js';
import { leftPending } from '../onnx/files/pending.js';
import { readWhole } from '../onnx/files/read-file.js';
import { type FrozenColumn, listColumns, loadColumn } from '../workspace/column-store.js';
import { checkFrozen } from '../workspace/frozen-list.js';
import { isJsonObject, type Json, show, stableJson } from '../workspace/json.js';
import { trainedExists } from '../workspace/trained-store.js';
import { openWorkspace, requireWorkspace, type Workspace, workspaceOf } from '../workspace/workspace.js';

import { type Instead, withGraphs } from './imported-graph.js';
import { withTokenizers } from './tokenizer-file.js';

/** A workspace as it was read: description, columns, what is frozen. */
export interface LoadedWorkspace {
  /** Its folders and files. */
  readonly workspace: Workspace;
  /** @internal What the description was read from; another one that stands in its place is of no text. */
  readonly text: string | undefined;
  /** @internal Whether records of columns filled in what the description leaves to their training. */
  readonly filled: boolean;
  /** The checked description. */
  readonly description: Description;
  /** All columns with what follows from the description. */
  readonly columns: Columns;
  /** Name of the description's file, for messages. */
  readonly file: string;
  /** Paths of the imported graphs and tokenizers that the description names. */
  readonly graphs: readonly string[];
  /** By task; not in here: not frozen yet. */
  readonly frozen: ReadonlyMap<string, FrozenColumn>;
  /** By task: how the loss that is described differs from the one that the column was trained for, which is measured. */
  readonly otherLosses: ReadonlyMap<string, string>;
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

/** Every column, or that of one task, is lowered once, so that shapes that do not fit are found before any work. */
function checkShapes(columns: Columns, file: string, only?: string): void {
  try {
    for (const column of columns) if (only === undefined || column.task === only) column.parameters;
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    const { path, remedy } = error;
    throw new DescriptionError(`${file}: ${error.statement}`, {
      ...(path !== undefined && { path: `${file}: ${path}` }),
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}

function openColumn(root: string, column: Column, file: string): FrozenColumn {
  const frozen = loadColumn(root, column.task);
  refuseOther(frozen, column, file);
  return frozen;
}

/** A frozen column is what the description says of it. */
function refuseOther({ record: { description: was } }: FrozenColumn, { task, canonical: now }: Column, file: string): void {
  if (was === now) return;
  throw new WorkspaceError(
    `${file}: task "${task}" no longer fits its frozen column, ${describeDifference(was, now)}; put it back, add a new task, or take the column back`,
    { path: file, expected: was, got: now, remedy: { kind: 'reset', task } },
  );
}

/** A frozen column stands over the very columns that it was trained over. */
function checkSources(columns: Columns, frozen: LoadedWorkspace['frozen']): void {
  for (const { task, foundation } of columns) {
    const record = frozen.get(task)?.record;
    if (record === undefined) continue;
    for (const { task: source } of foundation) {
      const now = frozen.get(source)?.record.sha256.weights;
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
  }
}

/** SHA-256 of the weights of the columns that a column reads, by task. */
export function sourceHashes(loaded: LoadedWorkspace, { foundation }: Column): Record<string, string> {
  return Object.fromEntries(foundation.map(({ task }) => [task, frozenOf(loaded, task).record.sha256.weights]));
}

/** Opens the workspace that `start` lies in. Throws WorkspaceError, DataError or DescriptionError in one line. */
export function loadWorkspace(start: string): LoadedWorkspace {
  given('loadWorkspace', { start }, { start: text });
  return load(requireWorkspace(start), {});
}

/** The same with an imported column as it is given, whatever the description says of it. */
export const loadWorkspaceWith = (start: string, instead: Instead): LoadedWorkspace => load(requireWorkspace(start), { instead });

/** The folder of a description, which is a file of any name or that of its folder. */
export function folderOf(path: string): string {
  const at = resolve(path);
  return statSync(at, { throwIfNoEntry: false })?.isDirectory() ? at : dirname(at);
}

/** The description in a file of any name, or in a folder; of its columns those alone are frozen that were imported beside it. Throws as `loadWorkspace`. */
export function loadDescription(path: string): LoadedWorkspace {
  const [at, root] = [resolve(path), folderOf(path)];
  const workspace = at === root ? openWorkspace(root) : workspaceOf(root, at);
  const file = relative(root, workspace.description);
  const described = describe(root, readText(workspace.description, file), file);
  const there = listColumns(root);
  const brought = [...described.columns].filter(({ imported, task }) => imported !== undefined && there.includes(task));
  const frozen = new Map(brought.map((column) => [column.task, openColumn(root, column, file)]));
  return { workspace, file, frozen, filled: false, otherLosses: new Map(), ...described };
}

/** The same where one task is asked about: its column alone must fit what it stands on. */
export const loadForTask = (start: string, task: string): LoadedWorkspace => load(requireWorkspace(start), { only: task });

/** The same workspace read anew, every frozen column with its hashes. A description whose text is what it was is not looked through again. */
export function reloadWorkspace(before: LoadedWorkspace): LoadedWorkspace {
  return load(openWorkspace(before.workspace.root), { before });
}

type Described = Pick<LoadedWorkspace, 'text' | 'description' | 'columns' | 'graphs'>;

/** What is there already, and what must fit. */
interface Loading {
  readonly before?: LoadedWorkspace;
  readonly only?: string | undefined;
  readonly instead?: Instead | undefined;
}

function describedIn(workspace: Workspace, file: string, { before, only, instead }: Loading): Described {
  const text = readText(workspace.description, file);
  if (before?.text === text && !before.filled && before.file === file && before.graphs.length === 0) return before;
  return describe(workspace.root, text, file, { only, instead });
}

function describe(root: string, text: string, file: string, { only, instead }: Loading = {}): Described {
  let graphs: readonly string[] = [];
  const description = readDescription(text, file, (written) => {
    const graph = withGraphs(written, root, file, instead);
    const tokenizer = withTokenizers(graph.value, root, file);
    graphs = [...graph.files, ...tokenizer.files];
    return tokenizer.value;
  });
  const columns = columnsOf(description);
  checkShapes(columns, file, only);
  return { text, description, columns, graphs };
}

/** The workspace as if its description had this text; what is frozen must fit it as well. Throws as `loadWorkspace`. */
export function withText(loaded: LoadedWorkspace, text: string): LoadedWorkspace {
  const { workspace, file, frozen } = loaded;
  const described = describe(workspace.root, text, file);
  for (const [task, column] of frozen) refuseOther(column, described.columns.column(task), file);
  return { ...loaded, ...described };
}

/** The workspace as if its description had this text, and an imported column were as it is given. What is frozen need not fit. */
export function asImported(loaded: LoadedWorkspace, text: string, instead: Instead): LoadedWorkspace {
  const described = describe(loaded.workspace.root, text, loaded.file, { instead });
  return withColumns({ ...loaded, ...described }, loaded.frozen);
}

function load(workspace: Workspace, loading: Loading): LoadedWorkspace {
  try {
    return loadWhole(workspace, loading);
  } catch (error) {
    throw tapsInterrupted(workspace.root, error) ?? error;
  }
}

/** What a kill while the taps of an imported column were changed leaves in pieces. */
function tapsInterrupted(root: string, cause: unknown): WorkspaceError | undefined {
  const task = listColumns(root).find((each) => leftPending(join(root, 'columns', each, 'column.json')) !== undefined);
  if (task === undefined) return undefined;
  return new WorkspaceError(`columns/${task}: a change of its taps was interrupted`, {
    path: `columns/${task}`,
    remedy: { kind: 'taps', task },
    cause,
  });
}

function loadWhole(workspace: Workspace, loading: Loading): LoadedWorkspace {
  const file = relative(workspace.root, workspace.description);
  const { text, description, columns, graphs } = describedIn(workspace, file, loading);
  const described = new Set(columns.tasks);
  const tasks = listColumns(workspace.root);
  for (const task of tasks) {
    if (described.has(task)) continue;
    throw new WorkspaceError(
      `${file}: the frozen column "${task}" is no longer in the description; put it back, or take the column back`,
      { path: file, expected: task, remedy: { kind: 'reset', task } },
    );
  }
  const frozen = new Map<string, FrozenColumn>();
  for (const column of columns)
    if (tasks.includes(column.task)) frozen.set(column.task, openColumn(workspace.root, column, file));
  checkSources(columns, frozen);
  checkFrozen(workspace.root, new Map([...frozen].map(([task, { record }]) => [task, record.sha256.weights])));
  const read = {
    workspace,
    text,
    description,
    columns,
    file,
    graphs,
    frozen,
    filled: false,
    otherLosses: new Map<string, string>(),
  };
  return withColumns(read, frozen);
}

/** The workspace with these columns, whose losses and whose classes' names are those that they were trained with. */
export function withColumns(loaded: LoadedWorkspace, frozen: LoadedWorkspace['frozen']): LoadedWorkspace {
  const { description, file } = loaded;
  const { description: measured, others } = withLosses(withClassNames(description, frozen, file), frozen);
  const otherLosses = new Map([...loaded.otherLosses, ...others]);
  if (measured === description) return { ...loaded, frozen, otherLosses };
  return { ...loaded, filled: true, description: measured, columns: columnsOf(measured), frozen, otherLosses };
}

/** The description with the losses that columns were trained for, and by task in what it says others. */
function withLosses(description: Description, frozen: LoadedWorkspace['frozen']) {
  const others = new Map<string, string>();
  let changed = false;
  const columns = description.columns.map((column) => {
    const { head, task } = column;
    const loss = frozen.get(task)?.record.data.loss;
    if (loss === undefined) return column;
    const found = lossDifference(head, loss, task);
    if (found === undefined) return column;
    changed = true;
    if (found.other !== undefined) others.set(task, found.other);
    return { ...column, head: found.head };
  });
  return { description: changed ? { ...description, columns } : description, others };
}

/** Where a head says another loss than a column's record: the head with the record's, and the difference, none for what was learned. */
function lossDifference(head: Head, loss: Json, task: string): { head: Head; other: string | undefined } | undefined {
  const described = headLoss(head);
  if (stableJson(described) === stableJson(loss)) return undefined;
  const learned = toBalance(head);
  try {
    const trained = withLoss(head, isJsonObject(loss) ? loss : {});
    const same = learned === undefined ? described : { ...described, [learned]: Reflect.get(trained, learned) };
    return { head: trained, other: differences({ head: headLoss(trained) }, { head: same }, 'frozen') };
  } catch (cause) {
    const path = `columns/${task}/column.json`;
    throw new WorkspaceError(`${path}: data.loss: found ${show(loss)}, expected a loss of the head ${head.kind}`, {
      path,
      cause,
    });
  }
}

/** The description with the classes that columns were trained on as texts, where it says nothing of them. Throws where it says something else. */
function withClassNames(description: Description, frozen: LoadedWorkspace['frozen'], file: string): Description {
  let changed = false;
  const columns = description.columns.map((column) => {
    const { head, task } = column;
    const classes = frozen.get(task)?.record.data.classes;
    if (classes === undefined) return column;
    const names = outputLabels(head);
    if (names === undefined) {
      changed = true;
      return { ...column, head: withNames(head, classes) };
    }
    if (names.join('\n') === classes.join('\n')) return column;
    const [expected, got] = [JSON.stringify(classes), JSON.stringify(names)];
    throw new WorkspaceError(
      `${file}: task "${task}" was trained on the classes ${expected}, its head names them ${got}; undo that, or add a new task`,
      { path: file, expected, got },
    );
  });
  return changed ? { ...description, columns } : description;
}

/** The workspace with another description of the same columns. */
export function withDescription(loaded: LoadedWorkspace, description: Description): LoadedWorkspace {
  return { ...loaded, text: undefined, description, columns: columnsOf(description) };
}

/** Weights of the frozen columns, for graphs. */
export function weightsOf(loaded: LoadedWorkspace): FrozenWeights {
  return new Map([...loaded.frozen].map(([task, { tensors }]) => [task, tensors]));
}

/** Tasks whose columns are frozen, in the order of the columns. */
export function frozenTasks(loaded: LoadedWorkspace): string[] {
  return [...loaded.frozen.keys()];
}

/** The frozen column of a task; UsageError says to train or to freeze it first. */
export function frozenOf(loaded: LoadedWorkspace, task: string): FrozenColumn {
  const column = loaded.frozen.get(loaded.columns.column(task).task);
  if (column === undefined) throw trainedExists(loaded.workspace.root, task) ? notFrozen(task) : notTrained(task);
  return column;
}

/** Tasks whose columns are frozen, at least one; UsageError says to train or to freeze one first. */
export function someFrozen(loaded: LoadedWorkspace): string[] {
  const tasks = frozenTasks(loaded);
  if (tasks.length > 0) return tasks;
  const trained = loaded.columns.tasks.find((task) => trainedExists(loaded.workspace.root, task));
  throw trained === undefined ? nothingTrained() : notFrozen(trained);
}

/** A frozen column is not trained again. */
export function frozenIsFinal(task: string): UsageError {
  return new UsageError(
    `task "${task}" is trained and frozen for good; add a new task to the description to train more, or take its column back`,
    { got: task, remedy: { kind: 'reset', task } },
  );
}

/** The columns that a column stands on must be frozen before it is trained: UsageError says which is not. */
export function requireSources(loaded: LoadedWorkspace, { task, foundation }: Pick<Column, 'task' | 'foundation'>): void {
  for (const { task: source } of foundation) {
    if (loaded.frozen.has(source)) continue;
    const trained = trainedExists(loaded.workspace.root, source);
    throw new UsageError(`task "${task}" reads the column "${source}", which is not ${trained ? 'frozen' : 'trained'} yet`, {
      got: task,
      remedy: trained ? { kind: 'freeze', task: source } : { kind: 'train', task: source, freeze: true },
    });
  }
}

/** For checks of what programs without types give. */
export const aLoadedWorkspace: Kind = {
  what: 'a workspace, as loadWorkspace(folder) gives',
  holds: (v) =>
    anObject.holds(v) &&
    someColumns.holds(Reflect.get(v as object, 'columns')) &&
    Array.isArray(Reflect.get(v as object, 'graphs')),
};
