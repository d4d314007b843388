// The identity of a data set: a hash of its content (node only).
import { createHash } from 'node:crypto';
import type { Dataset } from './dataset.js';

/** Bytes hashed at once; Node's hash takes less than 2 GiB. */
const chunk = 256 * 2 ** 20;

/** sha256 in hex over dtype, dims and bytes of inputs and targets. Equal for equal data, however it was read. */
export function fingerprint(dataset: Dataset): string {
  const hash = createHash('sha256');
  for (const { dtype, dims, bytes } of [dataset.inputs, dataset.targets]) {
    hash.update(`${JSON.stringify([dtype, dims])}\n`);
    for (let at = 0; at < bytes.length; at += chunk) hash.update(bytes.subarray(at, at + chunk));
  }
  return hash.digest('hex');
}
