// The identity of a data set: a hash of its content (node only).
import { createHash } from 'node:crypto';
import type { Dataset, SampleSet } from './dataset.js';
import { isTensor } from './samples.js';

/** Bytes hashed at once; Node's hash takes less than 2 GiB. */
const chunk = 256 * 2 ** 20;

/** sha256 in hex over dtype, dims and bytes of inputs (in the network's order) and targets. Equal for equal data, however it was read. */
export function fingerprint({ inputs, targets }: Dataset | SampleSet): string {
  const hash = createHash('sha256');
  const arrays = isTensor(inputs) ? [inputs] : Object.values(inputs);
  for (const { dtype, dims, bytes } of [...arrays, targets]) {
    hash.update(`${JSON.stringify([dtype, dims])}\n`);
    for (let at = 0; at < bytes.length; at += chunk) hash.update(bytes.subarray(at, at + chunk));
  }
  return hash.digest('hex');
}
