// Twenty tasks compressed to one column of twice a column's size, its twenty heads included: MNIST with its pixels in twenty orders, few images of each. Accuracy
// of each task by its own column, by the column compressed from all tasks at one time and from one after another (online elastic weight consolidation, and nothing
// held), by a column of the same size that is trained on the labels of all tasks at one time, and by one that is trained on them one after another. Kept in
// results/compress.json.
//   node scripts/transfer/compress.mjs [--tasks 20] [--rows 1000] [--test 500] [--epochs 20] [--strength 10] [--decay 1] [--to results.json]     Needs npm run build.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compress } from '../../dist/analysis/compress/compress.js';
import { compressInTurn } from '../../dist/analysis/compress/in-turn.js';
import { parseDescription } from '../../dist/model/description/parse.js';
import { columnsOf } from '../../dist/model/progressive/column.js';
import { taskModel } from '../../dist/model/progressive/forms.js';
import { loadData, NodeRuntime } from '../../dist/node.js';
import { Tensor } from '../../dist/onnx/index.js';
import { toBinary } from '../../dist/onnx/serde/to-binary.js';
import { train } from '../../dist/train/loop.js';
import { trainSettings } from '../../dist/train/settings.js';
import { resultsOf, writePage } from './page.mjs';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '20' },
    rows: { type: 'string', default: '1000' },
    test: { type: 'string', default: '500' },
    epochs: { type: 'string', default: '20' },
    strength: { type: 'string', default: '10' },
    decay: { type: 'string', default: '1' },
    to: { type: 'string', default: resultsOf('compress') },
  },
});
const [tasks, rows, testRows, epochs] = [values.tasks, values.rows, values.test, values.epochs].map(Number);
const [strength, decay] = [values.strength, values.decay].map(Number);
const [units, seed] = [64, 1];
const mnist = await loadData('mnist', { baseDir: fileURLToPath(new URL('../..', import.meta.url)) });
const on = await NodeRuntime.load();

