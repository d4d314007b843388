// What follows from the list of layers: the table by name, the schema, the normalised form that lowering reads. A layer itself is in layers/.
import * as z from 'zod';
import { InternalError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Joint } from './joint.js';
import type { AnyLayer, Gives, LayerContext } from './layer.js';
import * as list from './layers/index.js';
import { type Layout, layoutOf } from './sample.js';
import {
  type Filled,
  type FilledOf,
  flag,
  type Options,
  type OptionsOf,
  strict,
  tagged,
  taggedDefinition,
  type ValuesOf,
  type Variants,
  variant,
  type Written,
} from './schema.js';

type List = typeof list;
type Definitions = { readonly [F in keyof List as List[F]['definition']['kind']]: List[F]['definition'] };
type KindsWith<P> = { [K in keyof Definitions]: Definitions[K] extends P ? K : never }[keyof Definitions];
/**
 * Names of the layers that hold layers.
 * @useDeclaredType
 */
export type CompositeKind = KindsWith<{ composite: true }>;
/** Every layer that holds no other layers. */
type PlainTable = { readonly [K in Exclude<keyof Definitions, CompositeKind>]: Definitions[K] };

/** A layer that holds layers. */
export interface CompositeLayer<K extends CompositeKind = CompositeKind> {
  /** Which it is. */
  kind: K;
  /** The layers that it holds, in order. */
  layers: Layer[];
  /** Layers in place of the way around, which then need not keep the shape. */
  shortcut?: Layer[] | undefined;
  /** Where the shapes differ, the way around is a 1x1 convolution, or a matrix, that is learned; false when absent. */
  project?: boolean | undefined;
}
/** The options of a layer that holds layers, as written. */
export interface CompositeInputOptions {
  /** The layers that it holds, in order. */
  layers: LayerInput[];
  /** Layers in place of the way around, which then need not keep the shape. */
  shortcut?: LayerInput[] | undefined;
  /** Where the shapes differ, the way around is a 1x1 convolution, or a matrix, that is learned; false when absent. */
  project?: boolean | undefined;
}
/** The options of every layer that holds no others as written, by its name. */
export interface Layers extends OptionsOf<PlainTable> {}
/** What `{ name: value }` may have as its value, by the layer's name. */
export interface LayerValues extends ValuesOf<PlainTable> {}
/** The options of every layer that holds no others with all defaults filled in, by its name. */
export interface FilledLayers extends FilledOf<PlainTable> {}
/** A layer with every option filled in; `kind` tells which. */
export type Layer = Filled<FilledLayers> | CompositeLayer;
/** A layer as written: `relu`, `{ dense: 128 }`, `{ conv2d: { filters: 16, kernel: 3 } }`. */
export type LayerInput = Written<Layers, LayerValues> | CompositeInput;
/** A layer that holds layers, as written: `{ residual: [...] }`. */
export type CompositeInput =
  | { [K in CompositeKind]: { [P in K]: LayerInput[] | CompositeInputOptions } }[CompositeKind]
  | ({ kind: CompositeKind } & CompositeInputOptions);
/** The options of one layer as written: `LayerOptions<'dense'>`. */
export type LayerOptions<K extends keyof PlainTable> = Options<PlainTable[K]>;

const inner: z.ZodType<Layer[], LayerInput[]> = z.lazy(() =>
  z.array(layerSchema, { error: 'a list of layers' }).min(1, { error: 'at least one layer' }),
);
/** Of a layer that holds layers. What may be left out stays out, so that a description without it reads as ever. */
const compositeOptions = strict({
  layers: inner.describe('The layers that it holds.'),
  shortcut: inner.optional().describe('Layers in place of the way around, which then need not keep the shape.'),
  project: flag
    .optional()
    .describe('Where the shapes differ, the way around is a 1x1 convolution, or a matrix, that is learned; false when absent.'),
}).refine((o) => o.shortcut === undefined || o.project !== true, {
  error: 'expected no "project" beside "shortcut"',
  path: ['project'],
});

const definitions = Object.values(list)
  .map(({ definition }) => definition)
  .sort((a, b) => (a.kind < b.kind ? -1 : 1));

const layerTable: Variants = Object.fromEntries(
  definitions.map((d) => [d.kind, 'composite' in d ? variant(compositeOptions, 'layers', d.example, d.doc) : d]),
);

// The table is made of the list at run time, so that TypeScript knows its rows by the list's type alone.
export const layerSchema = tagged('layer', layerTable) as z.ZodType<Layer, LayerInput>;

/** What `#/$defs` of a JSON Schema must hold for layers. */
export const layerDefinitions = { layer: taggedDefinition(layerTable) };

/** How a layer of any kind behaves. */
interface AnyBehaviour {
  lower(c: LayerContext, o: AnyLayer, x: Value): Value;
  joint?(o: AnyLayer, x: Value, layout: Layout | undefined): Joint;
  readonly gives?: Gives;
  givesBy?(o: AnyLayer): Gives | undefined;
  readonly overtakes?: readonly string[];
  readonly takesIds?: true;
  readonly channels?: 'apart' | 'made';
}
const behaviours = new Map<string, AnyBehaviour>(definitions.map((d) => [d.kind, d]));

/** How a layer behaves, by its kind. */
export function behaviourOf({ kind }: AnyLayer): AnyBehaviour {
  const found = behaviours.get(kind);
  if (found === undefined) throw new InternalError(`no layer is called ${kind}`);
  return found;
}

/** The layers that a layer holds: none, unless it is made of layers. */
export function heldBy(layer: AnyLayer): readonly AnyLayer[] {
  return 'layers' in layer && Array.isArray(layer.layers) ? layer.layers : [];
}

/** The layout of what these layers give, from that of what they take. */
export function layoutAfter(layers: readonly AnyLayer[], before: Layout | undefined): Layout | undefined {
  return layers.reduce<Layout | undefined>((layout, layer) => {
    const behaviour = behaviourOf(layer);
    const gives = behaviour.gives ?? behaviour.givesBy?.(layer);
    if (gives === 'as taken') return layoutOf(layout);
    if (gives !== undefined) return gives === 'unsaid' ? undefined : gives;
    return layoutAfter(heldBy(layer), layout);
  }, before);
}
