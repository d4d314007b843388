// A workspace as a growing network: its columns on disk, each frozen by an atomic rename, its description a text that people write. What answers
// is the same network as a value.

import type { ColumnInput, Description } from '../model/description/description.js';
import { parseDescription, toInput } from '../model/description/parse.js';
import type {
  ExportOptions,
  GivenData,
  GrowingNetwork,
  Inputs,
  Measured,
  Prediction,
  TaskData,
  Trained,
  TrainOptions,
  VerifyOptions,
} from '../network/growing.js';
import type { Network } from '../network/network.js';
import type { Proof, TaskProof } from '../network/proof.js';
import { must, PrognetError, UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { withColumn, withoutColumn } from './column-text.js';
import { epochOf } from './epoch-records.js';
import { type FreezeTaskOptions, freezeTask } from './freeze-task.js';
import { type LoadedWorkspace, loadWorkspace, reloadWorkspace, weightsOf } from './load-workspace.js';
import { networkOf } from './network-of.js';
import { loadTaskData } from './task-data.js';
import { type TrainTaskOptions, trainTask } from './train-task.js';
import { trainedOf, trainedTasks, withTrained } from './trained-column.js';
import { compareOutputs } from './verify.js';

/** Training in a workspace: what `prognet train` takes, data given in place of the described ones included. */
export type WorkspaceTrainOptions = TrainOptions & Omit<TrainTaskOptions, 'overrides' | 'data' | 'onEvent' | 'signal'>;

/** A workspace as a growing network. `open` of prognet/node gives one. */
export class WorkspaceNetwork implements GrowingNetwork {
  private constructor(
    private readonly runtime: Runtime,
    private loaded: LoadedWorkspace,
    private value: Network,
  ) {}

  /** @internal Use `open` of prognet/node. */
  static open(folder: string, runtime: Runtime): WorkspaceNetwork {
    given('open', { folder, runtime }, { folder: text, runtime: anObject });
    const loaded = loadWorkspace(folder);
    return new WorkspaceNetwork(runtime, loaded, asValue(loaded).on(runtime));
  }

  /** The workspace's folder. */
  get folder(): string {
    return this.loaded.workspace.root;
  }
  /** The checked description. */
  get description(): Description {
    return this.loaded.description;
  }
  /** Tasks in the order of their columns. */
  get tasks(): readonly string[] {
    return this.loaded.columns.tasks;
  }

  /** Whether the column of a task is trained and frozen. @throws UsageError for an unknown task */
  trained(task: string): boolean {
    return this.loaded.frozen.has(this.loaded.columns.column(task).task);
  }

  /** Adds a column to the description's text, what people wrote around it left as it is, and gives this network. */
  async grow(column: ColumnInput): Promise<this> {
    if (this.tasks.includes(column?.task)) throw new UsageError(`task "${column.task}" is there already`, { got: column.task });
    const input = toInput(this.description);
    parseDescription({ ...input, columns: [...input.columns, column] });
    return await this.rewrite((text, file) => withColumn(text, file, column));
  }

  /** Takes the last column out of the description's text, and gives this network. */
  async without(task: string): Promise<this> {
    // What may go is the same for every network.
    this.value.without(task);
    return await this.rewrite((text, file) => withoutColumn(text, file, task));
  }

  /** Trains a column and, unless `freeze` is false, freezes it on disk, with the proof over its test data. @throws UsageError when it is frozen, or what it reads is not */
  async train(task: string, options: WorkspaceTrainOptions = {}): Promise<Trained<this>> {
    const { data, onEvent, signal, provider, threads, engine, resume, restart, freeze, log, tapCache, onNote, ...overrides } =
      options;
    const own = { provider, threads, engine, resume, restart, freeze, log, tapCache, onNote, onEvent, signal };
    const given = Object.fromEntries(Object.entries(own).filter(([, v]) => v !== undefined)) as TrainTaskOptions;
    const column = this.loaded.columns.column(task);
    const parsed = parseDescription({ ...toInput(this.description), columns: withTrain(this.description, task, overrides) });
    const { train } = must(parsed.columns[column.index], task);
    const before = await trainTask(this.runtime, this.folder, task, {
      ...given,
      overrides: train,
      ...(data !== undefined && { data: withTest(data, task) }),
    });
    await this.reopen();
    const { record } = this.loaded.frozen.get(task) ?? trainedOf(this.loaded, task);
    const test = { loss: before.loss, metric: before.metric, value: before.value, rows: record.outputs.count };
    return { network: this, history: (record.history ?? []).map(epochOf), test };
  }

  /** Freezes a trained column on disk, as `freezeTask` does. @throws as `freezeTask` */
  async freeze(task: string, options: FreezeTaskOptions = {}): Promise<this> {
    await freezeTask(this.runtime, this.folder, task, options);
    await this.reopen();
    return this;
  }

  /** What a trained task answers, frozen or not. */
  predict(task: string, inputs: Inputs): Promise<Prediction> {
    return this.value.predict(task, inputs);
  }

  /** How well a trained task answers, over its own test data where `data` is left out. */
  async evaluate(task: string, data?: GivenData): Promise<Measured> {
    return await this.value.evaluate(task, data ?? (await loadTaskData(this.loaded, task)).test);
  }

  /** Each task's files by their hashes, and its outputs over its whole test set, against the day it was frozen; given `inputs` or `since`, as any network. */
  async verify(options: VerifyOptions = {}): Promise<Proof> {
    await this.reopen();
    if (options.inputs !== undefined || options.since !== undefined) return await this.value.verify(options);
    const { signal } = options;
    const tasks: TaskProof[] = [];
    for (const [task, { record }] of this.loaded.frozen)
      tasks.push({ ...(await this.proved(task, signal)), weights: record.sha256.weights });
    return { tasks, holds: tasks.every(({ identical }) => identical === true) };
  }

  private async proved(task: string, signal: AbortSignal | undefined): Promise<TaskProof> {
    try {
      const { rows, identical, reason } = await compareOutputs(this.runtime, this.loaded, task, signal && { signal });
      return { task, rows, identical, ...(reason !== undefined && { reason }) };
    } catch (error) {
      if (!(error instanceof PrognetError) || signal?.aborted === true) throw error;
      return { task, rows: 0, identical: undefined, reason: error.message };
    }
  }

  /** The bytes of an ONNX file, weights included. */
  export(options: ExportOptions): Uint8Array {
    return this.value.export(options);
  }

  /** The bytes of a .prognet file. The workspace itself is always saved. */
  save(): Promise<Uint8Array> {
    return this.value.with({ unfrozen: new Map() }).save();
  }

  /** Gives back sessions; the network is not to be used after. */
  close(): Promise<void> {
    return this.value.close();
  }

  private async rewrite(change: (text: string, file: string) => string): Promise<this> {
    const { description } = this.loaded.workspace;
    const text = new TextDecoder().decode(readWhole(description));
    writeFileAtomic(description, new TextEncoder().encode(change(text, description)));
    await this.reopen();
    return this;
  }

  /** What is on disk now; another process may have changed it. */
  private async reopen(): Promise<void> {
    await this.value.close();
    this.loaded = reloadWorkspace(this.loaded);
    this.value = asValue(this.loaded).on(this.runtime);
  }
}

/** The network as a value, with the trained columns that are not frozen; those that do not fit the description are left out. */
function asValue(loaded: LoadedWorkspace): Network {
  const described = trainedTasks(loaded).reduce(withFitting, loaded);
  const unfrozen = [...weightsOf(described)].filter(([task]) => !loaded.frozen.has(task));
  return networkOf(described).with({ frozen: weightsOf(loaded), unfrozen: new Map(unfrozen) });
}

function withFitting(loaded: LoadedWorkspace, task: string): LoadedWorkspace {
  try {
    return withTrained(loaded, task);
  } catch (error) {
    if (error instanceof PrognetError) return loaded;
    throw error;
  }
}

function withTrain(description: Description, task: string, overrides: object): ReturnType<typeof toInput>['columns'] {
  return toInput(description).columns.map((c) => (c.task === task ? { ...c, train: { ...c.train, ...overrides } } : c));
}

/** A column of a workspace is frozen with the proof over its test data: they must be there. */
function withTest(data: TaskData | GivenData, task: string): TaskData & { readonly test: GivenData } {
  if ('train' in data && data.test !== undefined) return { ...data, test: data.test };
  const expected = '{ train, test }, each { inputs, targets }';
  throw new UsageError(
    `train: data of task "${task}" have no test part, which a workspace's proof is made over, expected ${expected}`,
    {
      path: 'data',
      expected,
    },
  );
}
