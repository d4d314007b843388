// What a head is: its options, the targets it takes, its loss, its metric, its answers. Every head is a dense layer with a bias over the flat tap
// of the last block, whose raw scores [N, width] are the task's output. One file holds one head; index.ts lists them.
import type * as z from 'zod';
import type { DType } from '../../onnx/core/dtype.js';
import type { Value } from '../../onnx/ir/graph.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Init } from '../nn/init.js';
import { type KindFunction, kindFunction } from '../nn/kind-function.js';
import { type Variant, variant } from '../nn/schema.js';

/** A head of any kind, its options filled in. */
export interface AnyHead {
  readonly kind: string;
  readonly init: Init;
}

/** "mean": a scalar over the minibatch; "none": a loss for each sample, [N]. */
export type Reduction = 'mean' | 'none';

/**
 * What a head is trained on: a class of each sample (int64 [N], some graphs take int32), or `width` numbers of each (float32 [N, width]) within
 * bounds, if any.
 */
export type TargetKind = { readonly of: 'classes' } | { readonly of: 'numbers'; readonly from?: number; readonly to?: number };

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
  /** [N, width] in 0..1 */
  probabilities(g: Ops, scores: Value): Value;
  /** int64 [N], a class; or bool [N, width] */
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
}

interface Behaviour<O> {
  readonly targets: TargetKind;
  /** Loss of scores [N, width] against targets. */
  loss(g: Ops, o: O, scores: Value, targets: Value, reduction: Reduction): Value;
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

/** The mean of an elementwise loss [N, width] over each sample, then as asked over the minibatch. */
export function meanOf(g: Ops, perElement: Value, reduction: Reduction): Value {
  const perSample = reduceMean(g, perElement, [1], 0);
  return reduction === 'mean' ? reduceMean(g, perSample, [0], 0) : perSample;
}

/** Type of targets as an input of a graph; `rows` is the batch. Graphics processors take classes as int32. */
export function targetType(
  targets: TargetKind,
  width: number,
  rows: string | number,
  classes: 'int64' | 'int32' = 'int64',
): { readonly dtype: DType; readonly shape: (string | number)[] } {
  return targets.of === 'classes' ? { dtype: classes, shape: [rows] } : { dtype: 'float32', shape: [rows, width] };
}
