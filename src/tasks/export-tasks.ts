// Writes tasks as an ONNX file, weights inside or in a file beside it.
import { existsSync, statSync } from 'node:fs';
import { taskModel } from '../model/progressive/forms.js';
import { UsageError } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import { saveModel } from '../onnx/serde/save-model.js';
import { refuseOutput } from '../workspace/output-path.js';
import { factsOf } from './facts-of.js';
import { frozenOf, frozenTasks, type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { namedFiles } from './task-data.js';

/** Which tasks are exported, and in what form. */
export interface ExportOptions {
  /** Which tasks; every trained one when absent. */
  readonly tasks: readonly string[];
  /** Adds probabilities beside the scores. */
  readonly probabilities?: boolean;
  /** Adds the names of labels, as texts. */
  readonly labelNames?: boolean;
  /** Categories as indices among the numbers, for runtimes that take no texts. */
  readonly categoryIndices?: boolean;
  /** Without the steps of `prepare`: the input is what they give. */
  readonly preparedInput?: boolean;
  /** One graph that computes the task that its input `task_id` names. */
  readonly routed?: boolean;
  /** Lateral sums and what reads one input as single products: same numbers up to rounding, weights of other names. */
  readonly fused?: boolean;
  /** Of ai.onnx; 17 when absent. */
  readonly opset?: number;
  /** Weights in a file beside the model. */
  readonly externalData?: boolean;
}

export interface Exported {
  /** The file. */
  readonly file: string;
  /** Whether its weights stand in a file beside it. */
  readonly externalData: boolean;
  /** Where the weights are that are not in the file. */
  readonly dataFile?: string;
  /** The tasks that it answers. */
  readonly tasks: readonly string[];
  /** Its ai.onnx opset. */
  readonly opset: number;
}

/** The model of frozen tasks, float32. Throws UsageError for tasks that are unknown or not trained. */
export function exportedModel(loaded: LoadedWorkspace, options: ExportOptions): Model {
  const {
    tasks,
    probabilities = false,
    labelNames = false,
    categoryIndices = false,
    preparedInput = false,
    routed = false,
    fused = false,
    opset,
  } = options;
  for (const task of tasks) frozenOf(loaded, task);
  const hashes = Object.fromEntries(frozenTasks(loaded).map((t) => [t, frozenOf(loaded, t).record.sha256.weights]));
  return taskModel(loaded.columns, weightsOf(loaded), {
    tasks,
    hashes,
    facts: factsOf(loaded),
    probabilities,
    labelNames,
    categoryIndices,
    preparedInput,
    routed,
    fused,
    ...(opset === undefined ? {} : { opset }),
  });
}

/** Throws WorkspaceError where the file cannot be written. */
export function writeModel(loaded: LoadedWorkspace, model: Model, file: string, options: ExportOptions): Exported {
  const { tasks, externalData = false } = options;
  refuseOutput(file, namedFiles(loaded));
  // A device (/dev/stdout) takes one file.
  if (externalData && isDevice(file))
    throw new UsageError(`${file}: is no regular file, which external data need`, { path: file, expected: 'a file' });
  const dataFile = saveModel(model, file, { externalData });
  return { file, externalData, ...(dataFile !== undefined && { dataFile }), tasks, opset: model.opset };
}

/** Throws UsageError for tasks that are unknown or not trained, WorkspaceError where the file cannot be written. */
export function exportTasks(loaded: LoadedWorkspace, file: string, options: ExportOptions): Exported {
  return writeModel(loaded, exportedModel(loaded, options), file, options);
}

function isDevice(file: string): boolean {
  return existsSync(file) && !statSync(file).isFile() && !statSync(file).isDirectory();
}
