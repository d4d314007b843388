// Samples of a network: its inputs by name, each a tensor whose first axis counts the samples.
import { DataError, must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** Each [D, ...], of one D. */
export type Samples = Readonly<Record<string, Tensor>>;

/** Number of samples. */
export function countOf(samples: Samples | Tensor): number {
  return (isTensor(samples) ? samples : must(Object.values(samples)[0], 'input')).dims[0] ?? 0;
}

/** Each input made another. */
export function mapSamples<T>(samples: Samples, each: (tensor: Tensor, name: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(samples).map(([name, tensor]) => [name, each(tensor, name)]));
}

/** A tensor alone, in the place of tensors by name. */
export function isTensor<T extends object>(value: Readonly<Record<string, T>> | T): value is T {
  return 'dtype' in value && typeof value.dtype === 'string';
}

/** Under the names by which data are hashed: the first input is `inputs`, a further one `inputs/<name>`. */
export function hashNamed(samples: Samples): Samples {
  return Object.fromEntries(Object.entries(samples).map(([name, tensor], i) => [i === 0 ? 'inputs' : `inputs/${name}`, tensor]));
}

/**
 * Inputs under the network's names, in its order: a tensor alone is the network's only input.
 * @throws DataError for a tensor alone where the network has several inputs, and for names that are not the network's
 */
export function namedSamples(given: Samples | Tensor, names: readonly string[], where: string): Samples {
  const quoted = (list: readonly string[]) => list.map((name) => JSON.stringify(name)).join(', ') || 'none';
  const fail = (got: string): never => {
    const expected = `{ ${names.join(', ')} }`;
    throw new DataError(`${where}: ${got}, expected ${expected}`, { path: where, expected, got });
  };
  if (typeof given !== 'object' || given === null) return fail(`inputs are ${given === null ? 'null' : typeof given}`);
  if (isTensor(given)) {
    const [only] = names;
    if (only === undefined || names.length > 1) return fail(`one tensor for ${names.length} inputs`);
    return { [only]: given };
  }
  const found = Object.keys(given);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(given, name)))
    fail(`inputs named ${quoted(found)} for those named ${quoted(names)}`);
  return Object.fromEntries(names.map((name) => [name, must(given[name], name)]));
}
