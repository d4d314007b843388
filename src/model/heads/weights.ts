// What classes, and labels that are there, count in a loss: a number for each as written (by place, by name, or "balanced"), and the numbers
// that "balanced" stands for in data.
import * as z from 'zod';
import { DataError, UsageError } from '../../onnx/core/errors.js';
import { real, suggest } from '../nn/schema.js';
import type { Named } from './head.js';

/** Numbers in the order of the outputs, numbers by their names, or what follows from the training data. */
export type Weighting = number[] | Record<string, number> | 'balanced';

const weight = real('a non-negative number', { min: 0 });
const positive = real('a positive number', { above: 0 });
const forms = [z.literal('balanced'), z.array(weight), z.record(z.string(), weight)] as const;

/** A weight for each class. */
export const classWeights = z.union(forms, {
  error: '"balanced", a list of numbers, one for each class, or numbers by class name',
});
/** A weight for each label, or one for all. */
export const labelWeights = z.union([positive, z.literal('balanced'), z.array(positive), z.record(z.string(), positive)], {
  error: '"balanced", a positive number, a list of them, one for each label, or numbers by label name',
});

interface Weighed {
  readonly names?: readonly string[] | undefined;
}

/** A check of a head whose weights are written by name: they are names of its outputs. `each` says of what. */
export function refuseMisnamed<K extends string>(option: K, each: 'class' | 'label') {
  return (head: Weighed & { readonly [P in K]?: unknown }, ctx: z.RefinementCtx): void => {
    const { names } = head;
    const given: unknown = head[option];
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
    const other = Object.keys(given).find((name) => names?.includes(name) !== true);
    if (other === undefined) return;
    const fail = (message: string, got?: string) => ctx.addIssue({ code: 'custom', message, path: [option], params: { got } });
    if (names === undefined) fail('expected "names" in the head beside weights by name, or a list');
    else fail(suggest(other, names), `unknown ${each} ${JSON.stringify(other)}`);
  };
}

/**
 * The weight of each output; one that is not named counts 1. Throws UsageError for "balanced", which only a training puts numbers in the place of.
 * @param option its name, for the error
 */
export function weightList(option: string, given: number | Weighting, { names = [] }: Weighed, count: number): number[] {
  if (typeof given === 'number') return new Array<number>(count).fill(given);
  if (Array.isArray(given)) return given;
  if (given !== 'balanced') return Array.from({ length: count }, (_, i) => given[names[i] ?? ''] ?? 1);
  throw new UsageError(
    `${option}: balanced is learned of the data in training, and this column was not trained here: give numbers`,
    {
      path: option,
      expected: 'numbers',
      got: 'balanced',
    },
  );
}

/** D / (k D_c) for each of k classes, D_c of D targets being of class c: each class counts the same in all. Throws DataError for a class without rows. */
export function balancedClasses(targets: ArrayLike<number | bigint>, count: number, { data, output, one }: Named): number[] {
  const met = new Array<number>(count).fill(0);
  for (let i = 0; i < targets.length; i++) {
    const c = Number(targets[i]);
    met[c] = (met[c] ?? 0) + 1;
  }
  return met.map((rows, c) => {
    if (rows > 0) return targets.length / (count * rows);
    throw new DataError(
      `${data}: class_weights: balanced: class ${output(c)} has no ${one} in the training part, expected some of each class, or numbers in place of balanced`,
      { path: 'class_weights', expected: `${one}s of each class`, got: 'none' },
    );
  });
}

/** Of each label the rows without it by the rows with it; targets [D, k] from 0 to 1. Throws DataError for a label that all rows have, or none. */
export function balancedLabels(targets: ArrayLike<number | bigint>, count: number, { data, output, one }: Named): number[] {
  const there = new Array<number>(count).fill(0);
  for (let i = 0; i < targets.length; i++) there[i % count] = (there[i % count] ?? 0) + Number(targets[i]);
  const rows = targets.length / count;
  return there.map((sum, label) => {
    if (sum > 0 && sum < rows) return (rows - sum) / sum;
    const found = `${sum > 0 ? 'every' : 'no'} ${one} of the training part has`;
    throw new DataError(
      `${data}: pos_weight: balanced: ${found} label ${output(label)}, expected some with it and some without, or numbers in place of balanced`,
      { path: 'pos_weight', expected: `${one}s with it and ${one}s without`, got: sum > 0 ? 'all with it' : 'none with it' },
    );
  });
}
