// A network in the hand of a program: a description and the columns that are frozen so far. It never changes: growing and training give
// a new one, and what is frozen is passed on as it is. The same thing in a folder is tasks/workspace-network.ts, in a page's worker web/client.ts.

import { type SampleRows, samplesFor } from '../data/samples.js';
import type { ColumnInput, Description, DescriptionInput } from '../model/description/description.js';
import { parseDescription, withHead } from '../model/description/parse.js';
import { isJudged, metricName, outputLabels, withNames } from '../model/heads/heads.js';
import { type Column, type ColumnParameters, type Columns, columnsOf } from '../model/progressive/column.js';
import type { FactsByTask } from '../model/progressive/facts.js';
import { notFrozen, notTrained, routable, taskModel } from '../model/progressive/forms.js';
import { keptInputs } from '../model/progressive/inputs.js';
import type { FrozenWeights, Weights } from '../model/progressive/weights.js';
import { must, ShapeError, stopIfAborted, UsageError } from '../onnx/core/errors.js';
import { anObject, given, instance, listOf, optional, text } from '../onnx/core/given.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { withNumbers } from '../train/balance.js';
import { evaluateScores } from '../train/evaluate.js';
import { fitData, fitInputs } from '../train/prepare-data.js';
import type { TrainData } from '../train/request.js';
import { besideSeen } from '../train/seen.js';
import { Answerer, type Answers, markedPrediction } from './answerer.js';
import { defined } from './defined.js';
import type {
  ExportOptions,
  GivenData,
  GrowingNetwork,
  Inputs,
  Measured,
  Prediction,
  PredictOptions,
  Trained,
  VerifyOptions,
} from './growing.js';
import { Kept, type Place } from './kept.js';
import { columnHash, encodeNetwork } from './network-file.js';
import type { NetworkOptions, NetworkTrainOptions, On, TrainingGraph, TrainingGraphOptions } from './options.js';
import { type Evidence, type Proof, proofOf } from './proof.js';
import { factsOfTraining, trainColumn } from './train-column.js';
import { trainingGraph } from './training-graph.js';

/** Begins a network without columns: `prognet({ input: input('image', [1, 28, 28]) })`. @throws DescriptionError */
export function prognet(options: NetworkOptions): Network {
  if (options === undefined)
    throw new UsageError('prognet: options are missing, expected { input: input(name, shape) } at the least', {
      path: 'options',
    });
  given('prognet', { options }, { options: anObject });
  const { name = 'network', ...rest } = options;
  return new Network({ prognet: 1, name, ...rest, columns: [] });
}

/** A network as a value: a description and the columns that are frozen so far. Growing and training give a new one. Begin with `prognet(...)`. */
export class Network implements GrowingNetwork {
  /** All columns with what follows from the description. */
  readonly columns: Columns;

  /** @internal Use `prognet(...)`. */
  constructor(
    private readonly written: DescriptionInput,
    /** By task; a column that is not trained yet has none. They must not be written to. */
    readonly frozen: FrozenWeights = new Map(),
    /** The weights' hashes of the day they were frozen, by task. */
    private readonly recorded: ReadonlyMap<string, string> = new Map(),
    private readonly kept = new Kept(),
    private readonly place?: Place,
    /** By task: columns that are trained and not frozen. They must not be written to. */
    readonly unfrozen: FrozenWeights = new Map(),
    /** What is known of trained columns beside their weights, by task; exported models say it in their metadata. */
    readonly facts: FactsByTask = new Map(),
    /** By task: what the losses of unfrozen columns learned of their training data. */
    private readonly balances: ReadonlyMap<string, readonly number[]> = new Map(),
  ) {
    this.columns = columnsOf(parseDescription(written));
  }

  /** The checked description. */
  get description(): Description {
    return this.columns.description;
  }

  /** Tasks in the order of their columns. */
  get tasks(): readonly string[] {
    return this.columns.tasks;
  }

  /** Whether the column of a task is trained and frozen. @throws UsageError for an unknown task */
  trained(task: string): boolean {
    return this.weights(task) !== undefined;
  }

  /** The same network, whose graphs run on this runtime unless a call says otherwise. */
  on(runtime: Runtime, session?: SessionOptions): Network {
    const { written, frozen, recorded, kept, unfrozen, facts, balances } = this;
    return new Network(written, frozen, recorded, kept, { runtime, session }, unfrozen, facts, balances);
  }

