// The frozen columns of a workspace compressed to one of bounded size, in a new workspace: its first task has the column, every other one a head over it.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { someSamples } from '../analysis/analysed.js';
import { type CompressRequest, compress } from '../analysis/compress/compress.js';
import { type Consolidation, compressInTurn } from '../analysis/compress/in-turn.js';
import type { Teacher } from '../analysis/compress/teachers.js';
import type { ColumnInput } from '../model/description/description.js';
import { toInput } from '../model/description/parse.js';
import { eachOf, isJudged, isSeveral, metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { makeFolder } from '../onnx/files/folder.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import type { TrainEvent } from '../train/events.js';
import { removeColumn } from '../workspace/column-store.js';
import { keepCompression } from '../workspace/kept-figures.js';
import { refuseOutput } from '../workspace/output-path.js';
import { createFolders, descriptionNames } from '../workspace/workspace.js';
import { movedData } from './import-columns.js';
import { frozenOf, type LoadedWorkspace, loadWorkspace, reloadWorkspace, someFrozen, weightsOf } from './load-workspace.js';
import { loadTaskData } from './task-data.js';
import { taskOutputs } from './task-outputs.js';
import { testAndFreeze } from './test-column.js';
import { removeEmpty, writtenTogether } from './written-together.js';

/** How columns are compressed. */
export interface CompressOptions {
  /** The task whose column's blocks the compressed one has; default: the first with layers of its own. */
  readonly like?: string | undefined;
  /** How many times the units of its dense layers and the filters of its convolutions there are; default 1. */
  readonly width?: number | undefined;
  /** One task after another rather than all at one time: each over its own samples, with what was learned before held by online elastic weight consolidation. */
  readonly inTurn?: Consolidation | undefined;
  /** Passes over the training data of all tasks, in turn of each; default: as many as give 4,000 steps of 128 rows, in turn 1,000 of each, at least 20. */
  readonly epochs?: number | undefined;
  /** The learning rate of adam, which a cosine brings to 0; default 0.001. */
  readonly rate?: number | undefined;
  /** Training samples of each task at most, drawn by its seed; default 10,000. */
  readonly rows?: number | undefined;
  readonly onEvent?: (event: TrainEvent) => void;
  readonly signal?: AbortSignal;
}

/** A metric on the test data, of the column that was and of the compressed one. */
export interface ComparedMetric {
  readonly metric: 'accuracy' | 'error';
  readonly before: number;
  readonly after: number;
}

/** What came of it. */
export interface CompressedWorkspace {
  readonly workspace: string;
  /** Parameters of all columns together. */
  readonly parameters: { readonly before: number; readonly after: number };
  readonly tasks: readonly (ComparedMetric & {
    readonly task: string;
    /** Of several heads each by its name; then the task's own is that of the first. */
    readonly heads?: Readonly<Record<string, ComparedMetric>>;
    /** Of its column in the new workspace. */
    readonly parameters: number;
  })[];
}

/**
 * Compresses the frozen tasks that have a head into a new workspace in `folder`. Throws UsageError where there are fewer than two, where one reads other inputs or
 * some answer steps and some samples, and where `folder` is a workspace already; DataError for a task that names no data; InterruptedError on abort, when nothing is written.
 */
export async function compressWorkspace(
  runtime: Runtime,
  theirs: LoadedWorkspace,
  folder: string,
  options: CompressOptions = {},
): Promise<CompressedWorkspace> {
  const started = performance.now();
  const { like, width = 1, inTurn, epochs, rate = 0.001, rows = 10_000, onEvent, signal } = options;
  const root = resolve(folder);
  refuseOutput(root);
  const there = descriptionNames.find((name) => existsSync(join(root, name)));
  if (there !== undefined)
    throw new UsageError(`${folder}: holds ${there}, expected a new folder`, { path: folder, expected: 'a new folder' });
  const columns = someFrozen(theirs)
    .map((task) => theirs.columns.column(task))
    .filter(({ head }) => isJudged(head));
  const template = templateOf(theirs, columns, like);
  for (const column of columns) refuseUnlike(column, template);
  const session = { providers: ['cpu'], threads: defaultThreads() };
  const weights = weightsOf(theirs);
  const teachers: Teacher[] = [];
  for (const { task, head, seed } of columns) {
    const { train } = await loadTaskData(theirs, task, { ...(signal && { signal }) });
    const { inputs, targets } = someSamples(train, rows, seed);
    const { scores } = await taskOutputs(runtime, theirs.columns, weights, task, inputs, session, signal);
    teachers.push({ head, inputs, targets, scores });
  }
  if (inTurn === undefined) refuseOtherSizes(columns, teachers);
  const description = toInput(theirs.description);
  const first = must(columns[0], 'task').task;
  const written = columns.map((column) => writtenAs(theirs, column, template, width, first, root));
  const { task, blocks, prepare, inputs } = must(written[0], 'column');
  const request: CompressRequest = {
    runtime,
    session,
    description,
    column: { task, ...(blocks && { blocks }), ...(prepare && { prepare }), ...(inputs && { inputs }) },
    teachers,
    epochs: epochs ?? epochsOf(teachers, inTurn !== undefined),
    rate,
    seed: theirs.description.seed,
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  };
  const compressed = await (inTurn === undefined ? compress(request) : compressInTurn(request, inTurn));
  const { prognet, seed, input } = description;
  const called = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/.test(basename(root)) ? basename(root) : description.name;
  const text = stringify({ prognet, name: called, seed, input, columns: written }, { lineWidth: 120 });
  const made = [root, ...['columns', 'runs'].map((name) => join(root, name))].filter((path) => !existsSync(path)).reverse();
  makeFolder(root);
  const frozen: string[] = [];
  try {
    const files = new Map([[join(root, descriptionNames[0]), new TextEncoder().encode(text)]]);
    return await writtenTogether(files, [], async () => {
      let loaded = loadWorkspace(root);
      createFolders(loaded.workspace);
      for (const [i, { task }] of columns.entries()) {
        const column = loaded.columns.column(task);
        const head = must(compressed.heads[i], 'head');
        const own = ownWeights(column, i === 0 ? compressed.weights : new Map(), head);
        await testAndFreeze({
          runtime,
          loaded,
          column,
          seed: column.seed,
          data: await loadTaskData(loaded, task),
          session,
          trained: { weights: own, history: [] },
          seconds: (performance.now() - started) / 1000,
          trainer: `compressed from ${theirs.description.name}`,
          ...(signal && { signal }),
        });
        frozen.push(task);
        loaded = reloadWorkspace(loaded);
      }
      const report = reportOf(theirs, loaded, columns);
      const weights = Object.fromEntries(columns.map(({ task }) => [task, frozenOf(loaded, task).record.sha256.weights]));
      const { parameters, tasks } = report;
      keepCompression(root, {
        from: theirs.description.name,
        inTurn: inTurn !== undefined,
        parameters,
        tasks: [...tasks],
        weights,
      });
      return report;
    });
  } catch (error) {
    for (const task of frozen.reverse()) removeColumn(root, task);
    for (const path of made) removeEmpty(path);
    throw error;
  }
}

/** Passes that give enough steps of 128 rows, over the samples of all tasks or, in turn, over those of the task that has most. */
function epochsOf(teachers: readonly Teacher[], inTurn: boolean): number {
  const rows = teachers.map(({ scores }) => scores.dims[0] ?? 0);
  const [steps, over] = inTurn ? [1000, Math.max(...rows)] : [4000, rows.reduce((a, b) => a + b, 0)];
  return Math.max(20, Math.ceil(steps / Math.ceil(over / 128)));
}

/** Throws UsageError for a column that reads or answers otherwise than the one whose blocks are taken. */
function refuseUnlike({ task, head, inputs }: Column, template: Column): void {
  const names = (of: Column['inputs']) => of.map(({ name }) => name).join();
  if (names(inputs) !== names(template.inputs))
    throw new UsageError(
      `compress: task "${task}" reads other inputs than "${template.task}", expected tasks that read the same`,
      {
        got: task,
      },
    );
  if (eachOf(head) === eachOf(template.head)) return;
  const [own, its] = [head, template.head].map((of) => (eachOf(of) === undefined ? 'samples' : 'each step of a sequence'));
  throw new UsageError(`compress: task "${task}" answers ${own}, "${template.task}" ${its}, expected tasks that answer alike`, {
    got: task,
  });
}

/** Throws UsageError where samples of all tasks cannot stand in one array. */
function refuseOtherSizes(columns: readonly Column[], teachers: readonly Teacher[]): void {
  const [first, ...others] = teachers;
  for (const [i, { inputs }] of others.entries())
    for (const [name, { dims }] of Object.entries(inputs)) {
      const [own, its] = [dims, first?.inputs[name]?.dims ?? []].map((of) => of.slice(1).join());
      if (own === its) continue;
      const { task } = must(columns[i + 1], 'task');
      throw new UsageError(
        `compress: samples of "${name}" are [${own}] in task "${task}" and [${its}] in "${columns[0]?.task}", expected one size, or tasks one after another`,
        { got: task },
      );
    }
}

/** The column whose blocks are taken. Throws UsageError. */
function templateOf(loaded: LoadedWorkspace, columns: readonly Column[], like: string | undefined): Column {
  if (columns.length < 2)
    throw new UsageError(`compress: found ${columns.length} frozen tasks with a head, expected two or more`, {
      got: String(columns.length),
    });
  const layered = (column: Column) => column.blocks.length > 0 && column.imported === undefined && column.tuned === undefined;
  const found = like === undefined ? columns.find(layered) : loaded.columns.column(like);
  if (found !== undefined && layered(found)) return found;
  const what = like === undefined ? 'no task has' : `"${like}" has no`;
  throw new UsageError(`compress: ${what} layers of its own, expected a column whose blocks the compressed one has`, {
    ...(like !== undefined && { got: like }),
  });
}

/** A task as the new workspace describes it: the first has the blocks, every other one is a head. */
function writtenAs(loaded: LoadedWorkspace, column: Column, template: Column, width: number, first: string, root: string) {
  const all = toInput(loaded.description).columns;
  const found = must(
    all.find(({ task }) => task === column.task),
    column.task,
  );
  const { data, head, heads } = found;
  const shared = {
    task: column.task,
    ...(data !== undefined && { data: movedData(data, loaded.workspace.root, root) }),
    ...(head !== undefined && { head }),
    ...(heads !== undefined && { heads }),
  };
  const {
    blocks = [],
    prepare,
    inputs,
  } = must(
    all.find(({ task }) => task === template.task),
    template.task,
  );
  const last = blocks.length - 1;
  if (column.task !== first)
    return {
      ...shared,
      blocks: [],
      laterals: { kind: 'linear', from: [first], taps: { [first]: { head: last } } },
    } as ColumnInput;
  const wide = blocks.map((layers) => layers.map((layer) => widened(layer, width)));
  // Heads of other tasks read the last block as this one does.
  if (template.tapShape(last).length > 1 && eachOf(template.head) === undefined) wide[last] = [...(wide[last] ?? []), 'flatten'];
  return { ...shared, ...(prepare && { prepare }), ...(inputs && { inputs }), blocks: wide, laterals: 'none' } as ColumnInput;
}

type LayerInput = NonNullable<ColumnInput['blocks']>[number][number];

/** A layer with so many times its units or filters. */
function widened(layer: LayerInput, width: number): LayerInput {
  if (typeof layer !== 'object' || width === 1) return layer;
  const more = (n: unknown) => (typeof n === 'number' ? Math.max(1, Math.round(n * width)) : n);
  const kinds = { dense: 'units', conv1d: 'filters', conv2d: 'filters', conv3d: 'filters' };
  const option: unknown = Reflect.get(kinds, Reflect.get(layer, 'kind'));
  return typeof option === 'string' ? ({ ...layer, [option]: more(Reflect.get(layer, option)) } as LayerInput) : layer;
}

/** The column's parameters: its blocks', and of the head the weight and the bias, whatever they are called there. */
function ownWeights(column: Column, blocks: ReadonlyMap<string, Tensor>, head: { weight: Tensor; bias: Tensor }) {
  const own = column.parameters.specs.map(({ name, shape }): [string, Tensor] => {
    const known = blocks.get(name);
    if (known !== undefined) return [name, known];
    const { dtype, data } = shape.length === 1 ? head.bias : head.weight;
    return [name, new Tensor(dtype, [...shape], data)];
  });
  return new Map(own);
}

function reportOf(theirs: LoadedWorkspace, ours: LoadedWorkspace, columns: readonly Column[]): CompressedWorkspace {
  const count = ({ columns: all, frozen }: LoadedWorkspace) =>
    [...frozen.keys()].reduce((n, task) => n + all.column(task).parameters.count, 0);
  return {
    workspace: ours.workspace.root,
    parameters: { before: count(theirs), after: count(ours) },
    tasks: columns.map(({ task, head }) => {
      const compared = (metric: ComparedMetric['metric'], figure: string = metric): ComparedMetric => {
        const of = (loaded: LoadedWorkspace) => frozenOf(loaded, task).record.metrics[figure] ?? Number.NaN;
        return { metric, before: of(theirs), after: of(ours) };
      };
      const heads = isSeveral(head) && {
        heads: Object.fromEntries(
          head.heads.map(({ name, head: own }) => [name, compared(metricName(own), `${name}/${metricName(own)}`)]),
        ),
      };
      return { task, ...compared(metricName(head)), ...heads, parameters: ours.columns.column(task).parameters.count };
    }),
  };
}
