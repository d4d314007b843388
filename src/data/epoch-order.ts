// The order in which an epoch takes its rows: any order of rows in memory; of rows on disk block after block, so that each is read once.
import type { Random } from '../onnx/core/random.js';
import { inMemory, type Rows } from './rows.js';

/** Every row's number once, drawn by `random`. */
export function epochOrder(rows: Rows, random: Random): Uint32Array {
  const count = rows.dims[0] ?? 0;
  if (inMemory(rows)) return random.permutation(count);
  const { block, together } = rows.shuffle;
  const blocks = random.permutation(Math.ceil(count / block));
  const order = new Uint32Array(count);
  let to = 0;
  for (let i = 0; i < blocks.length; i += together) {
    const start = to;
    for (const b of blocks.subarray(i, i + together))
      for (let row = b * block; row < Math.min((b + 1) * block, count); row++) order[to++] = row;
    random.shuffle(order.subarray(start, to));
  }
  return order;
}