  /** This network with one more column. What is frozen stays as it is. @throws DescriptionError */
  grow(column: ColumnInput): Network {
    return this.with({ written: { ...this.written, columns: [...this.written.columns, column] } });
  }

  /** This network without its last column, which must not be frozen. @throws UsageError for any other */
  without(task: string): Network {
    if (this.trained(task)) throw frozenAlready(task);
    if (this.columns.column(task) !== this.columns.last)
      throw new UsageError(`task "${task}" is not the last, later columns may stand on it`, { got: task });
    const written = { ...this.written, columns: this.written.columns.slice(0, -1) };
    return this.with({ written, ...this.forgotten(task) });
  }

  /** The parameters of a task's column: names, shapes, count. @throws UsageError for an unknown task */
  parameters(task: string): ColumnParameters {
    return this.columns.column(task).parameters;
  }

  /** The frozen weights of a task, undefined while it is not trained. They must not be written to. */
  weights(task: string): Weights | undefined {
    return this.frozen.get(this.columns.column(task).task);
  }

  /**
   * This network with the column of `task` frozen at weights from elsewhere (by parameter name, float32 but for what an import brought).
   * @throws UsageError when it is frozen already, ShapeError when a weight is missing or does not fit
   */
  withWeights(task: string, weights: Weights): Network {
    given('withWeights', { weights }, { weights: instance(Map, 'a Map of tensors by name') });
    if (this.trained(task)) throw frozenAlready(task);
    const own = new Map(
      this.parameters(task).specs.map(({ name, shape, dtype = 'float32' }) => {
        const tensor = weights.get(name);
        if (tensor?.dtype === dtype && tensor.dims.join() === shape.join()) return [name, tensor];
        const [expected, got] = [`${dtype} [${shape}]`, tensor === undefined ? 'nothing' : `${tensor.dtype} [${tensor.dims}]`];
        throw new ShapeError(`weight "${name}": expected ${expected}, got ${got}`, { expected, got });
      }),
    );
    return this.with({ frozen: new Map(this.frozen).set(task, own), ...this.forgotten(task) });
  }

  /**
   * Trains the column of `task` and, unless `freeze` is false, freezes it. Taps of earlier columns stay in memory for the next training on the same data: docs/training-speed.md.
   * @throws UsageError when it is frozen, or a column that it reads is not; DataError for data that do not fit
   */
  async train(task: string, options: NetworkTrainOptions): Promise<Trained<Network>> {
    const { index } = this.columns.column(task);
    if (this.trained(task)) throw frozenAlready(task);
    const {
      on: runtime,
      data,
      session,
      freeze,
      engine,
      tapBudget,
      tapStorage,
      tapCache,
      store,
      onEvent,
      signal,
      ...overrides
    } = options ?? {};
    if (data === undefined) throw missing('train', 'data', '{ inputs, targets }, or { train, validation, test } of such');
    const place = this.needPlace('train', { ...defined({ on: runtime, session }) });
    const columns = this.written.columns.map((c, i) => (i === index ? { ...c, train: { ...c.train, ...overrides } } : c));
    const column = columnsOf(parseDescription({ ...this.written, columns })).column(task);
    for (const source of column.sources) this.needed(source.task);
    const how = { tapCache: this.kept.taps, ...defined({ engine, tapBudget, tapStorage, tapCache, store, onEvent, signal }) };
    const { weights, history, given, test, balance } = await trainColumn(column, data, { ...how, ...place, frozen: this.frozen });
    const described = this.columns.column(task);
    const names = outputLabels(described.head) ?? given.classNames;
    const tried = this.with({
      ...(given.classNames && names && { written: withHead(this.written, described, withNames(described.head, names)) }),
      unfrozen: new Map(this.unfrozen).set(task, weights),
      balances: balance ? new Map(this.balances).set(task, balance) : this.forgotten(task).balances,
    });
    const on = { on: place.runtime, ...defined({ session: place.session }) };
    const measured = test && (await tried.evaluate(task, test, on));
    const facts = factsOfTraining(column, given, history.length, measured);
    const told = tried.with({ facts: new Map(this.facts).set(task, facts) });
    const network = freeze === false ? told : await told.freeze(task);
    return { network, history, ...(measured !== undefined && { test: measured }) };
  }

