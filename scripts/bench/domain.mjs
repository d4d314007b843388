// Which share of samples is marked as unlike a column's own, of kinds that it has never seen, at 95 % of its own kept: the table of docs/studio.md.
//   node scripts/bench/domain.mjs          (needs npm run build and sh scripts/python/setup; two minutes)
// Beside the measure of the pages (src/data/domain.ts) stand its two parts alone and the likeliest class's probability, each at the threshold that keeps 95 %.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = (path) => new URL(`../../${path}`, import.meta.url);
const lib = await import(here('dist/index.js').href);
const { classify, column, conv2d, dense, flatten, input, maxpool2d, prognet, relu, standardise, Tensor } = lib;
const { loadData, NodeRuntime } = await import(here('dist/node.js').href);
const { domainOf, doubtsOf, keptPart } = await import(here('dist/data/domain.js').href);
const { Random } = await import(here('dist/onnx/core/random.js').href);

const on = await NodeRuntime.load();
const rows = (tensor, picked) => {
  const size = tensor.size / tensor.dims[0];
  const data = new tensor.data.constructor(picked.length * size);
  for (const [i, row] of picked.entries()) data.set(tensor.data.subarray(row * size, (row + 1) * size), i * size);
  return new Tensor(tensor.dtype, [picked.length, ...tensor.dims.slice(1)], data);
};
const drawn = (tensor, count, what) => [...new Random(1, 'bench', what).permutation(tensor.dims[0]).subarray(0, count)];
const quantile = (values) => values.toSorted((a, b) => a - b)[Math.ceil(keptPart * values.length) - 1];
const percent = (values, threshold) => `${((100 * values.filter((v) => v > threshold).length) / values.length).toFixed(1)} %`;

/** The measures of what a network answers for some inputs; the more, the less it is like its own. */
async function measures(network, task, inputs, domain) {
  const { scores, tap, probabilities } = await network.predict(task, inputs, { on, tap: true });
  const width = scores.dims[1];
  const likeliest = Array.from(
    { length: scores.dims[0] },
    (_, i) => -Math.max(...probabilities.data.subarray(i * width, (i + 1) * width)),
  );
  const { energy, ...without } = domain;
  const distance = doubtsOf(without, { scores, tap });
  const both = doubtsOf(domain, { scores, tap });
  return { both, distance, energy: both.map((v, i) => v - distance[i]), likeliest };
}

async function table(name, network, task, data, asked) {
  const learned = drawn(data.train.inputs, 2000, 'learned');
  const seen = async (inputs) => {
    const { scores, tap } = await network.predict(task, inputs, { on, tap: true });
    return { scores, tap };
  };
  const labels = data.train.targets.numbers();
  const order = drawn(data.test.inputs, data.test.inputs.dims[0], 'own');
  // One part of the test data gives the threshold, the other says what is kept.
  const half = Math.min(1000, order.length >> 1);
  const own = rows(data.test.inputs, order.slice(0, half));
  const domain = domainOf(
    await seen(rows(data.train.inputs, learned)),
    learned.map((row) => labels[row]),
    await seen(own),
  );
  const base = await measures(network, task, own, domain);
  const { value } = await network.evaluate(task, data.test, { on });
  console.log(`\n${name}, accuracy ${value.toFixed(4)}, ${half} samples for the threshold\n`);
  console.log('| asked | samples | marked | distance alone | energy alone | likeliest class |');
  console.log('|---|---|---|---|---|---|');
  for (const [what, inputs] of [
    ['its own, others than those of the threshold', rows(data.test.inputs, order.slice(half))],
    ...asked,
  ]) {
    const found = await measures(network, task, inputs, domain);
    const shares = ['both', 'distance', 'energy', 'likeliest'].map((key) => percent(found[key], quantile(base[key])));
    console.log(`| ${what} | ${inputs.dims[0]} | ${shares.join(' | ')} |`);
  }
}

