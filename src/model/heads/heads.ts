// What follows from the list of heads: the table by name, the schema, and what the rest of the project asks of a head whatever its kind.
import type * as z from 'zod';
import { InternalError, must, UsageError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Layer } from '../nn/layers.js';
import {
  type Filled,
  type FilledOf,
  type OptionsOf,
  oneOf,
  tagged,
  taggedDefinition,
  type ValuesOf,
  type Variants,
  type Written,
} from '../nn/schema.js';
import { countedSteps, isCounted, type JudgedRows, stepRows } from './each-step.js';
import {
  type AnswerKind,
  type Answers,
  type AnyHead,
  type Balance,
  type Metric,
  type Reduction,
  type TargetKind,
  targetType,
} from './head.js';
import * as list from './index.js';
import { lossDefinitions } from './losses.js';

type List = typeof list;
type Table = { readonly [F in keyof List as List[F]['definition']['kind']]: List[F]['definition'] };

/** The options of every head as written, by its name. */
export interface Heads extends OptionsOf<Table> {}
/** What `{ name: value }` may have as its value, by the head's name. */
export interface HeadValues extends ValuesOf<Table> {}
/** The options of every head with all defaults filled in, by its name. */
export interface FilledHeads extends FilledOf<Table> {}
/** A head with every option filled in: `{ kind: 'classify', classes, ... }`, `{ kind: 'binary', labels, ... }` or `{ kind: 'regress', outputs, loss, ... }`. */
export type Head = Filled<FilledHeads>;
/** A head as written: `{ classify: 10 }`, `{ regress: { outputs: 3, loss: 'l1' } }`. */
export type HeadInput = Written<Heads, HeadValues>;
export type HeadKind = keyof Table;

const definitions = Object.values(list).map(({ definition }) => definition);
const headTable: Variants = Object.fromEntries(definitions.map((d) => [d.kind, d]));

// The table is made of the list at run time, so that TypeScript knows its rows by the list's type alone.
export const headSchema = tagged('head', headTable) as z.ZodType<Head, HeadInput>;
export const headDefinitions = { head: taggedDefinition(headTable), ...lossDefinitions };
/** The name of a head. */
export const headKind = oneOf(definitions.map(({ kind }) => kind));

interface AnyDefinition {
  readonly kind: string;
  readonly main: string;
  readonly targets: TargetKind;
  readonly metric: Metric<AnyHead>;
  readonly judged?: false;
  readonly answers?: Answers;
  loss(g: Ops, o: AnyHead, scores: Value, targets: Value, reduction: Reduction, counted?: Value): Value;
  readonly balance?: Balance<AnyHead>;
  sharesTarget?(o: AnyHead): boolean;
  weight?(o: AnyHead, target: number): number;
  names?(o: AnyHead): readonly string[] | undefined;
}
const byKind = new Map<string, AnyDefinition>(definitions.map((d) => [d.kind, d]));

function definitionOf({ kind }: { readonly kind: string }): AnyDefinition {
  const found = byKind.get(kind);
  if (found === undefined) throw new InternalError(`no head is called ${kind}`);
  return found;
}

/** How many scores a head gives. */
export function headWidth(head: Head): number {
  return Number(Reflect.get(head, definitionOf(head).main));
}

/**
 * A head of a kind for scores of this shape, without the batch, all else at its defaults: [width], or [T, width] of each step. Undefined where no head
 * judges such scores.
 */
export function headOfScores(kind: HeadKind, shape: readonly (number | string)[]): HeadInput | undefined {
  const width = shape.at(-1);
  if (typeof width !== 'number' || width === 0 || shape.length > 2) return undefined;
  // TypeScript gives a computed key the type string.
  return (
    shape.length === 1 ? { [kind]: width } : { [kind]: { [definitionOf({ kind }).main]: width, each: 'step' } }
  ) as HeadInput;
}