  /** This network with the trained column of `task` frozen; one that is frozen already stays as it is. @throws UsageError when it is not trained */
  async freeze(task: string): Promise<Network> {
    if (this.trained(task)) return this;
    const weights = this.unfrozen.get(task);
    if (weights === undefined) throw notTrained(task);
    const hash = await columnHash(task, weights);
    const [column, balance] = [this.columns.column(task), this.balances.get(task)];
    return this.with({
      frozen: new Map(this.frozen).set(task, weights),
      ...this.forgotten(task),
      ...(balance && { written: withHead(this.written, column, withNumbers(column, balance).head) }),
      ...(hash !== undefined && { recorded: new Map(this.recorded).set(task, hash) }),
    });
  }

  /** What a trained task answers, frozen or not. @throws UsageError for a task that is unknown or not trained, DataError for inputs that do not fit */
  async predict(task: string, inputs: Inputs, options: On & PredictOptions = {}): Promise<Prediction> {
    given('predict', { task, options }, { task: text, options: anObject });
    const { tap, marks, ...on } = options;
    const column = this.columns.column(task);
    const { samples, notes } = this.fitting('predict', column, inputs);
    const how = defined({ tap, marks, domain: this.facts.get(task)?.domain });
    const prediction = await markedPrediction(column, how, (names, last) => this.ask('predict', task, samples, names, on, last));
    return { ...prediction, ...defined({ names: outputLabels(column.head) }), ...(notes.length > 0 && { notes }) };
  }

  /** How well a trained task answers. @throws as `predict` */
  async evaluate(task: string, data?: GivenData | TrainData, on: On = {}): Promise<Measured> {
    if (data === undefined) throw missing('evaluate', 'data', '{ inputs, targets }');
    given('evaluate', { data, on }, { data: anObject, on: anObject });
    const { head } = withNumbers(this.columns.column(task), this.balances.get(task));
    if (!isJudged(head)) throw new UsageError(`task "${task}" has no head, expected one whose answers are judged`, { got: task });
    const { inputs, targets } = fitData(this.columns.column(task), data, `data of task "${task}"`);
    const { outputs } = await this.ask('evaluate', task, inputs, [task], on);
    const { runtime } = this.needPlace('evaluate', on);
    const { loss, metric, rows, heads } = await evaluateScores(runtime, head, must(outputs.get(task), task), targets);
    return { loss, metric: metricName(head), value: metric, rows, ...(heads && { heads }) };
  }

  /** Weights by their hashes, and where `inputs` are given the outputs of every trained task, bit for bit. */
  async verify(options: VerifyOptions & On = {}): Promise<Proof> {
    given(
      'verify',
      { options },
      { options: anObject, 'options.since': optional(anObject), 'options.since.tasks': optional(listOf(anObject)) },
    );
    const { inputs, since, signal, ...on } = options;
    const now: Evidence[] = [];
    for (const task of this.tasks) {
      const weights = this.frozen.get(task);
      if (weights === undefined) continue;
      stopIfAborted(signal);
      const hash = await columnHash(task, weights);
      const scores = inputs && (await this.scoresAnew(task, inputs, on));
      now.push({ task, ...(hash !== undefined && { weights: hash }), ...(scores !== undefined && { scores }) });
    }
    const recorded = [...this.recorded].map(([task, weights]) => ({ task, weights }));
    return proofOf(now, since?.tasks ?? recorded, since !== undefined);
  }

  /** float32 [N, ...] to raw scores [N, k] under each task's name. @throws UsageError for a task that is unknown or not frozen */
  model(options: ExportOptions): Model {
    const { all, task, ...form } = { all: undefined, task: undefined, ...options };
    const trained = this.tasks.filter((name) => this.frozen.has(name));
    const tasks = task !== undefined ? [task] : form.routed === true ? routable(this.columns, trained) : trained;
    if (tasks.length === 0) for (const name of this.unfrozen.keys()) throw notFrozen(name);
    if (tasks.length === 0) throw new UsageError('no task is trained yet, so there is nothing to export');
    for (const name of tasks) this.needed(this.columns.column(name).task);
    return taskModel(this.columns, this.frozen, { facts: this.facts, ...form, tasks });
  }

  /** The bytes of an ONNX file, weights included; `model` says of what. */
  export(options: ExportOptions): Uint8Array {
    return toBinary(this.model(options));
  }

  /** The bytes of a .prognet file, which `readNetwork` takes. @throws UsageError for a column that is trained and not frozen, which no file holds */
  async save(): Promise<Uint8Array> {
    for (const task of this.unfrozen.keys()) throw notFrozen(task);
    return await encodeNetwork({ description: this.description, frozen: this.frozen, facts: this.facts });
  }

  /** Gives back the sessions that answers were asked of, those of networks that it was grown from included. */
  close(): Promise<void> {
    return this.kept.release();
  }

