// Schemas of layers and initialisers: what a description may say of each, its defaults, and the one normalised form that
// lowering reads. Not here: shapes (lowering checks them) and heads, laterals, columns (progressive/description).
// A layer is added by one entry in `plainLayers`. Messages of these schemas say what would be right; what was found is added later.
import * as z from 'zod';

// ---- sums: a value that names one of several variants -------------------------------------------------------------------

/** One variant: the schema of its options, the option that `{ name: value }` sets, an example where options are needed. */
export interface Variant<T extends z.ZodType = z.ZodType, M extends string = string> {
  readonly options: T;
  readonly main: M | undefined;
  readonly example: string | undefined;
}

/** Table of variants by name. */
export type Variants = Readonly<Record<string, Variant>>;

type Flat<T> = { [K in keyof T]: T[K] };
/** The fields of an object; zod gives an object without any an index signature instead. */
type Fields<T> = string extends keyof T ? Record<never, never> : T;
type Options<V> = V extends Variant<infer T, string> ? Fields<z.input<T>> : never;
type Main<V> = V extends Variant<infer T, infer M> ? (M extends keyof z.input<T> ? NonNullable<z.input<T>[M]> : never) : never;
type Name<V, K> = Record<never, never> extends Options<V> ? K : never;

/** What may be written where the name is a field: `name` (when nothing is required) or `{ kind: name, ...options }`. */
export type KindInput<T extends Variants> = {
  [K in keyof T & string]: Name<T[K], K> | Flat<{ kind: K } & Options<T[K]>>;
}[keyof T & string];

/** What else may be written elsewhere: `{ name: value }` or `{ name: { options } }`. */
export type TaggedInput<T extends Variants> =
  | { [K in keyof T & string]: { [P in K]: Options<T[K]> | Main<T[K]> } }[keyof T & string]
  | KindInput<T>;

/** What comes out: `{ kind: name, ...options }`, every default filled in. */
export type Tagged<T extends Variants> = {
  [K in keyof T & string]: Flat<{ kind: K } & Fields<z.output<T[K]['options']>>>;
}[keyof T & string];

/** A variant; `main` names the option that stands for all in `{ name: value }` (the others must then have defaults). */
export function variant<T extends z.ZodType, M extends keyof z.input<T> & string = never>(
  options: T,
  main?: M,
  example?: string,
): Variant<T, M> {
  return { options, main, example };
}

/** Edits (insert, delete, replace) that turn a into b. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `did you mean "dense"?` when a name is near, else `expected one of "a", "b"`. */
export function suggest(found: string, names: readonly string[]): string {
  const word = found.slice(0, 64).toLowerCase();
  const limit = Math.min(word.length - 1, Math.max(2, Math.floor(word.length / 3)));
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(word, name.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance };
  }
  if (best !== undefined) return `did you mean "${best.name}"?`;
  return names.length === 1 ? `expected "${names[0]}"` : `expected one of ${names.map((n) => `"${n}"`).join(', ')}`;
}

/** An object with these keys and no others; `what` finishes the sentence "expected ...". */
export function strict<S extends z.ZodRawShape>(shape: S, what = 'an object of options') {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? suggest(String(issue.keys[0]), Object.keys(shape)) : what),
  });
}

type Found = { readonly name: string; readonly path: readonly string[]; readonly options: unknown; readonly isMain: boolean };
type Problem = { readonly got?: string; readonly right: string };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Which variant a value names, and its options; or why it names none. */
function dispatch(what: string, value: unknown, names: readonly string[], kindOnly: boolean): Found | Problem {
  if (typeof value === 'string') return { name: value, path: [], options: {}, isMain: false };
  const form = kindOnly ? '{ kind: name, ... }' : '{ name: options }';
  if (!isRecord(value)) return { right: `expected a name or ${form} for the ${what}` };
  const { kind, ...options } = value;
  if (typeof kind === 'string') return { name: kind, path: [], options, isMain: false };
  if (kindOnly) {
    const got = kind === undefined ? '"kind" is missing' : `"kind" is no string`;
    return { got, right: `expected one of ${names.map((n) => `"${n}"`).join(', ')}` };
  }
  const keys = Object.keys(value);
  const [name] = keys;
  if (name === undefined || keys.length > 1) {
    const listed = keys.slice(0, 4).map((k) => JSON.stringify(k));
    return {
      got: `found ${keys.length} keys${listed.length > 0 ? ` (${listed.join(', ')})` : ''}`,
      right: `expected one, the ${what}'s name`,
    };
  }
  return { name, path: [name], options: value[name], isMain: !isRecord(value[name]) };
}

