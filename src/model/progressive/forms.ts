// Graphs for use, weights included: the model of one task, of all tasks in one graph with shared work done once, or of one task of several
// chosen at the run (routed). A model holds only what its tasks need: their columns, and of earlier columns the blocks that laterals reach.

import { jsonOrNothing } from '../../formats/json-or-nothing.js';
import { UsageError } from '../../onnx/core/errors.js';
import { given, names } from '../../onnx/core/given.js';
import { version } from '../../onnx/core/version.js';
import type { Model } from '../../onnx/ir/model.js';
import { ops } from '../../onnx/ops/ops.js';
import { fuse } from '../../onnx/passes/fuse/fuse.js';
import { optimise } from '../../onnx/passes/optimise.js';
import { removeUnused } from '../../onnx/passes/remove-unused.js';
import { isJudged, outputLabels } from '../heads/heads.js';
import { classesKey } from '../heads/output-names.js';
import { type Answer, answering, answersFor, finished, refuseNameless, routedOutputs, separateOutputs } from './answers.js';
import { addAuto, autoTasks, leastDoubt, type Router } from './auto.js';
import { categoryDomain } from './categories.js';
import { type Column, type Columns, inputsOf, someColumns } from './column.js';
import { type FactsByTask, factsAsMetadata } from './facts.js';
import { withDomains } from './imported-versions.js';
import { addInputs, keptInputs, tokenizerInMetadata } from './inputs.js';
import { NetworkLowering } from './lowering.js';
import { addPreparedInput, stepsLeftOut } from './prepared-input.js';
import { type FrozenWeights, frozenScope, weightsByTask } from './weights.js';

/** Every form that a model can have, as `prognet.form` in its metadata says. */
export const forms = ['task', 'all', 'routed'] as const;
export type Form = (typeof forms)[number];
/** How low-rank updates stand in a model. */
export const loraForms = ['merged', 'apart'] as const;
export type LoraForm = (typeof loraForms)[number];

/** The key of a model's metadata that says what its inputs are where they are several or have features: a JSON list of name, dtype, shape and features. */
const inputKey = 'prognet.input';
/** The key under which a model says the steps that its input must have had. */
export const preparedKey = 'prognet.prepared';

/** The key that says which tasks `auto_task` counts, in their order. */
export const autoKey = 'prognet.auto';
/** How the task of a sample is found, where it is not by the least doubt. */
const routerKey = 'prognet.auto.router';
/** The key that says how texts become the ids that a model takes, as JSON: it cannot stand in a graph. */
export const tokenizerKey = 'prognet.tokenizer';
/** What of a column decides its graph, as JSON, of each column that a model holds. */
export const columnKey = (task: string): string => `prognet.column.${task}`;

/** What a model's metadata say of its inputs; undefined where they have no features. */
export function inputsInMetadata(metadata: ReadonlyMap<string, string>): readonly unknown[] | undefined {
  const found = jsonOrNothing(metadata.get(inputKey));
  return Array.isArray(found) ? found : undefined;
}

/** The form of an exported graph. */
export interface FormOptions {
  /** Tasks whose outputs the model has, in the order of the columns. */
  readonly tasks: readonly string[];
  /** Adds `<task>_probabilities` and `<task>_label`; of several heads `<task>_<head>_probabilities` and so on. */
  readonly probabilities?: boolean;
  /** Adds of columns with several heads the raw scores of all of them side by side, under the task's name. Not in a routed model, which takes no such column. */
  readonly joined?: boolean;
  /** Adds `<task>_label_name`, string [N]: what the class is called, of tasks that classify and whose classes have names. */
  readonly labelNames?: boolean;
  /**
   * Takes categories as the indices of their texts among the numbers, float32 [N, features], -1 for none: for runtimes that take no texts, as in
   * browsers.
   */
  readonly categoryIndices?: boolean;
  /** Without the steps of `prepare`: the input is what they give, float32. */
  readonly preparedInput?: boolean;
  /** Adds `<task>_tap`, [N, ...]: the output of the column's last block, which its head reads. Not in a routed model. */
  readonly lastTap?: boolean;
  /**
   * One graph that computes one of the tasks: the int64 input `task_id`, [1], counts them from 0 in the order of `tasks` in the metadata;
   * outputs `scores` and, on request, `probabilities`, `label` and `label_name`, of several heads, the same in all tasks, `<head>_scores` and so on. An id out of range or several ids make the run fail.
   */
  readonly routed?: boolean;
  /**
   * Adds to the model of several tasks which of them a sample is likely of: the outputs `auto_task`, int64 [N], which counts the tasks of `prognet.auto`
   * in the metadata, `auto_label`, int64 [N], where all of them name classes, and `auto_doubt`, float32 [N], 0 to 1. Above a doubt of `none` both are -1.
   */
  readonly auto?: boolean | { readonly none: number };
  /** Fewer and larger products (onnx/passes/fuse/fuse.ts): same numbers up to rounding, weights of other names. */
  readonly fused?: boolean;
  /**
   * Of columns with low-rank updates: `merged` (the default), one weight each, or `apart`, the base's weights and the updates beside them, which several
   * tasks share.
   */
  readonly lora?: LoraForm;
  /** 17 (the default) to 25; with imported columns the highest of theirs (the default) to 25. */
  readonly opset?: number;
  /** sha256 of each column's weights by task, written into the metadata. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** What is known of each column beside its weights, by task; written into the metadata of a model that answers the task. */
  readonly facts?: FactsByTask;
}

