// What a sweep tries: the values that `--set` names, every combination of them or some that are drawn, each as a description of its own.
import { parseDocument } from 'yaml';
import { trainSchema } from '../../model/description/train-schema.js';
import { optionOf } from '../../model/heads/heads.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import { valueAt } from '../../onnx/core/value-at.js';
import { checkAugment } from '../../train/augment/fit.js';
import { trainSettings } from '../../train/settings.js';
import { pathText, type ValuePath, withValue, writtenColumn } from '../description-value.js';
import { type LoadedWorkspace, withText } from '../load-workspace.js';

/** A place of the column and what is tried there. */
export interface Axis {
  /** As the user named it. */
  readonly name: string;
  readonly path: ValuePath;
  readonly values: readonly unknown[];
}

/** One value for each axis, by name. */
export type Combination = Readonly<Record<string, unknown>>;

/** A combination with one seed: a training of its own. */
export interface PlannedTrial {
  readonly combination: Combination;
  /** Undefined: the column's own. */
  readonly seed: number | undefined;
  /** The description that says so. */
  readonly text: string;
  /** The values that it sets, by path, those that a sweep itself needs included. */
  readonly values: readonly (readonly [ValuePath, unknown])[];
}

/** The part of the training data that is set aside where the description sets none aside. */
const validationPart = 0.1;
/** What decides which task it is, not how well it is learnt. */
const fixed = ['task', 'data', 'like', 'onnx'];
const mostCombinations = 1_000_000;
const mostTrials = 10_000;

/** `train.lr`, `blocks[0][1]` as keys and indices; undefined for a name alone. */
function pathOf(name: string): ValuePath | undefined {
  if (!/[.[]/.test(name)) return undefined;
  const parts = name.match(/[A-Za-z_][\w-]*|\[\d+\]/g) ?? [];
  const path = parts.map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part));
  return pathText(path) === name ? path : undefined;
}

/** Every place below a value whose last part is this key. */
function placesOf(key: string, value: unknown, path: ValuePath = []): ValuePath[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([part, inner]) => {
    const at = [...path, part];
    return [...(part === key ? [at] : []), ...placesOf(key, inner, at)];
  });
}

/** The one place that a name stands for. Throws UsageError for none and for several. */
function resolved(name: string, column: Readonly<Record<string, unknown>>, task: string): ValuePath {
  const refuse = (what: string): never => {
    throw new UsageError(`--set ${name}: ${what}`, { path: '--set', got: name });
  };
  const path = pathOf(name);
  const isFixed = (at: ValuePath) => fixed.includes(String(at[0]));
  const train = Object.keys(trainSchema.shape);
  if (path !== undefined) {
    if (isFixed(path)) refuse(`${String(path[0])} makes another task of it, expected what decides how it is learnt`);
    return path;
  }
  if (fixed.includes(name)) refuse(`${name} makes another task of it, expected what decides how it is learnt`);
  if (['blocks', 'head', 'heads', 'laterals', 'prepare', 'train'].includes(name)) return [name];
  if (train.includes(name)) return ['train', name];
  const ofHead = optionOf(column.head, name);
  if (ofHead !== undefined) return ['head', ...ofHead.path];
  const places = placesOf(name, column).filter((at) => !isFixed(at));
  const [only, another] = places;
  if (only === undefined)
    return refuse(
      `task "${task}" has no such value, expected a path such as train.lr or blocks[0][0].dense, or one of ${train.join(', ')}`,
    );
  if (another !== undefined) refuse(`stands at ${places.map(pathText).join(' and ')}, expected one of these paths`);
  if (typeof valueAt(column, only) === 'object')
    refuse(`${pathText(only)} has options of its own, expected one of them such as ${pathText(only)}.<option>`);
  return only;
}

/** `lr=0.1,0.01` as an axis of this column. Throws UsageError. */
function axisOf(given: string, text: string, task: string): Axis {
  const at = given.indexOf('=');
  const name = given.slice(0, at).trim();
  const document = parseDocument(`[${given.slice(at + 1)}]`);
  const values: unknown = document.errors.length === 0 ? document.toJS() : undefined;
  if (at < 1 || !Array.isArray(values) || values.length === 0 || values.includes(null))
    throw new UsageError(`--set: found "${given}", expected <name>=<value>,<value> such as lr=0.1,0.01`, {
      path: '--set',
      expected: '<name>=<value>,<value>',
      got: given,
    });
  return { name, path: resolved(name, writtenColumn(text, task), task), values };
}

