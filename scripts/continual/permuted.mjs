// Permuted MNIST: every task has the same images, their pixels in an order of its own. Two recipes: `agem`, that of A-GEM's comparison (one epoch, batch 10, SGD),
// and `long`, with a budget of our choice. Accuracies on each task's 10,000 test images are kept in results/<recipe>.json as they come; a run that was broken off goes on.
//   node scripts/continual/permuted.mjs agem [--seeds 5] [--tasks 17] [--rows 60000] [--to DIR]     Needs npm run build.
// The same recipe in PyTorch: permuted-torch.py. Both into docs/continual.md: page.mjs.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  adapter,
  batchNorm,
  classify,
  column,
  dense,
  dropout,
  input,
  linearLaterals,
  prognet,
  readNetwork,
  relu,
} from '../../dist/index.js';
import { loadData, NodeRuntime } from '../../dist/node.js';
import { Tensor } from '../../dist/onnx/index.js';
import { at, begin, folder, keep } from './kept.mjs';

const recipes = {
  // 784-256-256-10 with laterals as in equation 1 of the paper.
  agem: {
    tasks: 17,
    blocks: [
      [dense(256), relu()],
      [dense(256), relu()],
    ],
    laterals: linearLaterals(),
    train: { optimizer: 'sgd', lr: 0.1, batch: 10, epochs: 1 },
  },
  long: {
    tasks: 10,
    blocks: [
      [dropout(0.2), dense(1024), batchNorm(), relu()],
      [dropout(0.3), dense(1024), batchNorm(), relu(), dropout(0.3)],
    ],
    laterals: adapter({ from: ['t0'], rank: 4, alpha: 0.01, into: [1] }),
    train: { optimizer: 'adamw', weight_decay: 0.05, lr: 0.003, batch: 256, epochs: 24, schedule: 'cosine' },
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5' },
    tasks: { type: 'string' },
    rows: { type: 'string', default: '60000' },
    to: { type: 'string', default: folder },
  },
});
const [name = 'agem'] = positionals;
const recipe = recipes[name];
if (recipe === undefined) throw new Error(`recipe "${name}" is unknown, there are: ${Object.keys(recipes).join(', ')}`);
const [seeds, tasks, rows] = [Number(values.seeds), Number(values.tasks ?? recipe.tasks), Number(values.rows)];
const mnist = await loadData('mnist', { baseDir: fileURLToPath(at('../..')) });
const on = await NodeRuntime.load();
// Ops of this size gain nothing from a second thread, and lose much where the machine does other things as well.
const session = { threads: 1 };

/** The pixels of the first images in this order, as bytes, which training scales to 0..1. */
function permuted({ inputs, targets }, count, order) {
  const pixels = new Uint8Array(count * 784);
  for (let n = 0; n < count; n++) for (let i = 0; i < 784; i++) pixels[n * 784 + i] = inputs.data[n * 784 + order[i]];
  const first = Tensor.from('int64', Array.from(targets.data.subarray(0, count), Number), [count]);
  return { inputs: new Tensor('uint8', [count, 784], pixels), targets: first };
}

/** An order of all pixels that follows from a seed and the task; the first task has the images as they are. */
function orderOf(seed, task) {
  const order = Uint16Array.from({ length: 784 }, (_, i) => i);
  if (task === 0) return order;
  let state = Math.imul(seed * 1000 + task, 2654435761) >>> 0;
  for (let i = 783; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

begin(name, JSON.parse(JSON.stringify({ recipe, rows })), values.to);
const cache = values.to === folder ? fileURLToPath(at('../../.cache/continual')) : values.to;
mkdirSync(cache, { recursive: true });
const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 8);
for (let seed = 0; seed < seeds; seed++) {
  const file = `${cache}/${name}-${digest}-${rows}-${seed}.prognet`;
  let network = existsSync(file)
    ? await readNetwork(new Uint8Array(readFileSync(file)))
    : prognet({ name, seed: seed + 1, input: input('pixels', [784]) });
  for (let task = network.tasks.length; task < tasks; task++) {
    const order = orderOf(seed, task);
    const began = performance.now();
    const { blocks, laterals, train } = recipe;
    const grown = network.grow(column(`t${task}`, { blocks, head: classify(10), ...(task > 0 && { laterals }) }));
    ({ network } = await grown.train(`t${task}`, { on, session, data: permuted(mnist.train, rows, order), ...train }));
    const { value } = await network.evaluate(`t${task}`, permuted(mnist.test, mnist.test.inputs.dims[0], order), { on, session });
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    const parameters = network.columns.column(`t${task}`).parameters.count;
    writeFileSync(file, await network.save());
    keep(name, { by: 'prognet', seed, task, accuracy: value, parameters, seconds }, values.to);
    console.error(
      `seed ${seed}, task ${task}: ${(100 * value).toFixed(2)} %, ${parameters.toLocaleString('en')} parameters, ${seconds} s`,
    );
  }
}