function taggedTransform<T extends Variants>(what: string, table: T, kindOnly: boolean) {
  const names = Object.keys(table);
  return (value: unknown, ctx: z.RefinementCtx): Tagged<T> => {
    const found = dispatch(what, value, names, kindOnly);
    const fail = (right: string, got?: string, path: readonly PropertyKey[] = []): never => {
      ctx.issues.push({ code: 'custom', message: right, input: value, path: [...path], params: { got } });
      return z.NEVER;
    };
    if ('right' in found) return fail(found.right, found.got);
    const { name, path, options, isMain } = found;
    const entry = Object.hasOwn(table, name) ? table[name] : undefined;
    if (entry === undefined) return fail(suggest(name, names), `unknown ${what} ${JSON.stringify(name)}`);
    if (isMain && entry.main === undefined) return fail('expected an object of options', undefined, path);
    const result = entry.options.safeParse(isMain && entry.main !== undefined ? { [entry.main]: options } : options);
    if (!result.success) {
      if (typeof value === 'string' && entry.example !== undefined) {
        return fail(`expected its options, as in ${entry.example}`, `found "${name}" alone`);
      }
      for (const issue of result.error.issues) {
        ctx.issues.push({ ...issue, path: [...path, ...(isMain ? issue.path.slice(1) : issue.path)], input: undefined });
      }
      return z.NEVER;
    }
    // The table's type says that this variant's options parse to this: TypeScript cannot follow a key chosen at run time.
    return Object.assign({ kind: name }, result.data) as Tagged<T>;
  };
}

/**
 * A schema that first reads which variant is named and then checks that variant alone, so that an error speaks of what was meant.
 * Takes `name`, `{ name: value }`, `{ name: { options } }` and the normalised `{ kind: name, ...options }`.
 * In JSON Schema it is a reference to `#/$defs/<what>`, whose content is `taggedDefinition(table)`.
 */
export function tagged<T extends Variants>(what: string, table: T): z.ZodType<Tagged<T>, TaggedInput<T>> {
  return z
    .custom<TaggedInput<T>>()
    .transform(taggedTransform(what, table, false))
    .meta({ $ref: `#/$defs/${what}` });
}

/** As `tagged`, for `name` and `{ kind: name, ...options }` only. */
export function taggedByKind<T extends Variants>(what: string, table: T): z.ZodType<Tagged<T>, KindInput<T>> {
  return z
    .custom<KindInput<T>>()
    .transform(taggedTransform(what, table, true))
    .meta({ $ref: `#/$defs/${what}` });
}

/** The written forms of a table as one plain union, for JSON Schema only. */
export function taggedDefinition(table: Variants, form: 'key' | 'kind' = 'key'): z.ZodType {
  const bare: string[] = [];
  const objects: z.ZodType[] = [];
  for (const [name, { options, main }] of Object.entries(table)) {
    if (options.safeParse({}).success) bare.push(name);
    const object = options instanceof z.ZodPipe ? options.in : options;
    if (!(object instanceof z.ZodObject)) continue;
    const mainField: unknown = main === undefined ? undefined : object.shape[main];
    if (form === 'kind') objects.push(z.strictObject({ kind: z.literal(name), ...object.shape }));
    else objects.push(z.strictObject({ [name]: mainField instanceof z.ZodType ? z.union([mainField, object]) : object }));
  }
  return z.union(bare.length > 0 ? [z.enum(bare), ...objects] : objects);
}

// ---- leaves -------------------------------------------------------------------------------------------------------------

/** An integer of at least `min`. */
export function integer(min: number, what: string) {
  return z.int({ error: what }).min(min, { error: what });
}

/** A finite number that `ok` accepts, stated as bounds so that JSON Schema has them too. */
export function real(what: string, bounds: { min?: number; above?: number; max?: number; below?: number } = {}) {
  let s = z.number({ error: what });
  if (bounds.min !== undefined) s = s.min(bounds.min, { error: what });
  if (bounds.above !== undefined) s = s.gt(bounds.above, { error: what });
  if (bounds.max !== undefined) s = s.max(bounds.max, { error: what });
  if (bounds.below !== undefined) s = s.lt(bounds.below, { error: what });
  return s;
}

/** One of some names. */
export function oneOf<N extends string>(names: readonly N[]) {
  const listed = `one of ${names.map((n) => `"${n}"`).join(', ')}`;
  return z.enum(names, { error: (issue) => (typeof issue.input === 'string' ? suggest(issue.input, names) : listed) });
}

/** true or false. */
export const flag = z.boolean({ error: 'true or false' });
/** A count: 1, 2, ... */
export const size = integer(1, 'a positive integer');

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
