// What a step of `prepare` is: its options, how it is lowered, and what it learns of the training data. One file under steps/ holds one step;
// steps/index.ts lists them. Steps come before the first block and are part of every exported graph, so that raw inputs give the answer.
import type * as z from 'zod';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { type KindFunction, kindFunction } from '../nn/kind-function.js';
import { type Variant, variant } from '../nn/schema.js';

/** A step of any kind, its options filled in. */
export interface AnyStep {
  readonly kind: string;
}

/** What a step is lowered with. */
export interface StepContext {
  readonly g: Ops;
  /** What the step learned of the training data, named under it; `rest` is what stands there before. Frozen with the column. */
  readonly learned: (what: string, shape: readonly number[], rest: number) => Value;
  /** Of each feature of a table how many texts it has, 0 for numbers; undefined where no feature is a category. */
  readonly categories?: readonly number[] | undefined;
}

/** Looks at the rows of the training data as they reach the step, part by part. */
export interface Learning {
  /** float32 [rows, ...sample] */
  add(rows: Tensor): void;
  /** What was learned, by the names that `lower` asks for. */
  values(): Readonly<Record<string, ArrayLike<number>>>;
}

interface Behaviour<O> {
  /** x [N, ...sample] to float32; the first step may meet another dtype. Throws ShapeError where x does not fit. */
  lower(c: StepContext, o: O & AnyStep, x: Value): Value;
  /** Absent, or undefined: the step needs no data. `sample` is the shape of one sample. */
  learn?(o: O & AnyStep, sample: readonly number[]): Learning | undefined;
  /** Takes values that are not there (NaN). */
  readonly takesMissing?: true;
  /** Makes numbers of categories; any other step leaves them alone. */
  readonly takesCategories?: true;
}

/** A step as the table of steps holds it. */
export interface StepDefinition<K extends string, T extends z.ZodType, M extends string>
  extends Variant<T, M>,
    Behaviour<z.output<T>> {
  readonly kind: K;
}

interface Spec<T extends z.ZodType, M extends string, A extends readonly unknown[], R> {
  readonly lower: (c: StepContext, o: z.output<T>, x: Value) => Value;
  readonly learn?: (o: z.output<T>, sample: readonly number[]) => Learning | undefined;
  readonly takesMissing?: true;
  readonly takesCategories?: true;
  /** What it computes: the comment above the step, as JSON Schema tells it. */
  readonly doc: string;
  readonly options: T;
  /** The option that `{ name: value }` sets. */
  readonly main?: M;
  /** How it is written, where it needs options. */
  readonly example?: string;
  /** Arguments of the TypeScript function to options as written. */
  readonly call: (...args: A) => R;
}

/** A step by its name in YAML. */
export function step<
  const K extends string,
  T extends z.ZodType,
  A extends readonly unknown[],
  R extends z.input<T>,
  M extends keyof z.input<T> & string = never,
>(kind: K, spec: Spec<T, M, A, R>): KindFunction<K, A, R, StepDefinition<K, T, M>> {
  const { options, main, example, doc, call, ...behaviour } = spec;
  return kindFunction(kind, call, { kind, ...variant(options, main, example, doc), ...behaviour });
}
