// What a change costs: this checkout against another one, built both, taking turns in one run. Each writes the models by its own code and runs
// them by its own runtime. Prints a table.
//   node scripts/bench/two-checkouts.mjs OTHER-CHECKOUT [rounds]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readNpz } from '../../dist/formats/npz.js';
import { node, race } from './harness.mjs';

const [other, rounds = '5'] = process.argv.slice(2);
if (other === undefined) {
  console.error('two-checkouts: no checkout to compare with, expected its folder');
  process.exit(2);
}
const roots = { here: fileURLToPath(new URL('../..', import.meta.url)), there: resolve(other) };
const folder = mkdtempSync(join(tmpdir(), 'prognet-two-checkouts-'));
const fixture = (name) => join(roots.here, 'test/onnx/autodiff/torch', name);
const models = ['resnet', 'encoder', 'lstm'];

/** The gradient graph of a model of the gradient-peers benchmark, by a checkout's command line. 0.1.0 has other words for two options. */
function writeGradient(side, name) {
  const arrays = readNpz(new Uint8Array(readFileSync(`${fixture(name)}.npz`)));
  const by = [...arrays.keys()].filter((key) => key.startsWith('grad/')).map((key) => key.slice('grad/'.length));
  const run = ([of, by_]) =>
    execFileSync(
      process.execPath,
      [
        ...[join(roots[side], 'dist/cli/main.js'), 'grad', `${fixture(name)}.onnx`, of, 'loss', by_, by.join()],
        ...['-o', join(folder, side, `gradient-${name}.onnx`)],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
  try {
    run(['--of', '--by']);
  } catch {
    run(['--loss', '--wrt']);
  }
}

try {
  for (const [side, root] of Object.entries(roots)) {
    mkdirSync(join(folder, side));
    const { writeModels } = await import(pathToFileURL(join(root, 'scripts/bench/inference-models.mjs')).href);
    await writeModels(join(folder, side));
    for (const name of models) writeGradient(side, name);
  }
  const model = (name) => (side) => join(folder, side, `${name}.onnx`);
  const works = {
    'step of a dense column': ['step-prognet.mjs', 'dense'],
    'step of a convolutional column': ['step-prognet.mjs', 'conv'],
    ...Object.fromEntries(
      [1, 32, 256].map((batch) => [`five columns fused, batch ${batch}`, ['inference-ort.mjs', model('fused'), String(batch)]]),
    ),
    ...Object.fromEntries(
      models.map((name) => [`gradients of ${name}`, ['gradient-run.mjs', model(`gradient-${name}`), fixture(name)]]),
    ),
  };
  console.log('| work | here, ms | there, ms | here / there |\n|---|---|---|---|');
  for (const [work, [file, ...args]] of Object.entries(works)) {
    const contestant = (side) =>
      node(join(roots[side], 'scripts/bench', file), ...args.map((arg) => (typeof arg === 'string' ? arg : arg(side))));
    const found = await race({ here: contestant('here'), there: contestant('there') }, { rounds: Number(rounds) });
    const [a, b] = [found.here.median, found.there.median];
    console.log(`| ${work} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(a / b).toFixed(2)} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