  /** The step graph of a task's column: (parameters, optimizer state, minibatches) to the same after them, and the losses. */
  trainingGraph(task: string, options: TrainingGraphOptions): TrainingGraph {
    return trainingGraph(this.columns.column(task), this.frozen, options);
  }

  private get changeable() {
    const { written, frozen, recorded, unfrozen, facts, balances } = this;
    return { written, frozen, recorded, unfrozen, facts, balances };
  }

  /** What there is of unfrozen columns, without this one. */
  private forgotten(task: string) {
    return { unfrozen: withoutTask(this.unfrozen, task), balances: withoutTask(this.balances, task) };
  }

  /** @internal This network with something changed, of one lineage with it. */
  with(changed: {
    readonly written?: DescriptionInput;
    readonly frozen?: FrozenWeights;
    readonly recorded?: ReadonlyMap<string, string>;
    readonly unfrozen?: FrozenWeights;
    readonly facts?: FactsByTask;
    readonly balances?: ReadonlyMap<string, readonly number[]>;
  }): Network {
    const { written, frozen, recorded, unfrozen, facts, balances } = { ...this.changeable, ...changed };
    return new Network(written, frozen, recorded, this.kept, this.place, unfrozen, facts, balances);
  }

  /** Runs the model that answers a task: the same weights are asked through the same session, in whichever network they stand. */
  private ask(
    method: string,
    task: string,
    inputs: SampleRows | Tensor,
    names: readonly string[],
    on: On,
    tap = false,
  ): Promise<Answers> {
    const column = this.columns.column(task);
    const tried = this.unfrozen.get(task);
    // A column that is not frozen answers as it will when it is.
    const asked = tried === undefined ? this : this.with({ frozen: new Map(this.frozen).set(task, tried) });
    const stands = [column, ...column.foundation].map(({ task: name }) => {
      asked.needed(name);
      return this.kept.numberOf(must(asked.frozen.get(name), name));
    });
    const { samples } = this.fitting(method, column, inputs);
    const model = () => asked.export({ task, probabilities: true, categoryIndices: true, lastTap: tap, joined: true });
    return this.kept
      .answerer(this.needPlace(method, on))
      .ask({ key: `${stands.join()}${tap ? ' tap' : ''}`, model, inputs: keptInputs(column.inputs) }, names, samples);
  }

  /** Inputs as the network takes them, and what of them is far from what the column was trained on. */
  private fitting(
    method: string,
    column: Column,
    inputs: SampleRows | Tensor,
  ): { readonly samples: SampleRows; readonly notes: readonly string[] } {
    const where = `${method}: inputs of task "${column.task}"`;
    const samples = fitInputs(column, inputs, where);
    return { samples, notes: besideSeen(samples, column.inputs, this.facts.get(column.task)?.trained?.seen ?? {}, where) };
  }

  /** By a session made for this question from the weights as they are now. */
  private async scoresAnew(task: string, inputs: Inputs, on: On): Promise<Tensor> {
    const { runtime, session } = this.needPlace('verify', on);
    const answerer = new Answerer(runtime, session);
    try {
      const column = this.columns.column(task);
      const samples = fitInputs(column, samplesFor(inputs, column.inputs), 'verify: inputs');
      const model = () => this.export({ task, categoryIndices: true, joined: true });
      const asked = { key: '', model, inputs: keptInputs(column.inputs) };
      const { outputs } = await answerer.ask(asked, [task], samples);
      return must(outputs.get(task), task);
    } finally {
      await answerer.release();
    }
  }

  private needPlace(method: string, { on, session }: On): Place {
    const runtime = on ?? this.place?.runtime;
    if (runtime !== undefined) return { runtime, session: session ?? this.place?.session };
    throw missing(method, 'on', 'a runtime, such as NodeRuntime.load() of prognet/node gives');
  }

  private needed(task: string): void {
    if (!this.frozen.has(task)) throw this.unfrozen.has(task) ? notFrozen(task) : notTrained(task);
  }
}

function withoutTask<T>(of: ReadonlyMap<string, T>, task: string): ReadonlyMap<string, T> {
  return new Map([...of].filter(([name]) => name !== task));
}

/** What programs without types leave out. */
function missing(method: string, name: string, expected: string): UsageError {
  return new UsageError(`${method}: "${name}" is missing, expected ${expected}`, { path: name, expected });
}

function frozenAlready(task: string): UsageError {
  return new UsageError(`task "${task}" is trained and frozen for good; grow a new column to train more`, { got: task });
}
