// Accuracy on tables, beside scikit-learn's MLPClassifier behind StandardScaler over the same five folds: the table of docs/data.md.
//   node scripts/bench/table-accuracy.mjs          (needs npm run build and sh scripts/python/setup; half a minute)
// Both have one hidden layer of 100 and 200 epochs of Adam at 0.001 in batches of at most 200. Exits 1 where the means are further apart than a standard deviation.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = (path) => new URL(`../../${path}`, import.meta.url);
const { classify, column, dense, input, prognet, relu, standardise } = await import(here('dist/index.js').href);
const { loadData, NodeRuntime } = await import(here('dist/node.js').href);

const on = await NodeRuntime.load();
const folder = mkdtempSync(join(tmpdir(), 'prognet-folds-'));
const python = [here('.venv-tables/bin/python').pathname, [here('scripts/python/folds.py').pathname, folder]];
const theirs = JSON.parse(execFileSync(...python, { encoding: 'utf8' }));

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values) => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
const shown = (values) => `${mean(values).toFixed(4)} ± ${deviation(values).toFixed(4)}`;

async function accuracy(name, fold) {
  const data = await loadData(join(folder, `${name}-${fold}.npz`), { baseDir: folder });
  const width = data.train.inputs.dims[1];
  const task = column('kind', { prepare: [standardise()], blocks: [[dense(100), relu()]], head: classify(data.train.classes) });
  const begun = prognet({ input: input('row', [width]), seed: 0 }).grow(task);
  const batch = Math.min(200, data.train.inputs.dims[0]);
  const { network } = await begun.train('kind', { data, on, epochs: 200, batch, lr: 0.001, optimizer: 'adam' });
  return (await network.evaluate('kind', data.test, { on })).value;
}

console.log('| table | prognet | MLPClassifier |');
console.log('|---|---|---|');
for (const [name, peer] of Object.entries(theirs)) {
  const ours = [];
  for (const fold of peer.keys()) ours.push(await accuracy(name, fold));
  console.log(`| ${name} | ${shown(ours)} | ${shown(peer)} |`);
  if (mean(ours) < mean(peer) - deviation(peer)) process.exitCode = 1;
}
rmSync(folder, { recursive: true });
