// MNIST read row by row, a sequence of 28 steps: an LSTM column, a convolutional column that reads it, and the two the other way round; test accuracy of
// each, kept in results/rows.json.
//   node scripts/transfer/rows.mjs [--epochs 3] [--rows 60000] [--batch 128] [--test 10000] [--to results.json]     Needs npm run build.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  adapter,
  classify,
  column,
  conv2d,
  dense,
  flatten,
  input,
  lstm,
  maxpool2d,
  prognet,
  relu,
  reshape,
} from '../../dist/index.js';
import { loadData, NodeRuntime } from '../../dist/node.js';
import { resultsOf, writePage } from './page.mjs';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '3' },
    rows: { type: 'string', default: '60000' },
    batch: { type: 'string', default: '128' },
    test: { type: 'string', default: '10000' },
    to: { type: 'string', default: resultsOf('rows') },
  },
});
const [epochs, rows, testRows] = [values.epochs, values.rows, values.test].map(Number);
const mnist = await loadData('mnist', { baseDir: fileURLToPath(new URL('../..', import.meta.url)) });
const leading = (t, count) =>
  new t.constructor(t.dtype, [count, ...t.dims.slice(1)], t.data.subarray(0, (t.data.length / t.dims[0]) * count));
const part = ({ inputs, targets }, count) => ({ inputs: leading(inputs, count), targets: leading(targets, count) });
const [data, test] = [part(mnist.train, rows), part(mnist.test, testRows)];
const on = await NodeRuntime.load();
const settings = { epochs, batch: Number(values.batch), optimizer: 'adam', lr: 0.002, schedule: 'cosine' };

const blocks = {
  lstm: [[reshape([28, 28]), lstm(128, { sequences: true })], [lstm(128)]],
  conv: [
    [conv2d(8, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [conv2d(16, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [flatten(), dense(64), relu()],
  ],
};
const one = (task, laterals) => column(task, { blocks: blocks[task], head: classify(10), ...(laterals && { laterals }) });

const columns = [];
for (const [first, second] of [
  ['lstm', 'conv'],
  ['conv', 'lstm'],
]) {
  let network = prognet({ name: 'rows', seed: 1, input: input('image', [1, 28, 28]) });
  for (const next of [one(first), one(second, adapter({ rank: 16, join: 'steps', into: [1] }))]) {
    const began = performance.now();
    ({ network } = await network.grow(next).train(next.task, { on, data, ...settings }));
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    const { value } = await network.evaluate(next.task, test, { on });
    const parameters = network.columns.column(next.task).parameters.count;
    columns.push({ task: next.task, reading: next.task === first ? undefined : first, parameters, accuracy: value, seconds });
    writeFileSync(values.to, `${JSON.stringify({ settings, rows, testRows: test.targets.dims[0], columns }, undefined, 1)}\n`);
    console.error(`${next.task}${next.task === first ? '' : `, reading ${first}`}: ${(100 * value).toFixed(2)} %, ${seconds} s`);
  }
}
if (values.to === resultsOf('rows')) writePage();
