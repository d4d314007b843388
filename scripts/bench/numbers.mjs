// What speed costs in numbers: weights after training by cached taps, joined parameters and unscaled moments against the plain form of the same
// (test/support/plain-step.ts), and bits from the same seed, in two runs and without the cache.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { threads } from './harness.mjs';
import { lastColumn, mnist, named, widths } from './networks.mjs';

const cases = [
  ['fifth dense column, 10 steps', 'dense', 5, 1_280],
  ['third convolutional column, 10 steps', 'conv', 3, 1_280],
];
const tolerance = 1e-5;

async function run() {
  const { plainTraining, Tensor } = await reference();
  const runtime = await NodeRuntime.load();
  const profile = [
    '| training | largest difference of a weight from the plain graphs | bar | | bits, same seed and threads, twice | cache or none |',
  ];
  profile.push('|---|---|---|---|---|---|');
  for (const [name, kind, count, rows] of cases) {
    const { column, frozen } = lastColumn(kind, count, widths[kind]);
    const settings = trainSettings({ epochs: 1, batch: 128, optimizer: 'adam', lr: 0.001 }, 0);
    const data = await mnist(rows);
    const common = { runtime, column, frozen, settings, train: named(data) };
    const copy = (t) => new Tensor(t.dtype, t.dims, t.data);
    const plain = await plainTraining({
      ...common,
      train: named({ inputs: copy(data.inputs), targets: copy(data.targets) }),
      threads,
    });
    const session = { threads };
    const [ours, again, uncached] = [
      await train({ ...common, session }),
      await train({ ...common, session }),
      await train({ ...common, session, tapBudget: 0 }),
    ];
    let largest = 0;
    for (const [parameter, { data: values }] of ours.weights) {
      const expected = plain.get(parameter).data;
      for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] - expected[i]));
    }
    const same = (other) =>
      [...ours.weights].every(([p, { bytes }]) => Buffer.compare(bytes, other.weights.get(p).bytes) === 0) ? 'equal' : 'DIFFER';
    const verdict = largest <= tolerance ? 'met' : 'missed';
    profile.push(`| ${name} | ${largest.toExponential(1)} | ${tolerance} | ${verdict} | ${same(again)} | ${same(uncached)} |`);
  }
  return { rows: [], profile };
}

/** The reference is the tests', in TypeScript: bundled for this run. */
async function reference() {
  const outfile = fileURLToPath(new URL('results/.plain-step.mjs', import.meta.url));
  const contents =
    "export { plainTraining } from './test/support/plain-step.js'; export { Tensor } from './src/onnx/core/tensor.js';";
  const stdin = { contents, resolveDir: fileURLToPath(new URL('../..', import.meta.url)), loader: 'ts' };
  try {
    await build({ stdin, bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile, logLevel: 'error' });
    return await import(outfile);
  } finally {
    rmSync(outfile, { force: true });
  }
}

export const bench = { title: 'Numbers', run };
