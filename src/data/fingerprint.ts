// The identity of a data set: a hash of its content (node only).
import { createHash } from 'node:crypto';
import type { AnySet } from './dataset.js';
import { inMemory, rowBytes, runsOf } from './rows.js';
import { isRows } from './samples.js';
import { RowsFile } from './stored/rows-file.js';

/** Bytes hashed at once; Node's hash takes less than 2 GiB. */
const chunk = 256 * 2 ** 20;
/** Of rows on disk. */
const blockBytes = 2 ** 24;

/** sha256 in hex over dtype, dims and bytes of inputs (in the network's order) and targets. Equal for equal data, however it was read. */
export function fingerprint({ inputs, targets }: AnySet): string {
  const arrays = isRows(inputs) ? [inputs] : Object.values(inputs);
  const [only] = arrays;
  const known = arrays.length === 1 && only instanceof RowsFile ? only.hashed() : undefined;
  const hash = known ?? createHash('sha256');
  for (const rows of [...(known === undefined ? arrays : []), targets]) {
    hash.update(`${JSON.stringify([rows.dtype, rows.dims])}\n`);
    if (!inMemory(rows)) {
      for (const { part } of runsOf(rows, Math.ceil(blockBytes / rowBytes(rows)))) hash.update(part.bytes);
      continue;
    }
    const { bytes } = rows;
    for (let at = 0; at < bytes.length; at += chunk) hash.update(bytes.subarray(at, at + chunk));
  }
  return hash.digest('hex');
}