/** Where an option stands in a head as written, from the head on, and the head written so that it may stand there; undefined for no option of it. */
export function optionOf(
  written: unknown,
  option: string,
): { readonly path: readonly string[]; readonly head: unknown } | undefined {
  if (typeof written !== 'object' || written === null) return undefined;
  const flat: unknown = Reflect.get(written, 'kind');
  const [kind = ''] = typeof flat === 'string' ? [flat] : Object.keys(written);
  const definition = definitions.find((d) => d.kind === kind);
  if (definition === undefined || !Object.hasOwn(definition.options.shape, option)) return undefined;
  if (typeof flat === 'string') return { path: [option], head: written };
  const given: unknown = Reflect.get(written, kind);
  const head = typeof given === 'object' ? written : { [kind]: { [definition.main]: given } };
  return { path: [kind, option], head };
}

/** What of a head decides its graph: kind, width and what it answers. */
export function headGraph(head: Head): Readonly<Record<string, unknown>> {
  return { kind: head.kind, [definitionOf(head).main]: headWidth(head), each: eachOf(head) };
}

/** The layer of a head that gives its scores. */
export const headDense = (head: Head) => {
  const each = eachOf(head);
  return { kind: 'dense', units: headWidth(head), bias: true, ...(each && { each }), init: head.init } as const;
};

/** The block that a head is. */
export const headLayers = (head: Head): Layer[] => (eachOf(head) ? [headDense(head)] : [{ kind: 'flatten' }, headDense(head)]);

/**
 * Loss of scores [N, width] against targets of the head's type. "mean": a scalar, over the sum of what the samples count; "none": [N], what
 * each counts multiplied in. Of a head of each step the same over the steps that count: [N T] under "none", 0 where one does not.
 */
export function lowerLoss(g: Ops, head: Head, scores: Value, targets: Value, reduction: Reduction): Value {
  const { loss, targets: kind } = definitionOf(head);
  if (eachOf(head) === undefined) return loss(g, head, scores, targets, reduction);
  const rows = stepRows(g, kind, headWidth(head), scores, targets);
  return loss(g, head, rows.scores, rows.targets, reduction, rows.counted);
}

/** The option of the loss that is to be learned of the training data, `class_weights` or `pos_weight`; undefined where none is. */
export function toBalance(head: Head): string | undefined {
  const option = definitionOf(head).balance?.option;
  return option !== undefined && Reflect.get(head, option) === 'balanced' ? option : undefined;
}

/** The option by which a head could weigh its outputs, where it weighs all alike now. */
export function weighableBy(head: Head): string | undefined {
  const option = definitionOf(head).balance?.option;
  return option !== undefined && Reflect.get(head, option) === undefined ? option : undefined;
}

/**
 * The numbers in place of "balanced", of the targets of the training part. Throws DataError where they have no such numbers.
 * @param data names the data in errors
 * @param known names of the outputs, where the head has none
 */
export function balanceOf(head: Head, targets: ArrayLike<number | bigint>, data: string, known?: readonly string[]): number[] {
  const names = outputLabels(head) ?? known;
  const output = (i: number) => (names?.[i] === undefined ? String(i) : JSON.stringify(names[i]));
  const { balance, targets: kind } = definitionOf(head);
  const counted = eachOf(head) === undefined ? targets : Array.from(targets).filter((target) => isCounted(kind, target));
  return must(balance, 'balance').of(head, counted, { data, output, one: eachOf(head) ?? 'row' });
}

/** The head with these numbers in place of "balanced". */
export function withBalance(head: Head, numbers: readonly number[]): Head {
  return { ...head, [must(toBalance(head), 'balanced')]: [...numbers] };
}

/** Whether all outputs of a head are trained on one number of each row, where the data have one alone. */
export function sharesTarget(head: Head): boolean {
  return definitionOf(head).sharesTarget?.(head) === true;
}

/** What of a head decides its loss alone: all but its kind, its width, what it answers, its names and how its weights begin. */
export function headLoss(head: Head): Readonly<Record<string, unknown>> {
  const { main } = definitionOf(head);
  const others = ['kind', 'names', 'init', 'each', main];
  return Object.fromEntries(Object.entries(head).filter(([option]) => !others.includes(option)));
}

/** The head whose loss is this one, as `headLoss` gave it. Throws ZodError where it is none. */
export function withLoss(head: Head, loss: Readonly<Record<string, unknown>>): Head {
  const { kind, init } = head;
  const [names, each] = [outputLabels(head), eachOf(head)];
  const own = { ...(names && { names }), ...(each && { each }) };
  return headSchema.parse({ ...loss, kind, [definitionOf(head).main]: headWidth(head), ...own, init });
}

