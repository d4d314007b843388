// Schemas of layers and initialisers: what a description may say of each, its defaults, and the one normalised form that
// lowering reads. Not here: shapes (lowering checks them) and heads, laterals, columns (progressive/description).
// A layer is added by one entry in `plainLayers`.
import * as z from 'zod';
import {
  flag,
  integer,
  type Options,
  oneOf,
  real,
  size,
  strict,
  type Tagged,
  type TaggedInput,
  tagged,
  taggedDefinition,
  variant,
} from './schema.js';

type Pair = [number, number];
type Pads = [number, number, number, number];

const pair = z.union([size.transform((n): Pair => [n, n]), z.tuple([size, size])], {
  error: 'a positive integer or a pair [height, width] of them',
});
const pad = integer(0, 'a non-negative integer');
const padding = z.union(
  [
    z.enum(['same', 'valid']),
    pad.transform((p): Pads => [p, p, p, p]),
    z.tuple([pad, pad]).transform(([h, w]): Pads => [h, w, h, w]),
    z.tuple([pad, pad, pad, pad]),
  ],
  { error: '"same", "valid", an integer, [height, width] or [top, left, bottom, right]' },
);
const positive = real('a positive number', { above: 0 });

// ---- initialisers -------------------------------------------------------------------------------------------------------

const initTable = {
  he_normal: variant(strict({})),
  he_uniform: variant(strict({})),
  glorot_normal: variant(strict({})),
  glorot_uniform: variant(strict({})),
  lecun_normal: variant(strict({})),
  /** U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the biases as well: PyTorch's default. */
  torch_uniform: variant(strict({})),
  zeros: variant(strict({})),
  ones: variant(strict({})),
  normal: variant(strict({ std: positive }), 'std', '{ normal: 0.02 }'),
  uniform: variant(strict({ limit: positive }), 'limit', '{ uniform: 0.05 }'),
};

/** Normalised initialiser of weights. Biases start at 0, except under torch_uniform. */
export type Init = Tagged<typeof initTable>;
export const initSchema = tagged('init', initTable);
/** The field `init` of every layer with weights; he_normal when absent. */
export const weightInit = initSchema.prefault('he_normal');

// ---- layers -------------------------------------------------------------------------------------------------------------

const activationTable = {
  relu: variant(strict({})),
  leaky_relu: variant(strict({ alpha: real('a number').default(0.01) }), 'alpha'),
  elu: variant(strict({ alpha: real('a number').default(1) }), 'alpha'),
  selu: variant(strict({})),
  gelu: variant(strict({})),
  silu: variant(strict({})),
  sigmoid: variant(strict({})),
  tanh: variant(strict({})),
  softplus: variant(strict({})),
  hardswish: variant(strict({})),
  /** `axis` counts the batch as axis 0; -1 is the last. */
  softmax: variant(strict({ axis: z.int({ error: 'an integer' }).default(-1) }), 'axis'),
};

const pool = variant(
  strict({ kernel: pair, stride: pair.optional(), padding: padding.default('valid') }).transform((o) => ({
    ...o,
    stride: o.stride ?? o.kernel,
  })),
  'kernel',
  '{ maxpool2d: 2 }',
);

/** Every layer that holds no other layers. Images are [channels, height, width]. */
const plainLayers = {
  dense: variant(strict({ units: size, bias: flag.default(true), init: weightInit }), 'units', '{ dense: 128 }'),
  conv2d: variant(
    strict({
      filters: size,
      kernel: pair,
      stride: pair.prefault(1),
      dilation: pair.prefault(1),
      groups: size.default(1),
      padding: padding.default('valid'),
      bias: flag.default(true),
      init: weightInit,
    }).refine((o) => o.filters % o.groups === 0, { error: 'expected a divisor of "filters"', path: ['groups'] }),
    undefined,
    '{ conv2d: { filters: 16, kernel: 3 } }',
  ),
  maxpool2d: pool,
  avgpool2d: pool,
  global_avgpool: variant(strict({})),
  global_maxpool: variant(strict({})),
  flatten: variant(strict({})),
  /** `shape` is without the batch; one -1 takes what is left. */
  reshape: variant(
    strict({
      shape: z
        .array(z.union([size, z.literal(-1)], { error: 'a positive integer or -1' }), { error: 'a list of positive integers' })
        .min(1, { error: 'a list of positive integers' })
        .refine((s) => s.filter((d) => d === -1).length <= 1, { error: 'expected at most one -1' }),
    }),
    'shape',
    '{ reshape: [16, 49] }',
  ),
  ...activationTable,
  dropout: variant(
    strict({ rate: real('a number of at least 0 and below 1', { min: 0, below: 1 }) }),
    'rate',
    '{ dropout: 0.5 }',
  ),
  /** `momentum` is ONNX's: running = running * momentum + batch * (1 - momentum). */
  batch_norm: variant(
    strict({ epsilon: positive.default(1e-5), momentum: real('a number from 0 to 1', { min: 0, max: 1 }).default(0.9) }),
  ),
  layer_norm: variant(strict({ epsilon: positive.default(1e-5) })),
};

export type ActivationName = keyof typeof activationTable;
/** `{ kind: 'relu' }`, `{ kind: 'leaky_relu', alpha }`, ... */
export type Activation = Tagged<typeof activationTable>;
/** An activation by name, its parameters at their defaults. */
export const activationName = oneOf(Object.keys(activationTable) as ActivationName[]);

/** y = x + f(x), f being the layers in order; they must keep the shape. */
export interface ResidualLayer {
  kind: 'residual';
  layers: Layer[];
}
/** A layer with every option filled in; `kind` tells which. */
export type Layer = Tagged<typeof plainLayers> | ResidualLayer;
/** A layer as written: `relu`, `{ dense: 128 }`, `{ conv2d: { filters: 16, kernel: 3 } }`. */
export type LayerInput =
  | TaggedInput<typeof plainLayers>
  | { residual: LayerInput[] | { layers: LayerInput[] } }
  | { kind: 'residual'; layers: LayerInput[] };
/** The options of one layer as written: `LayerOptions<'dense'>`. */
export type LayerOptions<K extends keyof typeof plainLayers> = Options<(typeof plainLayers)[K]>;

const inner: z.ZodType<Layer[], LayerInput[]> = z.lazy(() =>
  z.array(layerSchema, { error: 'a list of layers' }).min(1, { error: 'at least one layer' }),
);
const layerTable = {
  ...plainLayers,
  residual: variant(strict({ layers: inner }), 'layers', '{ residual: [{ dense: 64 }, relu] }'),
};

export const layerSchema: z.ZodType<Layer, LayerInput> = tagged('layer', layerTable);

/** What `#/$defs` of a JSON Schema must hold for layers and initialisers. */
export const layerDefinitions = {
  init: taggedDefinition(initTable),
  layer: taggedDefinition(layerTable),
};
