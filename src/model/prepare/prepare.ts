// What follows from the list of steps: the table by name, the schema, and the steps of a column lowered ahead of its first block.
import type * as z from 'zod';
import { DescriptionError, InternalError, must, PrognetError, ShapeError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { type Feature, hasCategories } from '../description/features.js';
import { formatSample, sampleDims } from '../nn/sample.js';
import {
  type Filled,
  type FilledOf,
  type OptionsOf,
  tagged,
  taggedDefinition,
  type ValuesOf,
  type Variants,
  type Written,
} from '../nn/schema.js';
import type { LayerScope } from '../nn/scope.js';
import { channelShape } from './channels.js';
import type { AnyStep, Learning, StepContext } from './step.js';
import * as list from './steps/index.js';

type List = typeof list;
type Table = { readonly [F in keyof List as List[F]['definition']['kind']]: List[F]['definition'] };

/** The options of every step as written, by its name. */
export interface Steps extends OptionsOf<Table> {}
/** What `{ name: value }` may have as its value, by the step's name. */
export interface StepValues extends ValuesOf<Table> {}
/** The options of every step with all defaults filled in, by its name. */
export interface FilledSteps extends FilledOf<Table> {}
/** A step of `prepare` with every option filled in; `kind` tells which. */
export type Step = Filled<FilledSteps>;
/** A step as written: `standardise`, `{ scale: 255 }`, `{ normalise: { mean: 0.5, std: 0.5 } }`. */
export type StepInput = Written<Steps, StepValues>;

const definitions = Object.values(list).map(({ definition }) => definition);
const table: Variants = Object.fromEntries(definitions.map((d) => [d.kind, d]));

// The table is made of the list at run time, so that TypeScript knows its rows by the list's type alone.
export const stepSchema = tagged('step', table) as z.ZodType<Step, StepInput>;
/** Names of all steps. */
export const stepNames: readonly string[] = Object.keys(table);
/** What `#/$defs` of a JSON Schema must hold for steps. */
export const stepDefinitions = { step: taggedDefinition(table) };

interface AnyBehaviour {
  lower(c: StepContext, o: AnyStep, x: Value): Value;
  learn?(o: AnyStep, sample: readonly number[]): Learning | undefined;
  readonly takesMissing?: true;
  readonly takesCategories?: true;
}
const behaviours = new Map<string, AnyBehaviour>(definitions.map((d) => [d.kind, d]));

function behaviourOf({ kind }: AnyStep): AnyBehaviour {
  const found = behaviours.get(kind);
  if (found === undefined) throw new InternalError(`no step is called ${kind}`);
  return found;
}

/** Whether values that are not there (NaN) are filled before anything else reads them. */
export function takesMissing(steps: readonly Step[]): boolean {
  return steps.some((step) => behaviourOf(step).takesMissing === true);
}

/** Whether a step learns of the training data. */
export function learns(step: Step): boolean {
  return behaviourOf(step).learn?.(step, [1]) !== undefined;
}

/** Steps of the input that hold for an imported column too: none where one of them would have to learn, for its graph brings what it needs. */
export function importedPrepare(steps: Step[] | undefined): Step[] | undefined {
  return steps?.some(learns) ? undefined : steps;
}

/** Where a column's steps stand: `<task>/prepare` in names, `columns[0].prepare` in errors. */
interface Place {
  readonly scope: LayerScope;
  readonly prefix: string;
  readonly path: string;
  /** What the raw input's numbers are, where it is a table. */
  readonly features?: readonly Feature[] | undefined;
  /** What the raw input's ids are, where it is text. */
  readonly tokens?: object | undefined;
}

/** float32 behind the steps: what a column's first block reads of a raw input x [N, ...]. Throws DescriptionError where a step does not fit. */
export function lowerPrepare(place: Place, steps: readonly Step[], x: Value): Value {
  const { g } = place.scope;
  if (place.tokens !== undefined)
    throw new DescriptionError(`${place.path}: the input is text, whose tokens no step prepares, expected no "prepare"`, {
      path: place.path,
      expected: 'no "prepare"',
    });
  let h = x.dtype === 'float32' ? x : g.cast(x, { to: 'float32' });
  let categories = hasCategories(place.features) ? place.features.map((f) => f.categories?.length ?? 0) : undefined;
  steps.forEach((step, i) => {
    h = lowerStep(place, step, i, h, categories);
    if (behaviourOf(step).takesCategories === true) categories = undefined;
  });
  return h;
}

/** Behind a step: categories that it has no use for as they were. */
function besideCategories(g: Ops, step: Step, before: Value, after: Value, categories: readonly number[] | undefined): Value {
  if (categories === undefined || behaviourOf(step).takesCategories === true) return after;
  const [found, expected] = [sampleDims(after), sampleDims(before)].map((dims) => `[${dims}]`);
  if (found !== expected)
    throw new ShapeError(`it makes ${found} of features ${expected}, some of them categories: one_hot comes before it`, {
      expected: 'one_hot',
    });
  const mask = Uint8Array.from(categories, (count) => Number(count > 0));
  return g.where(g.constant(new Tensor('bool', [1, mask.length], mask)), before, after);
}

function lowerStep(
  { scope, prefix, path }: Place,
  step: Step,
  i: number,
  x: Value,
  categories: readonly number[] | undefined,
): Value {
  const { g } = scope;
  const name = stepName(prefix, step, i);
  const learned: StepContext['learned'] = (what, shape, rest) =>
    scope.parameter({ name: `${name}/${what}`, shape, init: { fill: rest }, role: 'statistic' });
  try {
    return g.scope(name, () => {
      const y = behaviourOf(step).lower({ g, learned, categories }, step, x);
      return besideCategories(g, step, x, y, categories);
    });
  } catch (error) {
    if (!(error instanceof PrognetError) || error instanceof DescriptionError) throw error;
    const at = `${path}[${i}]`;
    const why = `${step.kind} does not fit its input ${formatSample(x)}: ${error.message}`;
    throw new DescriptionError(`${at}: ${why}`, { path: at, cause: error });
  }
}

const stepName = (prefix: string, { kind }: Step, i: number) => `${prefix}/${i}/${kind}`;

/** A step that learns of the training data: rows as they reach it go in, its parameters come out. */
export interface LearningStep {
  add(rows: Tensor): void;
  /** By their names, once all rows were added. */
  parameters(): Map<string, Tensor>;
}

/** Starts step i's learning; undefined where it needs no data. `sample` is the shape of one sample where it stands. */
export function learningOf(
  prefix: string,
  steps: readonly Step[],
  i: number,
  sample: readonly number[],
): LearningStep | undefined {
  const step = must(steps[i], 'step');
  const learning = behaviourOf(step).learn?.(step, sample);
  if (learning === undefined) return undefined;
  const shape = channelShape(sample);
  const parameters = () =>
    new Map(
      Object.entries(learning.values()).map(([what, values]) => [
        `${stepName(prefix, step, i)}/${what}`,
        new Tensor('float32', shape, Float32Array.from(values)),
      ]),
    );
  return { add: (rows) => learning.add(rows), parameters };
}
