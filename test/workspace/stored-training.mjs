// A training whose taps go to disk, as a process of its own: tap-store-killed.test.ts kills it. Arguments: the store's folder. Prints the sha256 of
// the weights.

import { columnsOf, initialWeights, parseDescription, Tensor, train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { sha256Tensors } from '../../dist/onnx/files/hash.js';
import { TapStore } from '../../dist/workspace/tap-store.js';

const [folder] = process.argv.slice(2);
const rows = 20_000;
const column = (task) => ({
  task,
  blocks: [
    [{ dense: 64 }, 'relu'],
    [{ dense: 64 }, 'relu'],
  ],
  head: { classify: 2 },
});
const description = parseDescription({
  prognet: 1,
  name: 'toy',
  input: { name: 'x', shape: [16] },
  columns: [column('a'), { ...column('b'), laterals: { kind: 'adapter', rank: 4 } }],
});
const inputs = new Tensor(
  'float32',
  [rows, 16],
  Float32Array.from({ length: rows * 16 }, (_, i) => Math.sin(i * i)),
);
const targets = new Tensor(
  'int64',
  [rows],
  BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 2)),
);
const [a, b] = columnsOf(description);
const { weights } = await train({
  runtime: await NodeRuntime.load(),
  column: b,
  frozen: new Map([['a', initialWeights(a)]]),
  settings: trainSettings({ epochs: 1, batch: 500 }, 0),
  train: { inputs: { x: inputs }, targets },
  session: { threads: 1 },
  ...(folder === undefined ? {} : { tapBudget: 0, tapStorage: new TapStore(folder, 'test') }),
  onEvent: (e) => process.stderr.write(`${e.kind === 'stored' && e.found ? 'found' : e.kind}\n`),
});
console.log(sha256Tensors(weights));
