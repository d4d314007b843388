// What a layer is: its options, what it takes, how it is lowered, where a lateral joins. One file under layers/ holds one layer (activations share
// one); layers/index.ts lists them, and schema, JSON Schema and TypeScript functions follow from that list.

import type * as z from 'zod';
import { aList, given } from '../../onnx/core/given.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { ParameterInit } from './init.js';
import type { Joint } from './joint.js';
import { type KindFunction, kindFunction } from './kind-function.js';
import type { Size } from './open-size.js';
import type { Layout } from './sample.js';
import { type Variant, variant } from './schema.js';
import type { LayerScope } from './scope.js';

/** A layer of any kind, its options filled in. */
export interface AnyLayer {
  readonly kind: string;
}

/** What a layer is lowered with. */
export interface LayerContext {
  readonly g: Ops;
  readonly scope: LayerScope;
  /** `<task>/<block>/<layer>`: parameters are named under it. */
  readonly name: string;
  /** A parameter that training changes, named under the layer. */
  readonly trainable: (what: string, shape: readonly number[], init: ParameterInit) => Value;
  /** Where the channels of x stand; undefined: no layer has said it (`layoutOf`). */
  readonly layout: Layout | undefined;
  /** y with what laterals carry added, where this layer is its block's joint; else y itself. Every layer that has a joint calls it once. */
  readonly join: (y: Value) => Value;
  /** What ids are, where x is an input of text. */
  readonly tokens: TokenTable | undefined;
  /**
   * Another of the inputs that the column reads, behind its own `prepare`: float32 [N, ...]. Throws DescriptionError for a name that the column does not
   * read, and for ids.
   */
  readonly input: (name: string) => Value;
  /** The same as it comes, of its own dtype: masks and ids. */
  readonly raw: (name: string) => Value;
  /** Which steps of a sequence [N, steps, ...] are there, bool [N, steps], as an input says (`presentOf`). */
  readonly present: (name: string, sequence: Value) => Value;
  /** The same as a number: how many steps there are up to the last that is there, int32 [N] (`lengthsOf`). */
  readonly lengths: (name: string, sequence: Value) => Value;
  /** Layers that this one holds, in order from x. `beside`: the name of a list beside the one in which laterals join. */
  readonly inside: (layers: readonly AnyLayer[], x: Value, beside?: string) => Value;
  /** The layout of what layers give, that of x before them. */
  readonly layoutAfter: (layers: readonly AnyLayer[]) => Layout | undefined;
}

/** Token ids: whole numbers below `vocabulary`; `padding.id` stands where a text has ended. */
export interface TokenTable {
  readonly vocabulary: number;
  readonly padding: { readonly id: number };
}

/** The network's inputs as the layers of a column find them; `path` is the layer's, for errors. */
export interface NamedInputs {
  /** What ids are, where the block's input is text. */
  readonly tokens?: TokenTable | undefined;
  /** As `LayerContext.input`. */
  input(name: string, path: string): Value;
  /** As `LayerContext.raw`. */
  raw(name: string, path: string): Value;
  /** What ids are, where the input of that name is text. */
  tokensOf(name: string): TokenTable | undefined;
  /** Hears of an input that says of how many of these steps a sample has. */
  counted?(name: string, steps: Size): void;
}

/** What a layer says of where the channels stand behind it. */
export type Gives = Layout | 'unsaid' | 'as taken';

/** How a layer of these options behaves. Where x does not fit, a ShapeError says what would; the caller adds where the layer stands. */
interface Behaviour<O> {
  lower(c: LayerContext, o: O & AnyLayer, x: Value): Value;
  /** What a lateral must give where it joins this layer, x being the layer's input. Absent: laterals do not join here. */
  joint?(o: O & AnyLayer, x: Value, layout: Layout | undefined): Joint;
  /**
   * Where the channels stand in what it gives, "unsaid" where that is as the next layers take it. "as taken": where it took them to stand, first where
   * nothing said it. Absent: where they stood before, said or not.
   */
  readonly gives?: Gives;
  /** The same by its options. */
  givesBy?(o: O & AnyLayer): Gives | undefined;
  /** Kinds that this layer goes ahead of in training, where one stands right before it. */
  readonly overtakes?: readonly string[];
  /** Takes ids, whole numbers of int32 or int64, which no other layer does. */
  readonly takesIds?: true;
  /**
   * What can be taken out of it. "apart": each channel that it gives follows of the same one that comes in, so that one may go; "made": its weights make
   * each of them of all that come in, so that some of either may go. Absent: nothing.
   */
  readonly channels?: 'apart' | 'made';
}

/** A layer as the table of layers holds it. */
export interface LayerDefinition<K extends string, T extends z.ZodType, M extends string>
  extends Variant<T, M>,
    Behaviour<z.output<T>> {
  readonly kind: K;
}

