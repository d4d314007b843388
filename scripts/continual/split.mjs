// Split Fashion-MNIST: five tasks of two classes each, the task known. Columns of two dense layers of 100, one that stands alone and progressive ones with
// adapters; few examples of each class, and all. What Avalanche's columns reach by the same recipe: split-avalanche.py, which reads the rows that this writes.
//   node scripts/continual/split.mjs [--seeds 5] [--each 25,100,6000]     Needs npm run build. Kept in results/split.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { adapter, classify, column, dense, input, prognet, relu } from '../../dist/index.js';
import { loadData, NodeRuntime } from '../../dist/node.js';
import { Tensor } from '../../dist/onnx/index.js';
import { at, begin, keep, resultsOf } from './kept.mjs';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, each: { type: 'string', default: '25,100,6000' } },
});
const recipe = { width: 100, tasks: 5, steps: 750, batch: 32, optimizer: 'adam', lr: 0.001 };
const repository = fileURLToPath(at('../..'));
const images = { inputs: [{ name: 'image', dtype: 'uint8', shape: [1, 28, 28] }], head: { kind: 'classify', classes: 10 } };
const fashion = await loadData('fashion-mnist', { baseDir: repository, ...images });
const on = await NodeRuntime.load();
// Ops of this size gain nothing from a second thread, and lose much where the machine does other things as well.
const session = { threads: 1 };

/** Of these two classes the first so many rows each from a place of the seed's, in the order of the set. */
function drawn({ inputs, targets }, task, each, seed) {
  const rows = [];
  for (const kind of [2 * task, 2 * task + 1]) {
    const own = [];
    targets.data.forEach((c, row) => {
      if (Number(c) === kind) own.push(row);
    });
    const first = (seed * each) % Math.max(1, own.length - each + 1);
    rows.push(...own.slice(first, first + each));
  }
  rows.sort((a, b) => a - b);
  const pixels = new Uint8Array(rows.length * 784);
  rows.forEach((row, n) => void pixels.set(inputs.data.subarray(row * 784, (row + 1) * 784), n * 784));
  const classes = rows.map((row) => Number(targets.data[row]) - 2 * task);
  return { inputs: new Tensor('uint8', [rows.length, 784], pixels), targets: Tensor.from('int64', classes, [rows.length]) };
}

/** For the peer: one file of all rows, first the pixels and then the classes. */
function write(file, { inputs, targets }) {
  writeFileSync(file, Buffer.concat([Buffer.from(inputs.data), Buffer.from(Array.from(targets.data, Number))]));
}

const folder = fileURLToPath(at('../../.cache/continual/split'));
mkdirSync(folder, { recursive: true });
const [seeds, sizes] = [Number(values.seeds), values.each.split(',').map(Number)];
begin('split', { recipe });
for (let task = 0; task < recipe.tasks; task++) {
  const test = drawn(fashion.test, task, 1000, 0);
  write(`${folder}/test-${task}.bin`, test);
  for (const each of sizes)
    for (let seed = 0; seed < seeds; seed++)
      write(`${folder}/train-${task}-${each}-${seed}.bin`, drawn(fashion.train, task, each, seed));
}

const blocks = [
  [dense(recipe.width), relu()],
  [dense(recipe.width), relu()],
];
for (const each of sizes)
  for (let seed = 0; seed < seeds; seed++)
    for (const [way, laterals] of Object.entries({
      'prognet, progressive': adapter(),
      'prognet, each alone': { kind: 'none' },
    })) {
      if (resultsOf('split').runs.some((r) => r.by === way && r.each === each && r.seed === seed)) continue;
      let network = prognet({ name: 'split', seed: seed + 1, input: input('pixels', [784]) });
      const began = performance.now();
      const accuracies = [];
      for (let task = 0; task < recipe.tasks; task++) {
        const { batch, optimizer, lr } = recipe;
        const epochs = Math.max(1, Math.round(recipe.steps / Math.ceil((2 * each) / batch)));
        const grown = network.grow(column(`t${task}`, { blocks, head: classify(2), ...(task > 0 && { laterals }) }));
        const data = drawn(fashion.train, task, each, seed);
        ({ network } = await grown.train(`t${task}`, { on, session, data, epochs, batch, optimizer, lr }));
      }
      for (let task = 0; task < recipe.tasks; task++)
        accuracies.push((await network.evaluate(`t${task}`, drawn(fashion.test, task, 1000, 0), { on, session })).value);
      const parameters = [...network.columns].reduce((n, c) => n + c.parameters.count, 0);
      await network.close();
      const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
      keep('split', { by: way, each, seed, accuracies, parameters, seconds });
      const mean = accuracies.reduce((a, b) => a + b, 0) / accuracies.length;
      console.error(
        `${way}, ${each} a class, seed ${seed}: ${(100 * mean).toFixed(2)} %, ${parameters.toLocaleString('en')} parameters, ${seconds} s`,
      );
    }