/** Opsets that the emitted ops are valid at without change. */
export const opsetRange = { min: 17, max: 25 } as const;

/**
 * float32 [N, ...] to raw scores [N, k] under each task's name (routed: of the task asked for), of several heads each under `<task>_<head>`. Of `weights` only the columns that are reached
 * are read. Throws UsageError for an unknown task or opset.
 */
export function taskModel(network: Columns, weights: FrozenWeights, options: FormOptions): Model {
  return modelWith(network, weights, options, undefined);
}

/** The same, in which a router says under `auto` which task a sample is of. */
export function modelWith(network: Columns, weights: FrozenWeights, options: FormOptions, router: Router | undefined): Model {
  given('taskModel', { network, weights, options }, { network: someColumns, weights: weightsByTask, 'options.tasks': names });
  const least = network.opset;
  const { opset = least } = options;
  const expected = `${least} to ${opsetRange.max}`;
  if (!Number.isInteger(opset) || opset < least || opset > opsetRange.max) {
    throw new UsageError(`opset ${opset} cannot be emitted, expected ${expected}`, {
      expected,
      got: String(opset),
    });
  }
  const asked = new Set(options.tasks.map((task) => network.column(task)));
  const columns = [...network].filter((column) => asked.has(column));
  const inputs = inputsOf(network, columns);
  const g = ops({ opset, name: network.description.name });
  const reached = new Set<Column>();
  const apart = options.routed === true ? columns.find(({ head }) => !isJudged(head)) : undefined;
  if (apart !== undefined)
    throw new UsageError(`routed: task "${apart.task}" has no head, expected tasks that answer alike, or another form`, {
      got: apart.task,
    });
  const none = typeof options.auto === 'object' ? options.auto.none : undefined;
  const auto = options.auto === undefined || options.auto === false ? undefined : autoCandidates(network, columns, router);
  if (auto !== undefined && options.routed === true)
    throw new UsageError('auto: a routed model is told the task, expected the model of all tasks');
  const prepared = options.preparedInput === true;
  if (options.lastTap === true && options.routed === true)
    throw new UsageError('last tap: a routed model has one set of outputs for all tasks, expected another form');
  if (prepared && options.categoryIndices === true)
    throw new UsageError('prepared input: category indices are of the input before it is prepared, expected one of both', {
      expected: 'one of both',
    });
  const lowering = new NetworkLowering<Column>({
    inputs: prepared
      ? addPreparedInput(g, inputs, columns, weights)
      : addInputs(g, options.categoryIndices === true ? keptInputs(inputs) : inputs),
    prepared,
    scope: (column) => {
      const { task } = column;
      const own = weights.get(task);
      if (own === undefined) throw notTrained(task);
      reached.add(column);
      return frozenScope(g, own);
    },
    merged: ({ task, tuned }, weight) => {
      const own = weights.get(task);
      const base = tuned && weights.get(tuned.base.task);
      const merged = options.lora === 'apart' || !own || !base ? undefined : tuned.tuning.merged(weight, base, own);
      return merged && g.initializer(tuned?.tuning.ownName(weight.name) ?? weight.name, merged);
    },
  });
  const answers = columns.flatMap((column) => answersFor(g, lowering, column, options));
  if (options.lora !== undefined && ![...reached].some(({ tuned }) => tuned?.tuning.lowRank === true))
    throw new UsageError(`low-rank updates ${options.lora}: the model holds no column with "lora"`, { got: options.lora });
  if (options.labelNames === true) refuseNameless(answers);
  // What stands apart keeps its name, though it could be computed further.
  const kept = options.lora === 'apart' ? { parameters: new Set(g.graph.initializers) } : {};
  const passes = () => (options.fused === true ? fuse : optimise)(g.graph, { opset, ...kept });
  const routed = (own: readonly Answer[]) => routedOutputs(g, own, options.probabilities === true, options.labelNames === true);
  if (options.routed === true && lowering.importsAny) {
    routed(finished(g.graph, answers, () => lowering.finish(g.graph, passes)));
    removeUnused(g.graph);
  } else {
    if (options.routed === true) routed(answers);
    else separateOutputs(g, answers);
    if (auto !== undefined) {
      const candidates = auto.map((column) => ({ task: column.task, head: column.head, scores: lowering.scores(column) }));
      const ref = router && { column: network.column(router.features.task), block: router.features.block };
      addAuto(g, candidates, ref ? router.route(g, ref, lowering.tap(ref)) : leastDoubt(g, candidates), none);
    }
    lowering.finish(g.graph, passes);
  }
  const model = withDomains(g.model(), network);
  if (model.opsets.has(categoryDomain.name)) model.opsets.set(categoryDomain.name, categoryDomain.version);
  model.producerVersion = version;
  const form: Form = options.routed === true ? 'routed' : columns.length === 1 ? 'task' : 'all';
  const metadata: Record<string, string> = {
    'prognet.version': version,
    'prognet.form': form,
    ...(options.fused === true && { 'prognet.fused': 'true' }),
    'prognet.tasks': columns.map(({ task }) => task).join(','),
  };
  if (auto !== undefined) metadata[autoKey] = auto.map(({ task }) => task).join(',');
  if (router !== undefined) metadata[routerKey] = router.kind;
  if (prepared) metadata[preparedKey] = JSON.stringify(stepsLeftOut(inputs, columns));
  else if (inputs.length > 1 || inputs.some(({ features }) => features !== undefined))
    metadata[inputKey] = JSON.stringify(inputs);
  const tokenizer = tokenizerInMetadata(inputs);
  if (tokenizer !== undefined) metadata[tokenizerKey] = JSON.stringify(tokenizer);
  for (const column of network) {
    if (!reached.has(column)) continue;
    const { task } = column;
    metadata[columnKey(task)] = column.canonical;
    for (const { begin, head } of answering(task, column.head)) {
      const names = outputLabels(head);
      if (names !== undefined && asked.has(column)) metadata[classesKey(begin)] = JSON.stringify(names);
    }
    const hash = options.hashes?.[task];
    if (hash !== undefined) metadata[`prognet.sha256.${task}`] = hash;
    const facts = options.facts?.get(task);
    if (facts !== undefined && asked.has(column)) Object.assign(metadata, factsAsMetadata(task, facts));
  }
  model.metadata = new Map(Object.entries(metadata));
  return model;
}

