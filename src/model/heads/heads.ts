// What follows from the list of heads: the table by name, the schema, and what the rest of the project asks of a head whatever its kind.
import * as z from 'zod';
import { InternalError, must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Init } from '../nn/init.js';
import type { Layer } from '../nn/layers.js';
import {
  type Filled,
  type FilledOf,
  type OptionsOf,
  oneOf,
  real,
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
import { asClasses, columnsOf, type Place, placed, sliceColumns } from './several.js';

type List = typeof list;
type Table = { readonly [F in keyof List as List[F]['definition']['kind']]: List[F]['definition'] };

/** The options of every head as written, by its name. */
export interface Heads extends OptionsOf<Table> {}
/** What `{ name: value }` may have as its value, by the head's name. */
export interface HeadValues extends ValuesOf<Table> {}
/** The options of every head with all defaults filled in, by its name. */
export interface FilledHeads extends FilledOf<Table> {}
/** A head with every option filled in: `{ kind: 'classify', classes, ... }`, `{ kind: 'binary', labels, ... }` or `{ kind: 'regress', outputs, loss, ... }`. */
export type SingleHead = Filled<FilledHeads>;
/** One of several heads. */
export interface NamedHead {
  /** What its targets are called in the data, and its outputs behind the task's name. */
  name: string;
  /** What its loss counts in the sum of the losses. */
  weight: number;
  /** What is predicted. */
  head: SingleHead;
}

/** Several heads over one tap. */
export interface SeveralHeads {
  /** Which head it is. */
  kind: 'several';
  /** In the order in which their scores stand side by side. The first stands for all where one measure of the task is asked for. */
  heads: NamedHead[];
  /** How many scores all of them give together. */
  outputs: number;
  /** How their weights begin. */
  init: Init;
}

export const isSeveral = (head: Head): head is SeveralHeads => head.kind === 'several';

/** The head itself, of several the first: it stands for all where one measure of the task is asked for. */
export const leading = (head: Head): SingleHead => (isSeveral(head) ? must(head.heads[0], 'head').head : head);
/** What a column predicts: a head, or several over the same tap. */
export type Head = SingleHead | SeveralHeads;
/** A head as written: `{ classify: 10 }`, `{ regress: { outputs: 3, loss: 'l1' } }`. */
export type HeadInput = Written<Heads, HeadValues>;
export type HeadKind = keyof Table;
/** The same, or "several". */
export type AnyHeadKind = Head['kind'];

const definitions = Object.values(list).map(({ definition }) => definition);
const headTable: Variants = Object.fromEntries(definitions.map((d) => [d.kind, d]));

// The table is made of the list at run time, so that TypeScript knows its rows by the list's type alone.
export const headSchema = tagged('head', headTable) as z.ZodType<SingleHead, HeadInput>;
/** What the loss of one of several heads counts. */
export const headWeight = real('a positive number', { above: 0 }).describe(
  'What its loss counts in the sum of the losses; 1 when absent.',
);
const { none: _, ...trainable } = headTable;
export const headDefinitions = {
  head: taggedDefinition(headTable),
  ...lossDefinitions,
  /** One of several. */
  weighed_head: taggedDefinition(trainable, 'key', { weight: headWeight.optional() }),
};
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

const ofEach = (): never => {
  throw new InternalError('several heads are asked one by one');
};
byKind.set('several', {
  kind: 'several',
  main: 'outputs',
  targets: { of: 'parts' },
  metric: { name: 'error', better: 'lower', of: ofEach },
  loss: ofEach,
});

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

/** A head in a word, of several each by its name: `group classify, age regress`. */
export const headText = (head: Head): string =>
  isSeveral(head) ? head.heads.map(({ name, head: own }) => `${name} ${own.kind}`).join(', ') : head.kind;

/** How many numbers the targets of a row are. */
export function targetWidth(head: Head): number {
  if (isSeveral(head)) return placesOf(head).at(-1)?.targets.to ?? 0;
  return targetKind(head).of === 'classes' ? 1 : headWidth(head);
}

/** Several heads with the columns of scores and targets that are their own. */
export function placesOf(head: SeveralHeads): readonly (NamedHead & Place)[] {
  return placed(head.heads, ({ head: own }) => ({ scores: headWidth(own), targets: targetWidth(own) }));
}

/** One of several heads with its own scores and targets, as if it were the only one. */
export interface JudgedHead extends NamedHead {
  readonly scores: Tensor;
  readonly targets: Tensor;
}

/** Scores and targets of several heads, head by head. */
export function judgedHeads(head: SeveralHeads, scores: Tensor, targets: Tensor): readonly JudgedHead[] {
  return placesOf(head).map((each) => {
    const own = columnsOf(targets, each.targets);
    const wanted = targetKind(each.head).of === 'classes' ? asClasses(own) : own;
    return { ...each, scores: columnsOf(scores, each.scores), targets: wanted };
  });
}

/** What of a head decides its graph: kind, width and what it answers. */
export function headGraph(head: Head): Readonly<Record<string, unknown>> {
  if (isSeveral(head))
    return { kind: head.kind, heads: head.heads.map((each) => ({ name: each.name, ...headGraph(each.head) })) };
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
 * each counts multiplied in. Of a head of each step the same over the steps that count: [N T] under "none", 0 where one does not. Of several heads
 * the sum of their losses by their weights, under "none" [N, heads] without the weights.
 * @param classes dtype of class targets, where several heads have them side by side with others
 */
export function lowerLoss(
  g: Ops,
  head: Head,
  scores: Value,
  targets: Value,
  reduction: Reduction,
  classes: 'int64' | 'int32' = 'int64',
): Value {
  if (isSeveral(head)) {
    const each = placesOf(head).map((own) => {
      const wanted = sliceColumns(g, targets, own.targets);
      const fitting = targetKind(own.head).of === 'classes' ? g.cast(g.reshape(wanted, [-1]), { to: classes }) : wanted;
      const loss = lowerLoss(g, own.head, sliceColumns(g, scores, own.scores), fitting, reduction);
      if (reduction === 'none') return g.unsqueeze(loss, [1]);
      return own.weight === 1 ? loss : g.mul(loss, own.weight);
    });
    if (reduction === 'none') return each.length === 1 ? must(each[0], 'loss') : g.concat(...each, { axis: 1 });
    return each.reduce((a, b) => g.add(a, b));
  }
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
  if (isSeveral(head))
    return Object.fromEntries(head.heads.map(({ name, weight, head: own }) => [name, { weight, ...headLoss(own) }]));
  const { main } = definitionOf(head);
  const others = ['kind', 'names', 'init', 'each', main];
  return Object.fromEntries(Object.entries(head).filter(([option]) => !others.includes(option)));
}

/** The head whose loss is this one, as `headLoss` gave it. Throws ZodError where it is none. */
export function withLoss(head: Head, loss: Readonly<Record<string, unknown>>): Head {
  return isSeveral(head) ? withLosses(head, loss) : withOwnLoss(head, loss);
}

function withLosses(several: SeveralHeads, losses: Readonly<Record<string, unknown>>): SeveralHeads {
  const heads = several.heads.map(({ name, head }) => {
    const { weight, ...loss } = z.looseObject({ weight: headWeight }).parse(losses[name]);
    return { name, weight, head: withOwnLoss(head, loss) };
  });
  return { ...several, heads };
}

function withOwnLoss(head: SingleHead, loss: Readonly<Record<string, unknown>>): SingleHead {
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
export function isJudged(head: { readonly kind: AnyHeadKind }): boolean {
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
  return targetType(definitionOf(head).targets, targetWidth(head), rows, classes, eachOf(head));
}

/** What a head is trained on. */
export function targetKind(head: { readonly kind: AnyHeadKind }): TargetKind {
  return definitionOf(head).targets;
}

export function metricName(head: Head): 'accuracy' | 'error' {
  return definitionOf(leading(head)).metric.name;
}

/** True where a larger metric is a better one. */
export function metricRises(head: Head): boolean {
  return definitionOf(leading(head)).metric.better === 'higher';
}

/** "step" of a head that answers each step of a sequence, undefined of one that answers samples. */
export function eachOf(head: Head): 'step' | undefined {
  return 'each' in head ? head.each : undefined;
}

/** Scores and targets as rows of which each counts: samples, or of a head of each step the steps whose target is there. */
export function judgedRows(head: Head, scores: Tensor, targets: Tensor): JudgedRows {
  if (eachOf(head) === undefined) return { scores, targets };
  return countedSteps(definitionOf(head).targets, headWidth(head), scores, targets);
}

/** What the metric is the mean of, for the sample of one row of scores [N, width] and targets. */
export function sampleMetric(head: Head, scores: Float32Array, targets: ArrayLike<number | bigint>, row: number): number {
  const first = leading(head);
  const [width, each] = [headWidth(head), targetWidth(head)];
  if (scores.length < (row + 1) * width) throw new InternalError('scores are too short');
  const own = Array.from({ length: targetWidth(first) }, (_, j) => Number(targets[row * each + j]));
  const from = row * width;
  return definitionOf(first).metric.of(first, scores.subarray(from, from + headWidth(first)), own);
}

/** What a sample counts in the mean of the losses, by its class. */
export function sampleWeight(head: Head, target: number | bigint | undefined): number {
  return definitionOf(head).weight?.(head, Number(target)) ?? 1;
}