const mnist = async (...transform) => await loadData({ source: 'mnist', transform }, { baseDir: '.' });
const low = { classes: [0, 1, 2, 3, 4] };
const digits = await mnist(low);
const random = new Random(1, 'noise');
const noise = new Tensor(
  'uint8',
  [2000, 1, 28, 28],
  Uint8Array.from({ length: 2000 * 784 }, () => 256 * random.uniform()),
);
const boxes = new Uint8Array(2000 * 784);
for (let i = 0; i < 2000; i++) {
  const [x, y, w, h] = [18, 18, 8, 8].map((n) => Math.floor(n * random.uniform()));
  for (let dy = 0; dy < h + 4 && y + dy < 28; dy++)
    boxes.fill(255, i * 784 + (y + dy) * 28 + x, i * 784 + (y + dy) * 28 + Math.min(28, x + w + 4));
}
const asked = [
  ['digits 5 to 9', (await mnist({ classes: [5, 6, 7, 8, 9] })).test.inputs],
  ['2, 3 and 4 lying on their sides', (await mnist({ classes: [2, 3, 4] }, { rotate: { degrees: 90 } })).test.inputs],
  ['0 to 4 with black and white exchanged', (await mnist(low, 'invert')).test.inputs],
  ['0 to 4 with permuted pixels', (await mnist(low, { permute: { seed: 1 } })).test.inputs],
  ['white boxes', new Tensor('uint8', [2000, 1, 28, 28], boxes)],
  ['noise', noise],
];
const same = { kernel: 3, padding: 'same' };
const kinds = {
  'Digits 0 to 4, two convolutions and a dense layer of 32': [
    [conv2d(8, same), relu(), maxpool2d(2)],
    [conv2d(12, same), relu(), maxpool2d(2)],
    [flatten(), dense(32), relu()],
  ],
  'Digits 0 to 4, dense layers of 128 and 64': [
    [flatten(), dense(128), relu()],
    [dense(64), relu()],
  ],
};
for (const [name, blocks] of Object.entries(kinds)) {
  const begun = prognet({ input: input('image', [1, 28, 28]), seed: 7 }).grow(column('digits', { blocks, head: classify(5) }));
  const { network } = await begun.train('digits', {
    data: { train: digits.train },
    on,
    epochs: 4,
    batch: 64,
    lr: 0.002,
    schedule: 'cosine',
  });
  await table(name, network, 'digits', digits, asked);
}

// A table: scikit-learn's digits of 8 x 8, without the classes 7, 8 and 9.
const folder = mkdtempSync(join(tmpdir(), 'prognet-domain-'));
execFileSync(here('.venv-tables/bin/python').pathname, [here('scripts/python/folds.py').pathname, folder]);
const whole = await loadData(join(folder, 'digits-0.npz'), { baseDir: folder });
const only = ({ inputs, targets }, wanted) => {
  const labels = targets.numbers();
  const picked = [...labels.keys()].filter((i) => wanted(labels[i]));
  return {
    inputs: rows(inputs, picked),
    targets: Tensor.from(
      'int64',
      picked.map((i) => labels[i]),
    ),
  };
};
const data = { train: only(whole.train, (c) => c < 7), test: only(whole.test, (c) => c < 7) };
const task = column('kind', { prepare: [standardise()], blocks: [[dense(64), relu()]], head: classify(7) });
const { network } = await prognet({ input: input('row', [64]), seed: 0 })
  .grow(task)
  .train('kind', { data: { train: data.train }, on, epochs: 60, batch: 100, lr: 0.001 });
const shuffled = new Random(1, 'columns').permutation(64);
const mixed = data.test.inputs.data.map((_, i, all) => all[64 * Math.floor(i / 64) + shuffled[i % 64]]);
await table("A table, scikit-learn's digits 0 to 6, one dense layer of 64", network, 'kind', data, [
  ['digits 7 to 9', only(whole.test, (c) => c >= 7).inputs],
  ['columns exchanged', new Tensor('float32', data.test.inputs.dims, mixed)],
  [
    'ten times the numbers',
    new Tensor(
      'float32',
      data.test.inputs.dims,
      data.test.inputs.data.map((v) => 10 * v),
    ),
  ],
]);
rmSync(folder, { recursive: true });
