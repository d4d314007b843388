// What schemas of descriptions are made of: variants that a name or a key tells apart, and leaves such as sizes and bounded numbers. Messages
// of these schemas say what would be right; what was found is added later.
import * as z from 'zod';

// ---- sums: a value that names one of several variants -------------------------------------------------------------------

/** One variant: the schema of its options, the option that `{ name: value }` sets, an example where options are needed, a sentence. */
export interface Variant<T extends z.ZodType = z.ZodType, M extends string = string> {
  readonly options: T;
  readonly main: M | undefined;
  readonly example: string | undefined;
  /** What it is, in a sentence, for readers of the JSON Schema. */
  readonly doc: string | undefined;
}

/** Table of variants by name. */
export type Variants = Readonly<Record<string, Variant>>;

/** The fields of an object; zod gives an object without any an index signature instead. */
type Fields<T> = string extends keyof T ? Record<never, never> : T;
/** The options of a variant as written. */
export type Options<V> = V extends Variant<infer T, string> ? Fields<z.input<T>> : never;
type Main<V> = V extends Variant<infer T, infer M> ? (M extends keyof z.input<T> ? NonNullable<z.input<T>[M]> : never) : never;

/** The options of every variant as written, by its name. */
export type OptionsOf<T extends Variants> = { [K in keyof T & string]: { [P in keyof Options<T[K]>]: Options<T[K]>[P] } };
/** What `{ name: value }` may have as its value, by the name; `never` where options must be named. */
export type ValuesOf<T extends Variants> = { [K in keyof T & string]: Main<T[K]> };

/** Options beside the kind that they belong to. */
export type WithKind<K, O> = { [P in keyof ({ kind: K } & O)]: ({ kind: K } & O)[P] };

/** What may be written where the name is a field: `name` (when nothing is required) or `{ kind: name, ...options }`. O: options by name. */
export type WrittenKind<O> = {
  [K in keyof O]: (Record<never, never> extends O[K] ? K : never) | WithKind<K, O[K]>;
}[keyof O];

/**
 * What may be written for one of several kinds: `name` (where no option is required), `{ name: value }`, `{ name: { options } }`, or
 * `{ kind: name, ...options }`. O holds each kind's options by its name, V what may stand in place of them.
 */
export type Written<O, V extends Record<keyof O, unknown>> =
  | { [K in keyof O]: { [P in K]: O[K] | V[K] } }[keyof O]
  | WrittenKind<O>;

/** The options of every variant with all defaults filled in, by its name. */
export type FilledOf<T extends Variants> = {
  [K in keyof T & string]: { [P in keyof Fields<z.output<T[K]['options']>>]: Fields<z.output<T[K]['options']>>[P] };
};

/** What comes out for one of several kinds: `{ kind: name, ...options }`, every default filled in. O: options by name. */
export type Filled<O> = { [K in keyof O]: WithKind<K, O[K]> }[keyof O];

/** A variant; `main` names the option that stands for all in `{ name: value }` (the others must then have defaults). */
export function variant<T extends z.ZodType, M extends keyof z.input<T> & string = never>(
  options: T,
  main?: M,
  example?: string,
  doc?: string,
): Variant<T, M> {
  return { options, main, example, doc };
}

/** A variant whose options all have their names written. */
export function plainVariant<T extends z.ZodType>(options: T, doc: string): Variant<T, never> {
  return { options, main: undefined, example: undefined, doc };
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

/**
 * An object with these keys and no others; `what` finishes the sentence "expected ...". `elsewhere`: keys that belong to another place, and what
 * is right instead.
 */
export function strict<S extends z.ZodRawShape>(
  shape: S,
  what = 'an object of options',
  elsewhere: Readonly<Record<string, string>> = {},
) {
  const right = (key: string) => (Object.hasOwn(elsewhere, key) ? elsewhere[key] : suggest(key, Object.keys(shape)));
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? right(String(issue.keys[0])) : what),
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
  return (value: unknown, ctx: z.RefinementCtx): Filled<FilledOf<T>> => {
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
    return Object.assign({ kind: name }, result.data) as Filled<FilledOf<T>>;
  };
}

/**
 * A schema that first reads which variant is named and then checks that variant alone, so that an error speaks of what was meant.
 * Takes `name`, `{ name: value }`, `{ name: { options } }` and the normalised `{ kind: name, ...options }`.
 * In JSON Schema it is a reference to `#/$defs/<definition>`, whose content is `taggedDefinition(table)`.
 */
export function tagged<T extends Variants>(
  what: string,
  table: T,
  definition = what,
): z.ZodType<Filled<FilledOf<T>>, Written<OptionsOf<T>, ValuesOf<T>>> {
  return z
    .custom<Written<OptionsOf<T>, ValuesOf<T>>>()
    .transform(taggedTransform(what, table, false))
    .meta({ $ref: `#/$defs/${definition}` });
}

/** As `tagged`, for `name` and `{ kind: name, ...options }` only. */
export function taggedByKind<T extends Variants>(
  what: string,
  table: T,
): z.ZodType<Filled<FilledOf<T>>, WrittenKind<OptionsOf<T>>> {
  return z
    .custom<WrittenKind<OptionsOf<T>>>()
    .transform(taggedTransform(what, table, true))
    .meta({ $ref: `#/$defs/${what}` });
}

/** The written forms of a table as one plain union, for JSON Schema only; `beside`: keys that may stand beside the variant's. */
export function taggedDefinition(table: Variants, form: 'key' | 'kind' = 'key', beside: z.ZodRawShape = {}): z.ZodType {
  const bare: string[] = [];
  const objects: z.ZodType[] = [];
  for (const [name, { options, main, doc }] of Object.entries(table)) {
    if (options.safeParse({}).success) bare.push(name);
    const object = options instanceof z.ZodPipe ? options.in : options;
    if (!(object instanceof z.ZodObject)) continue;
    const mainField: unknown = main === undefined ? undefined : object.shape[main];
    const told = <S extends z.ZodType>(schema: S): S => (doc === undefined ? schema : schema.describe(doc));
    const written =
      form === 'kind'
        ? z.strictObject({ kind: told(z.literal(name)), ...object.shape })
        : z.strictObject({ [name]: told(mainField instanceof z.ZodType ? z.union([mainField, object]) : object), ...beside });
    objects.push(told(written));
  }
  return z.union(bare.length > 0 ? [z.enum(bare), ...objects] : objects);
}

// ---- leaves -------------------------------------------------------------------------------------------------------------

/** An integer of at least `min`. */
export function integer(min: number, what: string | ((issue: { readonly input?: unknown }) => string)) {
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
