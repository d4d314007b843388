// Samples of a network: its inputs by name, each a tensor whose first axis counts the samples.
import { DataError, must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Rows } from './rows.js';

/** Each [D, ...], of one D. */
export type Samples = Readonly<Record<string, Tensor>>;
/** The same, in memory or on disk. */
export type SampleRows = Readonly<Record<string, Rows>>;

/** Number of samples. */
export function countOf(samples: SampleRows | Rows): number {
  return (isRows(samples) ? samples : must(Object.values(samples)[0], 'input')).dims[0] ?? 0;
}

/** Each input made another. */
export function mapSamples<T, R extends Rows>(
  samples: Readonly<Record<string, R>>,
  each: (rows: R, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(samples).map(([name, tensor]) => [name, each(tensor, name)]));
}

/** Rows by name, not rows alone. */
const byName = <R extends Rows>(value: Readonly<Record<string, R>> | R): value is Readonly<Record<string, R>> =>
  !('dtype' in value && typeof value.dtype === 'string');

/** Rows alone, in the place of rows by name. */
export function isRows<R extends Rows>(value: Readonly<Record<string, R>> | R): value is R {
  return !byName(value);
}

/** Under the names by which data are hashed: the first input is `inputs`, a further one `inputs/<name>`. */
export function hashNamed<R extends Rows>(samples: Readonly<Record<string, R>>): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(samples).map(([name, tensor], i) => [i === 0 ? 'inputs' : `inputs/${name}`, tensor]));
}

/**
 * Inputs under the network's names, in its order: a tensor alone is the network's only input.
 * @throws DataError for a tensor alone where the network has several inputs, and for names that are not the network's
 */
export function namedSamples<R extends Rows>(
  given: Readonly<Record<string, R>> | R,
  names: readonly string[],
  where: string,
): Readonly<Record<string, R>> {
  const quoted = (list: readonly string[]) => list.map((name) => JSON.stringify(name)).join(', ') || 'none';
  const fail = (got: string): never => {
    const expected = `{ ${names.join(', ')} }`;
    throw new DataError(`${where}: ${got}, expected ${expected}`, { path: where, expected, got });
  };
  if (typeof given !== 'object' || given === null) return fail(`inputs are ${given === null ? 'null' : typeof given}`);
  if (!byName(given)) {
    const [only] = names;
    if (only === undefined || names.length > 1) return fail(`one tensor for ${names.length} inputs`);
    return { [only]: given };
  }
  const found = Object.keys(given);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(given, name)))
    fail(`inputs named ${quoted(found)} for those named ${quoted(names)}`);
  return Object.fromEntries(names.map((name) => [name, must(given[name], name)]));
}

/** Of inputs by name those that a task reads, where they are asked about all tasks together; a tensor alone, and what holds none of them, as it is. */
export function samplesFor<R extends Rows>(
  given: Readonly<Record<string, R>> | R,
  inputs: readonly { readonly name: string }[],
): Readonly<Record<string, R>> | R {
  if (typeof given !== 'object' || given === null || !byName(given)) return given;
  const own = Object.entries(given).filter(([name]) => inputs.some((input) => input.name === name));
  return own.length === 0 ? given : Object.fromEntries(own);
}