/** A layer that computes each value, or each axis, by one function. */
export interface ActivationDefinition<K extends string, T extends z.ZodType, M extends string> extends LayerDefinition<K, T, M> {
  apply(g: Ops, o: z.output<T>, x: Value): Value;
}

/** The options of a layer that holds layers, filled in. */
export interface HeldLayers {
  readonly layers: readonly AnyLayer[];
  readonly shortcut?: readonly AnyLayer[] | undefined;
  readonly project?: boolean | undefined;
}

/** A layer whose main option is a list of layers: the table gives its options their schema. */
export interface CompositeDefinition<K extends string> extends Behaviour<HeldLayers> {
  readonly kind: K;
  readonly composite: true;
  readonly doc: string;
  readonly example: string;
}

interface Spec<T extends z.ZodType, M extends string, A extends readonly unknown[], R> {
  /** What it computes: the comment above the layer, as JSON Schema tells it. */
  readonly doc: string;
  readonly options: T;
  /** The option that `{ name: value }` sets; all others may be left out. */
  readonly main?: M;
  /** How it is written, where it needs options. */
  readonly example?: string;
  /** Arguments of the TypeScript function to options as written. */
  readonly call: (...args: A) => R;
}

interface LayerSpec<T extends z.ZodType, M extends string, A extends readonly unknown[], R> extends Spec<T, M, A, R> {
  readonly lower: (c: LayerContext, o: z.output<T>, x: Value) => Value;
  readonly joint?: (o: z.output<T>, x: Value, layout: Layout | undefined) => Joint;
  readonly gives?: Gives;
  readonly givesBy?: (o: z.output<T>) => Gives | undefined;
  readonly overtakes?: readonly string[];
  readonly takesIds?: true;
  readonly channels?: 'apart' | 'made';
}

interface ActivationSpec<T extends z.ZodType, M extends string, A extends readonly unknown[], R> extends Spec<T, M, A, R> {
  readonly apply: (g: Ops, o: z.output<T>, x: Value) => Value;
  /** It looks along an axis; else at each value by itself. */
  readonly along?: true;
}

/** A layer by its name in YAML. */
export function layer<
  const K extends string,
  T extends z.ZodType,
  A extends readonly unknown[],
  R extends z.input<T>,
  M extends keyof z.input<T> & string = never,
>(kind: K, spec: LayerSpec<T, M, A, R>): KindFunction<K, A, R, LayerDefinition<K, T, M>> {
  const { options, main, example, doc, call, ...behaviour } = spec;
  return kindFunction(kind, call, { kind, ...variant(options, main, example, doc), ...behaviour });
}

/** An activation by its name in YAML. */
export function activation<
  const K extends string,
  T extends z.ZodType,
  A extends readonly unknown[],
  R extends z.input<T>,
  M extends keyof z.input<T> & string = never,
>(kind: K, spec: ActivationSpec<T, M, A, R>): KindFunction<K, A, R, ActivationDefinition<K, T, M>> {
  const { options, main, example, doc, call, apply, along } = spec;
  const lower = (c: LayerContext, o: z.output<T>, x: Value) => apply(c.g, o, x);
  const channels = along === true ? {} : ({ channels: 'apart' } as const);
  return kindFunction(kind, call, { kind, ...variant(options, main, example, doc), apply, lower, ...channels });
}

/** Options of a layer that holds layers, as its function takes them. L: what layers' functions give. */
export interface CompositeOptions<L> {
  /** Layers in place of the way around, which then need not keep the shape. */
  shortcut?: readonly L[];
  /** Where the shapes differ, the way around is a 1x1 convolution, or a matrix, that is learned; false when absent. */
  project?: boolean;
}

/** A layer that holds layers, by its name in YAML. Its function takes any list of what layers' functions give. */
export function composite<const K extends string>(
  kind: K,
  spec: Omit<CompositeDefinition<K>, 'kind' | 'composite'>,
): {
  <L>(layers: readonly L[], options?: CompositeOptions<L>): { [P in K]: { layers: L[]; shortcut?: L[]; project?: boolean } };
  /** @internal */
  readonly definition: CompositeDefinition<K>;
} {
  const write = <L>(layers: readonly L[], { shortcut, ...options }: CompositeOptions<L> = {}) => {
    given(kind, { layers }, { layers: aList });
    const written = { layers: [...layers], ...(shortcut !== undefined && { shortcut: [...shortcut] }), ...options };
    return { [kind]: written } as { [P in K]: { layers: L[]; shortcut?: L[]; project?: boolean } };
  };
  return Object.assign(write, { definition: { kind, composite: true as const, ...spec } });
}