/** What a head answers beside its scores; undefined: the scores are the answer. */
export function answersOf(head: Head): Answers | undefined {
  return definitionOf(head).answers;
}

/** A head that answers so, for a model that came without a description: its outputs alone are known. */
export function headAnswering(each: AnswerKind | undefined): HeadKind {
  // Scores alone may be any numbers: a head whose targets have bounds is not to be guessed.
  const found = definitions.find(
    ({ answers, targets, judged }: AnyDefinition) =>
      judged !== false &&
      answers?.each === each &&
      (each !== undefined || (targets.of === 'numbers' && targets.from === undefined)),
  );
  if (found === undefined) throw new InternalError(`no head answers with ${each ?? 'scores alone'}`);
  return found.kind;
}

/** Whether data say what is right: else there is no loss, no metric and nothing to train. */
export function isJudged(head: { readonly kind: HeadKind }): boolean {
  return definitionOf(head).judged !== false;
}

/** The head of a column whose values nothing judges. */
export const unjudged = (): Head => headSchema.parse('none');

/** What a head's outputs are called, if they have names. */
export function outputLabels(head: Head): readonly string[] | undefined {
  return definitionOf(head).names?.(head);
}

/** The head whose outputs are called so. */
export function withNames(head: Head, names: readonly string[]): Head {
  return Object.assign({}, head, { names: [...names] });
}

/** Targets of a head as an input of a graph. */
export function targetsOf(head: Head, rows: string | number, classes?: 'int64' | 'int32') {
  return targetType(definitionOf(head).targets, headWidth(head), rows, classes, eachOf(head));
}

/** What a head is trained on. */
export function targetKind(head: { readonly kind: HeadKind }): TargetKind {
  return definitionOf(head).targets;
}

export function metricName(head: Head): 'accuracy' | 'error' {
  return definitionOf(head).metric.name;
}

/** True where a larger metric is a better one. */
export function metricRises(head: Head): boolean {
  return definitionOf(head).metric.better === 'higher';
}

/** "step" of a head that answers each step of a sequence, undefined of one that answers samples. */
export function eachOf(head: Head): 'step' | undefined {
  return 'each' in head ? head.each : undefined;
}

/** Whether scores of this shape, without the batch, are a head's: [width], of each step [T, width]. */
export const takesScores = (head: Head, shape: readonly (number | string)[]): boolean =>
  shape.length === (eachOf(head) === undefined ? 1 : 2) && shape.at(-1) === headWidth(head);

/** What is wrong where they are none. */
export const scoresExpected = (head: Head, shape: readonly (number | string)[]): string =>
  `its head is ${headWidth(head)} wide${eachOf(head) === undefined ? '' : ' at each step'}, its imported scores are [N,${shape}]`;

/** Throws UsageError for a head of each step, where samples alone are answered. @param what takes no steps */
export function refuseSteps(head: Head, task: string, what: string): void {
  if (eachOf(head) === undefined) return;
  const expected = 'a head that answers samples';
  throw new UsageError(`${what}: task "${task}" answers each step of a sequence, expected ${expected}`, { expected, got: task });
}

/** Scores and targets as rows of which each counts: samples, or of a head of each step the steps whose target is there. */
export function judgedRows(head: Head, scores: Tensor, targets: Tensor): JudgedRows {
  if (eachOf(head) === undefined) return { scores, targets };
  return countedSteps(definitionOf(head).targets, headWidth(head), scores, targets);
}

/** What the metric is the mean of, for the sample of one row of scores [N, width] and targets. */
export function sampleMetric(head: Head, scores: Float32Array, targets: ArrayLike<number | bigint>, row: number): number {
  const { metric, targets: kind } = definitionOf(head);
  const width = headWidth(head);
  if (scores.length < (row + 1) * width) throw new InternalError('scores are too short');
  const each = kind.of === 'classes' ? 1 : width;
  const own = Array.from({ length: each }, (_, j) => Number(targets[row * each + j]));
  return metric.of(head, scores.subarray(row * width, (row + 1) * width), own);
}

/** What a sample counts in the mean of the losses, by its class. */
export function sampleWeight(head: Head, target: number | bigint | undefined): number {
  return definitionOf(head).weight?.(head, Number(target)) ?? 1;
}
