// What a head is: its options, the targets it takes, its loss, its metric, its answers. Every head is a dense layer with a bias over the flat tap
// of the last block, whose raw scores [N, width] are the task's output, or over each step of it: [N, T, width]. One file holds one head; index.ts lists them.
import type * as z from 'zod';
import type { DType } from '../../onnx/core/dtype.js';
import type { Value } from '../../onnx/ir/graph.js';
import { reduceMean, reduceSum } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Init } from '../nn/init.js';
import { type KindFunction, kindFunction } from '../nn/kind-function.js';
import { type Variant, variant } from '../nn/schema.js';

/** A head of any kind, its options filled in. */
export interface AnyHead {
  readonly kind: string;
  readonly init: Init;
  readonly each?: 'step' | undefined;
}

/** "mean": a scalar over the minibatch; "none": a loss for each sample, [N]. */
export type Reduction = 'mean' | 'none';

/**
 * What a head is trained on: a class of each sample (int64 [N], some graphs take int32), or `width` numbers of each (float32 [N, width]) within
 * bounds, if any. Heads of each step have those of each: [N, T], [N, T, width]. Several heads have those of each side by side, float32, a class as its number.
 */
export type TargetKind =
  | { readonly of: 'classes' }
  | { readonly of: 'numbers'; readonly from?: number; readonly to?: number }
  | { readonly of: 'parts' };

export interface Metric<O> {
  /** As it is printed and recorded. */
  readonly name: 'accuracy' | 'error';
  readonly better: 'higher' | 'lower';
  /** What the metric is the mean of: of one sample, by its scores and its targets (one target where they are classes). */
  of(o: O, scores: ArrayLike<number>, targets: ArrayLike<number>): number;
}

/** What a head's labels are: a class of each row, or a flag for each label. */
export type AnswerKind = 'class' | 'flags';

/** What a head answers beside its scores. Both are there or neither. */
export interface Answers {
  /** What a label is: the class of a sample, or whether each of `width` is there. */
  readonly each: AnswerKind;
  /** As the scores, in 0..1 */
  probabilities(g: Ops, scores: Value): Value;
  /** int64, a class of each sample or step; or bool, as the scores */
  label(g: Ops, scores: Value): Value;
}

/** What of a loss may be learned of the training data. */
export interface Balance<O> {
  /** The option that says "balanced" where it is. */
  readonly option: string;
  /** The numbers in its place, of the targets of the training part. Throws DataError, which names the data and an output by `named`. */
  of(o: O, targets: ArrayLike<number | bigint>, named: Named): number[];
}

/** What data and outputs are called in errors. */
export interface Named {
  readonly data: string;
  readonly output: (index: number) => string;
  /** What one target is of. */
  readonly one: 'row' | 'step';
}

interface Behaviour<O> {
  readonly targets: TargetKind;
  /** Loss of rows of scores [M, width] against their targets; `counted` [M] is 1 for rows that count and 0 for others, absent where all do. */
  loss(g: Ops, o: O, scores: Value, targets: Value, reduction: Reduction, counted?: Value): Value;
  readonly metric: Metric<O>;
  /** False where no data say what is right: neither loss nor metric is ever asked for. Left out: true. */
  readonly judged?: false;
  readonly answers?: Answers;
  readonly balance?: Balance<O>;
  /** Whether all outputs are trained on one number of each row, where the data have one alone. */
  sharesTarget?(o: O): boolean;
  /** What a sample counts in a mean of losses, by its class; absent: all count the same. */
  weight?(o: O, target: number): number;
  /** What its outputs are called, for people. */
  names?(o: O): readonly string[] | undefined;
}

/** A head as the table of heads holds it. */
export interface HeadDefinition<K extends string, T extends z.ZodType, M extends string>
  extends Variant<T, M>,
    Behaviour<z.output<T> & AnyHead> {
  readonly kind: K;
  /** The option that is its width. */
  readonly main: M;
}

interface HeadSpec<T extends z.ZodType, M extends string, A extends readonly unknown[], R> extends Behaviour<z.output<T>> {
  /** What it predicts: the comment above the head, as JSON Schema tells it. */
  readonly doc: string;
  readonly options: T;
  /** The option that says how wide the head is; all others may be left out. */
  readonly width: M;
  /** How it is written. */
  readonly example: string;
  /** Arguments of the TypeScript function to options as written. */
  readonly call: (...args: A) => R;
}

/** A head by its name in YAML. */
export function head<
  const K extends string,
  T extends z.ZodType,
  A extends readonly unknown[],
  R extends z.input<T>,
  M extends keyof z.input<T> & string,
>(kind: K, spec: HeadSpec<T, M, A, R>): KindFunction<K, A, R, HeadDefinition<K, T, M>> {
  const { options, width, example, doc, call, ...behaviour } = spec;
  return kindFunction(kind, call, { kind, ...variant(options, width, example, doc), main: width, ...behaviour });
}

/** The mean of an elementwise loss [M, width] over each row, then as asked over the rows that count. */
export function meanOf(g: Ops, perElement: Value, reduction: Reduction, counted?: Value): Value {
  return over(g, reduceMean(g, perElement, [1], 0), reduction, counted);
}

/** Numbers [M] as asked over the rows that count: others are 0, and the mean of none is. */
export function over(g: Ops, perRow: Value, reduction: Reduction, counted?: Value): Value {
  if (counted === undefined) return reduction === 'mean' ? reduceMean(g, perRow, [0], 0) : perRow;
  const own = g.mul(perRow, counted);
  if (reduction === 'none') return own;
  return g.div(reduceSum(g, own, [0], 0), g.clip(reduceSum(g, counted, [0], 0), 1));
}

/** The axis of scores along which a row's numbers stand. */
export const lastAxis = (scores: Value): number => (scores.shape?.length ?? 2) - 1;

/** Type of targets as an input of a graph; `rows` is the batch. Graphics processors take classes as int32. */
export function targetType(
  targets: TargetKind,
  width: number,
  rows: string | number,
  classes: 'int64' | 'int32' = 'int64',
  each?: 'step',
): { readonly dtype: DType; readonly shape: (string | number)[] } {
  const places = each === undefined ? [rows] : [rows, 'steps'];
  return targets.of === 'classes' ? { dtype: classes, shape: places } : { dtype: 'float32', shape: [...places, width] };
}
