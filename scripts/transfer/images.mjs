// Few examples of new classes over a backbone with really trained weights: a progressive column beside a head alone, low-rank updates, all weights, and the
// same network from the start. The backbone is the first seven stages of nudenet's detector (scripts/models/fetch.py fetches it), the classes are Fashion-MNIST's.
//   node scripts/transfer/images.mjs [--seeds 5] [--examples 2,5] [--epochs 20] [--test 1000] [--to results.json]     Needs npm run build.
// No option of any way was tuned: the same epochs, minibatches and optimizer for all, a tenth of the rate where weights go on from trained ones.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const at = (path) => new URL(`../../${path}`, import.meta.url);
const { readNetwork } = await import(at('dist/index.js').href);
const { NodeRuntime, loadData } = await import(at('dist/node.js').href);
const { Tensor } = await import(at('dist/onnx/index.js').href);
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    examples: { type: 'string', default: '2,5' },
    epochs: { type: 'string', default: '20' },
    test: { type: 'string', default: '1000' },
    to: { type: 'string' },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i);
const sizes = values.examples.split(',').map(Number);
const epochs = Number(values.epochs);
const testRows = Number(values.test);
const [classes, side] = [10, 64];

const backbone = fileURLToPath(at('.cache/models/packages/nudenet/nudenet/320n.onnx'));
const taps = [2, 4, 6].map((stage) => `/model.${stage}/cv2/act/Mul_output_0`);

/** The backbone as the network of one frozen column. */
function imported() {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-transfer-'));
  const run = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(at('dist/cli/main.js')), ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  };
  const family = join(folder, 'family');
  const dims = ['--dim', `height=${side}`, '--dim', `width=${side}`];
  run('import', backbone, '--task', 'base', '--backbone', '--taps', taps.join(','), ...dims, '-o', family);
  run('bundle', '-o', join(folder, 'base.prognet'), '-C', family);
  const bytes = new Uint8Array(readFileSync(join(folder, 'base.prognet')));
  rmSync(folder, { recursive: true });
  return readNetwork(bytes);
}

/** Images [1, 28, 28] as [3, side, side]: two pixels of nothing around, each pixel twice, three channels alike. */
function widened(images, rows) {
  const data = new Float32Array(rows.length * 3 * side * side);
  rows.forEach((row, n) => {
    for (let y = 0; y < 28; y++) {
      for (let x = 0; x < 28; x++) {
        const value = Number(images.data[row * 784 + y * 28 + x]) * (images.dtype === 'uint8' ? 1 / 255 : 1);
        for (let c = 0; c < 3; c++)
          for (const [dy, dx] of [
            [0, 0],
            [0, 1],
            [1, 0],
            [1, 1],
          ])
            data[((n * 3 + c) * side + 2 * (y + 2) + dy) * side + 2 * (x + 2) + dx] = value;
      }
    }
  });
  return new Tensor('float32', [rows.length, 3, side, side], data);
}

const targetsOf = (all, rows) =>
  Tensor.from(
    'int64',
    rows.map((row) => Number(all.data[row])),
    [rows.length],
  );

/** So many rows of each class, drawn by a seed. */
function few(targets, each, seed) {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const left = Array.from({ length: classes }, () => each);
  const rows = [];
  while (rows.length < each * classes) {
    const row = Math.floor(next() * targets.dims[0]);
    const kind = Number(targets.data[row]);
    if (left[kind] === 0 || rows.includes(row)) continue;
    left[kind]--;
    rows.push(row);
  }
  return rows;
}

const head = { classify: classes };
const stage = (filters) => [{ conv2d: { filters, kernel: 3, stride: 2, padding: 'same' } }, 'relu'];
const ways = {
  'progressive column': {
    column: {
      blocks: [stage(8), stage(16), stage(32), [{ dense: 32 }, 'relu']].map((block, i) =>
        i === 3 ? ['flatten', ...block] : block,
      ),
      laterals: { kind: 'adapter', rank: 16, from: 'base', taps: { 1: 0, 2: 1, 3: 2, head: 2 }, join: 'pool' },
    },
    lr: 0.003,
  },
  'head alone': { column: { blocks: [], laterals: { kind: 'linear', from: 'base', join: 'pool' } }, lr: 0.003 },
  'low-rank updates': { column: { tune: { base: 'base', lora: { rank: 4, alpha: 8 } } }, lr: 0.003 },
  'all weights': { column: { tune: { base: 'base', weights: 'all' } }, lr: 0.0003 },
  'from the start': { column: { tune: { base: 'base', weights: 'scratch' } }, lr: 0.003 },
};

const runtime = await NodeRuntime.load();
const base = await imported();
const data = await loadData('fashion-mnist', {
  baseDir: fileURLToPath(at('.')),
  inputs: [{ name: 'images', dtype: 'uint8', shape: [1, 28, 28] }],
  head: { kind: 'classify', classes },
});
const { inputs: images } = data.train;
const { inputs: testImages } = data.test;
const testAt = few(data.test.targets, testRows / classes, 99);
const test = { inputs: { images: widened(testImages, testAt) }, targets: targetsOf(data.test.targets, testAt) };

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const deviation = (list) =>
  Math.sqrt(mean(list.map((v) => (v - mean(list)) ** 2)) * (list.length / Math.max(1, list.length - 1)));
const results = [];
for (const each of sizes) {
  for (const [way, { column, lr }] of Object.entries(ways)) {
    const runs = [];
    let parameters = 0;
    for (const seed of seeds) {
      const rows = few(data.train.targets, each, seed);
      const train = { inputs: { images: widened(images, rows) }, targets: targetsOf(data.train.targets, rows) };
      const grown = base.grow({ task: 'clothes', ...column, head });
      parameters = grown.columns.column('clothes').parameters.count;
      const began = performance.now();
      const losses = [];
      const onEvent = (event) => event.kind === 'epoch' && losses.push(event.loss);
      const { network } = await grown.train('clothes', {
        on: runtime,
        data: train,
        epochs,
        batch: 10,
        optimizer: 'adam',
        lr,
        seed,
        onEvent,
      });
      const seconds = (performance.now() - began) / 1000;
      const { value } = await network.evaluate('clothes', test, { on: runtime });
      runs.push({ seed, accuracy: value, seconds, losses });
      await network.close();
    }
    const accuracies = runs.map(({ accuracy }) => accuracy);
    results.push({
      way,
      each,
      parameters,
      mean: mean(accuracies),
      deviation: deviation(accuracies),
      seconds: mean(runs.map((r) => r.seconds)),
      runs,
    });
    // as far as it has come, so that an end before the last way loses nothing
    if (values.to !== undefined) writeFileSync(values.to, `${JSON.stringify({ epochs, testRows, results }, undefined, 1)}\n`);
    console.error(
      `${each} a class, ${way}: ${(100 * mean(accuracies)).toFixed(1)} % +- ${(100 * deviation(accuracies)).toFixed(1)}`,
    );
  }
}
const line = (cells) => `| ${cells.join(' | ')} |`;
console.log(line(['way', 'parameters', ...sizes.flatMap((n) => [`${n} a class`, 'seconds'])]));
console.log(line(['---', '---:', ...sizes.flatMap(() => ['---:', '---:'])]));
for (const way of Object.keys(ways)) {
  const own = results.filter((r) => r.way === way);
  const cells = own.flatMap((r) => [`${(100 * r.mean).toFixed(1)} +- ${(100 * r.deviation).toFixed(1)} %`, r.seconds.toFixed(1)]);
  console.log(line([way, own[0]?.parameters.toLocaleString('en'), ...cells]));
}
