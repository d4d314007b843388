// What a change costs: this checkout against another one, built both, taking turns in one run. Prints a table; writes nothing.
//   node scripts/bench/two-checkouts.mjs OTHER-CHECKOUT [rounds]
import { resolve } from 'node:path';
import { node, race } from './harness.mjs';

const [other, rounds = '5'] = process.argv.slice(2);
if (other === undefined) {
  console.error('two-checkouts: no checkout to compare with, expected its folder');
  process.exit(2);
}
const there = (file) => resolve(other, 'scripts/bench', file);
const works = {
  'step of a dense column': ['step-prognet.mjs', 'dense'],
  'step of a convolutional column': ['step-prognet.mjs', 'conv'],
};

console.log('| work | here, ms | there, ms | here / there |\n|---|---|---|---|');
for (const [work, [file, ...args]] of Object.entries(works)) {
  const found = await race({ here: node(file, ...args), there: node(there(file), ...args) }, { rounds: Number(rounds) });
  const [a, b] = [found.here.median, found.there.median];
  console.log(`| ${work} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(a / b).toFixed(2)} |`);
}