/** All combinations in order, the last axis first to change; of more than `trials` so many, drawn by the seed. */
function combinationsOf(axes: readonly Axis[], trials: number | undefined, seed: number): Combination[] {
  const total = axes.reduce((n, { values }) => n * values.length, 1);
  if (total > mostCombinations)
    throw new UsageError(`--set: ${total} combinations, expected at most ${mostCombinations}`, { path: '--set' });
  const at = (index: number): Combination => {
    let rest = index;
    const chosen = [...axes].reverse().map(({ name, values }) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return [name, value] as const;
    });
    return Object.fromEntries(chosen.reverse());
  };
  const indices = Array.from({ length: total }, (_, i) => i);
  if (trials === undefined || trials >= total) return indices.map(at);
  const random = new Random(seed, 'sweep');
  for (let i = 0; i < trials; i++) {
    const j = i + random.below(total - i);
    [indices[i], indices[j]] = [must(indices[j], 'index'), must(indices[i], 'index')];
  }
  return indices
    .slice(0, trials)
    .sort((a, b) => a - b)
    .map(at);
}

/** What a sweep is asked to try. */
export interface PlanOptions {
  readonly set: readonly string[];
  /** At most so many combinations, drawn by the description's seed. */
  readonly trials?: number;
  /** Trainings of each combination, by seeds that follow each other. */
  readonly seeds?: number;
}

/**
 * The trials of a sweep, each looked through: what is wrong in one is said before any is run.
 * @throws UsageError for what cannot be set, DescriptionError for a value that the description does not take
 */
export function planTrials(loaded: LoadedWorkspace, text: string, task: string, options: PlanOptions): PlannedTrial[] {
  const { set, trials, seeds = 1 } = options;
  const axes = set.map((given) => axisOf(given, text, task));
  const twice = axes.find(({ path }, i) => axes.some((other, k) => k < i && pathText(other.path) === pathText(path)));
  if (twice !== undefined) throw new UsageError(`--set ${twice.name}: is set twice`, { path: '--set', got: twice.name });
  if (seeds > 1 && axes.some(({ path }) => pathText(path) === 'train.seed'))
    throw new UsageError('give --set seed or --seeds, not both', { path: '--seeds' });
  const combinations = combinationsOf(axes, trials, loaded.description.seed);
  if (combinations.length * seeds > mostTrials)
    throw new UsageError(`${combinations.length * seeds} trials, expected at most ${mostTrials}: --trials draws some of them`, {
      path: '--trials',
    });
  return combinations.flatMap((combination) => {
    const set = axes.map(({ name, path }) => [path, combination[name]] as const);
    const written = set.reduce((t, [path, value]) => withValue(t, loaded.file, task, path, value), text);
    const column = withText(loaded, written).columns.column(task);
    const settings = trainSettings(column.train, column.seed, column.head);
    checkAugment(column, settings.augment);
    if (settings.validation === 0 && column.train.validation !== undefined)
      throw new UsageError('a sweep measures on the validation part, expected a validation above 0', {
        expected: 'validation above 0',
        got: '0',
      });
    const values = settings.validation > 0 ? set : [...set, [['train', 'validation'], validationPart] as const];
    return Array.from({ length: seeds }, (_, k): PlannedTrial => {
      const seed = k === 0 ? undefined : column.seed + k;
      const all = seed === undefined ? values : [...values, [['train', 'seed'], seed] as const];
      return {
        combination,
        seed,
        text: all.reduce((t, [path, value]) => withValue(t, loaded.file, task, path, value), text),
        values: all,
      };
    });
  });
}

/** The lines in which a trial's description differs from what is written: `train.lr: 0.01`. */
export function linesOf(text: string, task: string, values: PlannedTrial['values']): string[] {
  const column = writtenColumn(text, task);
  return values
    .filter(([path, value]) => JSON.stringify(valueAt(column, path)) !== JSON.stringify(value))
    .map(([path, value]) => `${pathText(path)}: ${JSON.stringify(value)}`);
}
