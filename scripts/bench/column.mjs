// What the benchmarks of a whole column have in common.
import { node, python } from './harness.mjs';

/** Contestants for column `count` over the earlier ones: `epochs` epochs over `rows` images of MNIST. `what` as in column-prognet.mjs. */
export function columnContestants(kind, count, rows, epochs, ...what) {
  const numbers = [count, rows, epochs].map(String);
  return { ours: node('column-prognet.mjs', kind, ...numbers, ...what), torch: python('column-torch.py', kind, ...numbers) };
}