/** The columns of the tasks that a sample may be of. A router has its own, in its order. Throws UsageError. */
function autoCandidates(network: Columns, columns: readonly Column[], router: Router | undefined): readonly Column[] {
  const found = autoTasks(columns, router !== undefined);
  if (router === undefined) return found;
  const { features, tasks } = router;
  const missing = [features.task, ...tasks].find((task) => !columns.some((column) => column.task === task));
  if (missing !== undefined)
    throw new UsageError(`auto: the router stands on the task "${missing}", expected it among the tasks of the model`, {
      got: missing,
    });
  return tasks.map((task) => network.column(task));
}

/** Of these tasks those that a routed model answers: a backbone has no head, it is read by the others. Where none has one, all, which `taskModel` refuses. */
export function routable(network: Columns, tasks: readonly string[]): readonly string[] {
  const answering = tasks.filter((task) => isJudged(network.column(task).head));
  return answering.length > 0 ? answering : tasks;
}

/** Its weights are asked for and are not there. */
export function notTrained(task: string): UsageError {
  return new UsageError(`task "${task}" is not trained yet`, { got: task, remedy: { kind: 'train', task } });
}

/** Its column must be frozen and is only trained. */
export function notFrozen(task: string): UsageError {
  return new UsageError(`task "${task}" is trained, not frozen`, { got: task, remedy: { kind: 'freeze', task } });
}

/** No task has weights, though some are asked for. */
export function nothingTrained(): UsageError {
  return new UsageError('no task is trained yet', { remedy: { kind: 'train' } });
}
