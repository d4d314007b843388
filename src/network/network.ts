// A network in the hand of a program: a description and the columns that are frozen so far. It never changes: growing and training give
// a new one, and what is frozen is passed on as it is. Workspaces, the same thing on disk, are project/'s.

import type { Samples } from '../data/samples.js';
import type { ColumnInput, Description, DescriptionInput } from '../model/description/description.js';
import { parseDescription } from '../model/description/parse.js';
import type { TrainInput } from '../model/description/train-schema.js';
import { type ColumnParameters, type Columns, columnsOf } from '../model/progressive/column.js';
import { type FormOptions, taskModel } from '../model/progressive/forms.js';
import type { Weights } from '../model/progressive/weights.js';
import type { DType } from '../onnx/core/dtype.js';
import { ShapeError, UsageError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { train } from '../train/loop.js';
import type { Clip } from '../train/optim/clip.js';
import { defaultRate, type OptimizerOptions, optimizer } from '../train/optim/optimizer.js';
import { fitData, partition } from '../train/prepare-data.js';
import type { TrainRequest } from '../train/request.js';
import { trainSettings } from '../train/settings.js';
import { type StepGraph, stepGraph } from '../train/step/step-graph.js';
import { TapCache } from '../train/taps/tap-cache.js';

/** What a network is before it has columns. `name` is the ONNX graph's name. */
export type NetworkOptions = Omit<DescriptionInput, 'prognet' | 'name' | 'columns'> & { readonly name?: string };

/** One task, or every frozen task in one graph: all of them computed, or with `routed` the one asked for. */
export type ExportOptions = Omit<FormOptions, 'tasks'> & ({ readonly task: string } | { readonly all: true });

export interface TrainingGraphOptions {
  readonly optimizer: OptimizerOptions;
  /** Rows of a minibatch; left out, the graph takes any. */
  readonly batch?: number;
  readonly clip?: Clip;
  /** dtype of the data input: uint8 is scaled to 0..1 in the graph. Default float32. */
  readonly dataType?: Extract<DType, 'float32' | 'uint8'>;
}

/** A step graph with what it is fed each step beside data. */
export interface TrainingGraph extends StepGraph {
  /** The row of `step/scalars` for a step, counted from 1, at a rate (default: the optimizer's own). */
  readonly scalars: (step: number, rate?: number) => readonly number[];
}

/** Training of one column; options that the description's `train` states may be overridden by `settings`. */
export type GrowOptions = Omit<TrainRequest, 'column' | 'frozen' | 'settings' | 'train' | 'validation'> & {
  readonly settings?: TrainInput;
  readonly train: GivenData;
  readonly validation?: GivenData;
};

/** Rows of data with their targets: inputs by name, or the tensor of a network's only input. */
export interface GivenData {
  readonly inputs: Samples | Tensor;
  readonly targets: Tensor;
}

/** Begins a network without columns: `prognet({ input: input('image', [1, 28, 28]) })`. @throws DescriptionError */
export function prognet(options: NetworkOptions): Network {
  if (options === undefined)
    throw new UsageError('prognet: options are missing, expected { input: input(name, shape) } at the least', {
      path: 'options',
    });
  const { name = 'network', ...rest } = options;
  return new Network({ prognet: 1, name, ...rest, columns: [] });
}

export class Network {
  readonly columns: Columns;

  /** @internal Use `prognet(...)`. */
  constructor(
    private readonly written: DescriptionInput,
    private readonly frozen: ReadonlyMap<string, Weights> = new Map(),
    /** Taps of the last training's data: the network's ancestors and descendants have the same. */
    private readonly tapCache = new TapCache(),
  ) {
    this.columns = columnsOf(parseDescription(written));
  }

  get description(): Description {
    return this.columns.description;
  }

  /** Tasks in the order of their columns. */
  get tasks(): readonly string[] {
    return this.columns.tasks;
  }

  /** This network with one more column. What is frozen stays as it is. @throws DescriptionError */
  grow(column: ColumnInput): Network {
    return new Network({ ...this.written, columns: [...this.written.columns, column] }, this.frozen, this.tapCache);
  }

  /** This network without its last column, which must not be trained yet. @throws UsageError for any other */
  without(task: string): Network {
    if (this.frozen.has(task)) throw frozenAlready(task);
    if (this.columns.column(task) !== this.columns.last)
      throw new UsageError(`task "${task}" is not the last, later columns may stand on it`, { got: task });
    return new Network({ ...this.written, columns: this.written.columns.slice(0, -1) }, this.frozen, this.tapCache);
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
   * This network with the column of `task` frozen at weights from elsewhere (float32 by parameter name).
   * @throws UsageError when it is frozen already, ShapeError when a weight is missing or does not fit
   */
  withWeights(task: string, weights: Weights): Network {
    if (this.weights(task) !== undefined) throw frozenAlready(task);
    const own = new Map(
      this.parameters(task).specs.map(({ name, shape }) => {
        const tensor = weights.get(name);
        if (tensor?.dtype === 'float32' && tensor.dims.join() === shape.join()) return [name, tensor];
        const got = tensor === undefined ? 'nothing' : `${tensor.dtype} [${tensor.dims}]`;
        throw new ShapeError(`weight "${name}": expected float32 [${shape}], got ${got}`, {
          expected: `float32 [${shape}]`,
          got,
        });
      }),
    );
    return new Network(this.written, new Map(this.frozen).set(task, own), this.tapCache);
  }

  /**
   * Trains the column of `task` and gives the network with it frozen. Without `validation`, the settings' part of the training data is set
   * aside. Taps of earlier columns stay in memory for the next training on the same data: docs/training-speed.md. @throws UsageError when it, or not yet a source, is frozen; DataError for data that do not fit
   */
  async train(task: string, options: GrowOptions): Promise<Network> {
    const { index } = this.columns.column(task);
    if (this.frozen.has(task)) throw frozenAlready(task);
    checkGiven(options);
    const { settings: overrides, train: given, validation: other, ...request } = options;
    const written = this.written.columns.map((c, i) => (i === index ? { ...c, train: { ...c.train, ...overrides } } : c));
    const column = columnsOf(parseDescription({ ...this.written, columns: written })).column(task);
    for (const source of column.sources) this.needed(source.task);
    const settings = trainSettings(column.train, column.seed);
    const data = fitData(column, given, `train data of task "${task}"`);
    const parts =
      other === undefined
        ? partition(data, settings, `train data of task "${task}"`)
        : { train: data, validation: fitData(column, other, `validation data of task "${task}"`) };
    const { frozen } = this;
    const { weights } = await train({ tapCache: this.tapCache, ...request, ...parts, column, frozen, settings });
    return new Network(this.written, new Map(this.frozen).set(task, weights), this.tapCache);
  }

  /** float32 [N, ...] to raw scores [N, k] under each task's name. @throws UsageError for a task that is unknown or not trained */
  model(options: ExportOptions): Model {
    const { all, task, ...form } = { all: undefined, task: undefined, ...options };
    const tasks = task === undefined ? this.tasks.filter((name) => this.frozen.has(name)) : [task];
    if (tasks.length === 0) throw new UsageError('no task is trained yet, so there is nothing to export');
    return taskModel(this.columns, this.frozen, { ...form, tasks });
  }

  /** The bytes of an ONNX file, weights included; `model` says of what. */
  export(options: ExportOptions): Uint8Array {
    return toBinary(this.model(options));
  }

  /** The step graph of a task's column: (parameters, optimizer state, minibatches) to the same after them, and the losses. */
  trainingGraph(task: string, options: TrainingGraphOptions): TrainingGraph {
    const { optimizer: chosen, dataType = 'float32', batch, clip } = options;
    const rule = optimizer(chosen);
    const column = this.columns.column(task);
    const graph = stepGraph({
      column,
      optimizer: rule,
      dtypes: Object.fromEntries(column.inputs.map(({ name }) => [name, dataType])),
      ...(batch === undefined ? {} : { batch }),
      ...(clip === undefined ? {} : { clip }),
    });
    const { kind, lr = defaultRate[kind] } = chosen;
    return { ...graph, scalars: (step, rate = lr) => rule.scalars(rate, step) };
  }

  private needed(task: string): void {
    if (!this.frozen.has(task)) throw new UsageError(`task "${task}" is a source of laterals and not trained yet`, { got: task });
  }
}

/** What programs without types leave out. */
function checkGiven(options: Partial<GrowOptions> | undefined): void {
  const missing = (name: string, expected: string) =>
    new UsageError(`train: "${name}" is missing, expected ${expected}`, { path: name, expected });
  if (options?.train === undefined) throw missing('train', '{ inputs, targets } of the training data');
  if (options.runtime === undefined) throw missing('runtime', 'a runtime, such as await loadRuntime() of prognet/node gives');
}

function frozenAlready(task: string): UsageError {
  return new UsageError(`task "${task}" is trained and frozen for good; grow a new column to train more`, { got: task });
}