/** An order of the pixels, drawn by a seed; task 0 has them as they are. */
function orderOf(task) {
  let state = Math.imul(task + 1, 2654435761) >>> 0;
  const order = Array.from({ length: 784 }, (_, i) => i);
  for (let i = 783; task > 0 && i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** So many rows of a part from a row on, their pixels in the order of a task. */
function samplesOf({ inputs, targets }, task, from, count) {
  const order = orderOf(task);
  const scale = inputs.dtype === 'uint8' ? 1 / 255 : 1;
  const data = new Float32Array(count * 784);
  for (let n = 0; n < count; n++)
    for (let i = 0; i < 784; i++) data[n * 784 + i] = Number(inputs.data[(from + n) * 784 + order[i]]) * scale;
  const own = Array.from({ length: count }, (_, n) => Number(targets.data[from + n]));
  return {
    inputs: { image: new Tensor('float32', [count, 784], data) },
    targets: Tensor.from('int64', own, [count]),
  };
}

const data = Array.from({ length: tasks }, (_, t) => samplesOf(mnist.train, t, t * rows, rows));
const tests = Array.from({ length: tasks }, (_, t) => samplesOf(mnist.test, t, 0, testRows));
const description = { prognet: 1, name: 'many', input: { name: 'image', shape: [784] }, columns: [] };
const blocksOf = (n) => [
  [{ dense: n }, 'relu'],
  [{ dense: n }, 'relu'],
];
const columnOf = (blocks, head) =>
  columnsOf(parseDescription({ ...description, columns: [{ task: 'one', blocks, head }] })).column('one');
const settings = (column, over = {}) =>
  trainSettings({ epochs, lr: 0.001, schedule: { kind: 'cosine', final: 0, warmup: 0 }, ...over }, seed, column.head);
const learn = async (column, of, start, over) =>
  await train({ runtime: on, column, frozen: new Map(), settings: settings(column, over), train: of, ...(start && { start }) });

/** Scores of a column for images. */
async function scoresOf(column, weights, { image }) {
  const model = taskModel(column.network, new Map([['one', weights]]), { tasks: ['one'] });
  const session = await on.createSession(toBinary(model), {});
  const { one } = await session.run({ image });
  await session.release();
  return one;
}

function accuracyOf(scores, { targets }, at = 0, all = 10) {
  let right = 0;
  for (let n = 0; n < testRows; n++) {
    const own = Array.from({ length: 10 }, (_, j) => Number(scores.data[n * all + at + j]));
    right += Number(own.indexOf(Math.max(...own)) === Number(targets.data[n]));
  }
  return right / testRows;
}

const single = columnOf(blocksOf(units), { classify: 10 });
const count = (column) => column.parameters.count;
/** Parameters of a column of so many units, and of a head over it for each task. */
const sizeOf = (n) => count(columnOf(blocksOf(n), { classify: 10 })) + (tasks - 1) * (n * 10 + 10);
/** The widest column that is no larger than two, all heads included. */
let wideUnits = 1;
while (sizeOf(wideUnits + 1) <= 2 * count(single)) wideUnits++;
const wide = columnOf(blocksOf(wideUnits), { classify: 10 });
const found = { columns: [], compressed: [], consolidated: [], 'in turn': [], joint: [], 'fine-tuned': [] };
const teachers = [];
// A column alone takes as many steps as there are in 40 epochs of its few rows, small minibatches.
for (const [t, own] of data.entries()) {
  const { weights } = await learn(single, own, undefined, { epochs: 2 * epochs, batch: 32 });
  found.columns.push(accuracyOf(await scoresOf(single, weights, tests[t].inputs), tests[t]));
  teachers.push({ head: single.head, ...own, scores: await scoresOf(single, weights, own.inputs) });
}
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const say = (what) => console.error(`${what}: ${(100 * mean(found[what])).toFixed(2)} %`);
say('columns');
const request = {
  runtime: on,
  description,
  column: { task: 'one', blocks: blocksOf(wideUnits) },
  teachers,
  epochs,
  rate: 0.001,
  seed,
};
async function compressed(what, { weights, heads }) {
  for (const [t, { weight, bias }] of heads.entries()) {
    const own = new Map(
      wide.parameters.specs.map(({ name, shape }) => [name, weights.get(name) ?? (shape.length === 1 ? bias : weight)]),
    );
    found[what].push(accuracyOf(await scoresOf(wide, own, tests[t].inputs), tests[t]));
  }
  say(what);
}
await compressed('compressed', await compress(request));
const inTurn = { ...request, epochs: 2 * epochs };
await compressed('consolidated', await compressInTurn(inTurn, { strength, decay }));
await compressed('in turn', await compressInTurn(inTurn, { strength: 0 }));
// The same layers, with the labels of each task in place of what its column says; of other tasks a sample has none.
const many = columnOf([...blocksOf(wideUnits), [{ dense: tasks * 10 }, { reshape: [tasks, 10] }]], {
  classify: { classes: 10, each: 'step' },
});
const images = new Float32Array(tasks * rows * 784);
const labels = new BigInt64Array(tasks * rows * tasks).fill(-100n);
for (const [t, { inputs, targets }] of data.entries()) {
  images.set(inputs.image.data, t * rows * 784);
  for (let n = 0; n < rows; n++) labels[(t * rows + n) * tasks + t] = targets.data[n];
}
const joint = await learn(many, {
  inputs: { image: new Tensor('float32', [tasks * rows, 784], images) },
  targets: new Tensor('int64', [tasks * rows, tasks], labels),
});
for (const [t, test] of tests.entries())
  found.joint.push(accuracyOf(await scoresOf(many, joint.weights, test.inputs), test, t * 10, tasks * 10));
say('joint');
let tuned;
for (const own of data) tuned = (await learn(wide, own, tuned, { epochs: 2 * epochs, batch: 32 })).weights;
for (const test of tests) found['fine-tuned'].push(accuracyOf(await scoresOf(wide, tuned, test.inputs), test));
say('fine-tuned');
const parameters = {
  columns: tasks * count(single),
  compressed: sizeOf(wideUnits),
  consolidated: sizeOf(wideUnits),
  'in turn': sizeOf(wideUnits),
  joint: count(many),
  'fine-tuned': count(wide),
};
const of = { tasks, rows, testRows, epochs, units, wideUnits, single: count(single), strength, decay };
writeFileSync(values.to, `${JSON.stringify({ settings: of, parameters, accuracy: found }, undefined, 1)}\n`);
if (values.to === resultsOf('compress')) writePage();
