// Writes tasks as an ONNX file, weights inside or in a file beside it.
import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isCard, modelCard } from '../deploy/card.js';
import type { Router } from '../model/progressive/auto.js';
import { type LoraForm, modelWith } from '../model/progressive/forms.js';
import { modelFacts } from '../model/progressive/model-facts.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { readWhole } from '../onnx/files/read-file.js';
import type { Model } from '../onnx/ir/model.js';
import { saveModel } from '../onnx/serde/save-model.js';
import { isDevice, refuseDevice } from '../workspace/output-path.js';
import { factsOf } from './facts-of.js';
import { frozenOf, frozenTasks, type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { refuseModelOutput } from './model-output.js';
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
  /** Adds which of several tasks a sample is likely of, or none of them above a doubt of `none`. */
  readonly auto?: boolean | { readonly none: number };
  /** Lateral sums and what reads one input as single products: same numbers up to rounding, weights of other names. */
  readonly fused?: boolean;
  /** How low-rank updates of tuned columns stand in it: added to their weights when absent. */
  readonly lora?: LoraForm;
  /** Of ai.onnx; 17 when absent. */
  readonly opset?: number;
  /** Weights in a file beside the model. */
  readonly externalData?: boolean;
  /** A page of Markdown beside the model that says what it answers, how well, and how it is run: `<model>.md`. */
  readonly card?: boolean;
}

export interface Exported {
  /** The file. */
  readonly file: string;
  /** Whether its weights stand in a file beside it. */
  readonly externalData: boolean;
  /** Where the weights are that are not in the file. */
  readonly dataFile?: string;
  /** Its card, where one was asked for. */
  readonly card?: string;
  /** The tasks that it answers. */
  readonly tasks: readonly string[];
  /** Its ai.onnx opset. */
  readonly opset: number;
}

/** The model of frozen tasks, float32; a router says under `auto` which task a sample is of. Throws UsageError for tasks that are unknown or not trained. */
export function exportedModel(loaded: LoadedWorkspace, options: ExportOptions, router?: Router): Model {
  const {
    tasks,
    probabilities = false,
    labelNames = false,
    categoryIndices = false,
    preparedInput = false,
    routed = false,
    fused = false,
    auto = false,
    lora,
    opset,
  } = options;
  for (const task of tasks) frozenOf(loaded, task);
  const hashes = Object.fromEntries(frozenTasks(loaded).map((t) => [t, frozenOf(loaded, t).record.sha256.weights]));
  const form = {
    tasks,
    hashes,
    facts: factsOf(loaded),
    probabilities,
    labelNames,
    categoryIndices,
    preparedInput,
    routed,
    fused,
    auto,
    ...(lora === undefined ? {} : { lora }),
    ...(opset === undefined ? {} : { opset }),
  };
  return modelWith(loaded.columns, weightsOf(loaded), form, router);
}

/** Throws WorkspaceError where the file cannot be written. */
export function writeModel(loaded: LoadedWorkspace, model: Model, file: string, options: ExportOptions): Exported {
  const { tasks, externalData = false } = options;
  const card = options.card === true ? cardFile(file) : undefined;
  refuseModelOutput(file, namedFiles(loaded));
  if (externalData) refuseDevice(file);
  const dataFile = saveModel(model, file, { externalData });
  if (card !== undefined) {
    const data = dataFile === undefined ? [] : [basename(dataFile)];
    const text = modelCard(model, must(modelFacts(model), 'what the model says'), basename(file), data);
    writeFileAtomic(card, new TextEncoder().encode(text));
  }
  return {
    file,
    externalData,
    ...(dataFile !== undefined && { dataFile }),
    ...(card !== undefined && { card }),
    tasks,
    opset: model.opset,
  };
}

/** Throws UsageError for tasks that are unknown or not trained, WorkspaceError where the file cannot be written. */
export function exportTasks(loaded: LoadedWorkspace, file: string, options: ExportOptions): Exported {
  return writeModel(loaded, exportedModel(loaded, options), file, options);
}

/** Where the card of a model stands. Throws UsageError where something else stands there. */
function cardFile(file: string): string {
  if (isDevice(file)) throw new UsageError(`${file}: is no regular file, beside which a card could stand`, { path: file });
  const card = `${file.replace(/\.onnx$/i, '')}.md`;
  if (!existsSync(card)) return card;
  if (statSync(card).isFile() && isCard(new TextDecoder().decode(readWhole(card)))) return card;
  throw new UsageError(`${card}: is there and is no card of a model, expected nothing, or a card that is written anew`, {
    path: card,
  });
}
