// The official training artifacts of a task, written to a folder: from the column's first weights, from those of a training under way, or from
// the frozen ones.
import { join } from 'node:path';
import { type ArtifactsRequest, trainingArtifacts } from '../artifacts/artifacts.js';
import type { CheckpointVersion } from '../artifacts/checkpoint/schema.js';
import { writeCheckpoint } from '../artifacts/checkpoint/write-checkpoint.js';
import type { FrozenForm } from '../artifacts/column-graph.js';
import { officialOptimizer } from '../artifacts/optimizer-model.js';
import type { SampleSet } from '../data/dataset.js';
import type { Clip } from '../model/description/train-schema.js';
import { toBalance } from '../model/heads/heads.js';
import { areKnown } from '../model/nn/open-size.js';
import type { Column } from '../model/progressive/column.js';
import { notFrozen } from '../model/progressive/forms.js';
import { boundTo, type Sizes, sizesOfData } from '../model/progressive/open-inputs.js';
import { initialWeights } from '../model/progressive/weights.js';
import { UsageError } from '../onnx/core/errors.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { learnBalance, withNumbers } from '../train/balance.js';
import { learnPrepare } from '../train/learn-prepare.js';
import { partition } from '../train/prepare-data.js';
import { type TrainSettings, trainSettings } from '../train/settings.js';
import { stateSchema } from '../train/state-schema.js';
import { readNewestCheckpoint } from '../workspace/checkpoint.js';
import { writeOutputFolder } from '../workspace/output-folder.js';
import { refuseOutput } from '../workspace/output-path.js';
import { type LoadedWorkspace, requireSources, weightsOf } from './load-workspace.js';
import { storedRun } from './stored-run.js';
import { loadTaskData } from './task-data.js';
import { isTrained } from './trained-column.js';

export interface WriteArtifactsOptions {
  readonly frozenForm: FrozenForm;
  /** Instead of the description's. */
  readonly optimizer?: 'adamw' | 'sgd';
  readonly adamMode: 0 | 1;
  /** By norm, instead of the description's. */
  readonly clip?: number;
  readonly rateScale?: number;
  readonly nominal: boolean;
  readonly checkpointVersion: CheckpointVersion;
  /** From the unfinished training, its optimizer state included. */
  readonly resume: boolean;
  /** Asked for where the column's `prepare` has to learn of the training data first. */
  readonly runtime: () => Promise<Runtime>;
}

export interface WrittenArtifacts {
  readonly folder: string;
  readonly task: string;
  readonly files: readonly string[];
  /** What a training step is fed, in order. */
  readonly userInputs: readonly string[];
  readonly trainable: number;
  readonly frozen: number;
  /** Updates done before. */
  readonly step: number;
  /** Sizes that the description leaves open, by their names: those of the training data, the only ones that the models take. Absent where none is open. */
  readonly sizes?: Sizes;
}

/** The unfinished training of a task. */
function unfinished(loaded: LoadedWorkspace, task: string) {
  const shown = `runs/${task}`;
  const found = readNewestCheckpoint(join(loaded.workspace.root, shown), shown)?.checkpoint;
  if (found === undefined) {
    throw new UsageError(`${shown}: no unfinished training to resume`, {
      path: shown,
      got: task,
      remedy: { kind: 'leave-out', option: 'resume' },
    });
  }
  const { step, balance } = stateSchema.parse(found.state);
  return { tensors: found.tensors, step, balance };
}

const dataOf = ({ task }: Column): string => `train data of task "${task}"`;

/** The sizes that a column leaves open, as its training data have them; undefined where none is open. Graphs of training have them as numbers. */
async function openSizes(column: Column, data: () => Promise<SampleSet>): Promise<Sizes | undefined> {
  if (column.inputs.every(({ shape }) => areKnown(shape))) return undefined;
  const { inputs } = await data();
  return sizesOfData(column.inputs, (name) => inputs[name]?.dims, dataOf(column));
}

/** What the column would be trained from: its own first weights, and what its `prepare` and its loss learn of the training data. */
async function begun(
  loaded: LoadedWorkspace,
  described: Column,
  settings: TrainSettings,
  data: () => Promise<SampleSet>,
  runtime: WriteArtifactsOptions['runtime'],
) {
  const weights = initialWeights(described, weightsOf(loaded));
  if (described.prepare.length === 0 && toBalance(described.head) === undefined) return { column: described, weights };
  const part = partition(await data(), settings, dataOf(described)).train;
  if (described.prepare.length > 0)
    for (const [name, tensor] of await learnPrepare(await runtime(), described, part.inputs)) weights.set(name, tensor);
  return { column: withNumbers(described, learnBalance(described, part)), weights };
}

/**
 * A folder that is there already is replaced only where prognet wrote it and nothing in it was changed or added since.
 * Throws UsageError for what the training API cannot do and for earlier columns that are not trained, WorkspaceError for the folder.
 */
export async function writeArtifacts(
  loaded: LoadedWorkspace,
  task: string,
  folder: string,
  options: WriteArtifactsOptions,
): Promise<WrittenArtifacts> {
  const described = loaded.columns.column(task);
  requireSources(loaded, described);
  if (options.resume !== true && isTrained(loaded, task)) throw notFrozen(task);
  refuseOutput(folder);
  const train = { ...described.train, ...(options.resume && storedRun(loaded.workspace.root, task)?.overrides) };
  const settings = trainSettings(train, train.seed ?? described.seed);
  const { optimizer: kind = settings.optimizer.kind } = options;
  const same = kind === settings.optimizer.kind;
  const optimizer = officialOptimizer(same ? settings.optimizer : { kind }, options.adamMode);
  const clip: Clip | undefined = options.clip === undefined ? settings.clip : { kind: 'norm', limit: options.clip };
  const run = options.resume ? unfinished(loaded, task) : undefined;
  let read: Promise<SampleSet> | undefined;
  const data = () => {
    read ??= loadTaskData(loaded, task).then(({ train }) => train);
    return read;
  };
  const own = loaded.frozen.get(task)?.tensors;
  const from = run
    ? { column: withNumbers(described, run.balance), weights: run.tensors }
    : own
      ? { column: described, weights: own }
      : await begun(loaded, described, settings, data, options.runtime);
  const sizes = await openSizes(described, data);
  const request: ArtifactsRequest = {
    weights: from.weights,
    column: boundTo(from.column, sizes ?? {}),
    frozen: weightsOf(loaded),
    frozenForm: options.frozenForm,
    optimizer,
    checkpointVersion: options.checkpointVersion,
    nominal: options.nominal,
    ...(clip && { clip }),
    ...(options.rateScale !== undefined && { rateScale: options.rateScale }),
    ...(run && { resumed: { tensors: run.tensors, step: run.step, rate: settings.rate } }),
  };
  const made = trainingArtifacts(request);
  const files = new Map([
    ['training_model.onnx', toBinary(made.trainingModel)],
    ['eval_model.onnx', toBinary(made.evalModel)],
    ['optimizer_model.onnx', toBinary(made.optimizerModel)],
    ['checkpoint', writeCheckpoint(made.checkpoint)],
  ]);
  writeOutputFolder(folder, files);
  const { trainable, frozen } = made.checkpoint;
  const counts = { trainable: trainable.size, frozen: frozen.size, step: run?.step ?? 0 };
  return { folder, task, files: [...files.keys()], userInputs: made.userInputs, ...counts, ...(sizes && { sizes }) };
}
