// Inputs that follow of others: the mask and the token types of a text. Data need not bring them.
import type { NetworkInput } from '../model/progressive/inputs.js';
import { DataError, must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { inMemory, type Rows } from './rows.js';

/** The inputs that data bring; the others follow of them. */
export function inputsBrought(inputs: readonly NetworkInput[]): readonly NetworkInput[] {
  return inputs.filter(({ mask, types = mask }) => types === undefined);
}

/** All inputs, in the network's order: what samples lack and what follows of them is made. Throws DataError. */
export function withFollowing<R extends Rows>(
  inputs: readonly NetworkInput[],
  samples: Readonly<Record<string, R>>,
  where: string,
): Readonly<Record<string, R | Tensor>> {
  if (inputs.every(({ name }) => Object.hasOwn(samples, name))) return samples;
  return Object.fromEntries(inputs.map((input) => [input.name, samples[input.name] ?? following(input, inputs, samples, where)]));
}

function following(
  { name, mask, types = mask }: NetworkInput,
  inputs: readonly NetworkInput[],
  samples: Readonly<Record<string, Rows>>,
  where: string,
): Tensor {
  const text = must(types, name);
  const ids = samples[text];
  if (ids === undefined || !inMemory(ids)) {
    const expected = ids === undefined ? `the input "${text}" too` : 'rows in memory, of which it follows';
    throw new DataError(`${where}: input "${name}" follows of "${text}", expected ${expected}`, { path: where, expected });
  }
  if (mask === undefined) return Tensor.zeros('int64', ids.dims);
  const pad = BigInt(must(inputs.find((input) => input.name === text)?.tokens, text).padding.id);
  return new Tensor(
    'int64',
    ids.dims,
    BigInt64Array.from(ids.data as BigInt64Array, (id) => (id === pad ? 0n : 1n)),
  );
}
