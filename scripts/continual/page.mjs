// Writes what stands in results/ into docs/continual.md.
//   node scripts/continual/page.mjs [--check]     --check tells whether it would change.
import { readFileSync, writeFileSync } from 'node:fs';
import { withPart } from '../page-part.mjs';
import { at, resultsOf } from './kept.mjs';

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const deviation = (list) => Math.sqrt(list.reduce((n, v) => n + (v - mean(list)) ** 2, 0) / Math.max(1, list.length - 1));
const line = (cells) => `| ${cells.join(' | ')} |`;
const told = (list) =>
  list.length === 0
    ? '-'
    : `${(100 * mean(list)).toFixed(2)}${list.length > 1 ? ` ± ${(100 * deviation(list)).toFixed(2)}` : ''}`;
const count = (n) => n.toLocaleString('en');

/** Of each seed that has all of the first so many tasks, their mean. */
function meansOf(runs, tasks) {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const own = seeds.map((seed) => runs.filter((r) => r.seed === seed && r.task < tasks).map(({ accuracy }) => accuracy));
  return own.filter((list) => list.length === tasks).map(mean);
}

/** Permuted MNIST: mean accuracy over the first tasks, once each task has its column. */
function permuted(name, wanted) {
  const { runs } = resultsOf(name);
  const spans = wanted.filter((n) => meansOf(runs, n).length > 0 || runs.some(({ task }) => task === n - 1));
  const header = ['by', ...spans.map((n) => `first ${n} tasks`), 'seeds'];
  const rows = [...new Set(runs.map(({ by }) => by))].map((by) => {
    const means = spans.map((n) =>
      meansOf(
        runs.filter((r) => r.by === by),
        n,
      ),
    );
    return [by, ...means.map(told), means.map((list) => list.length).join(', ')];
  });
  const own = runs.filter(({ by, seed }) => by === 'prognet' && seed === 0).sort((a, b) => a.task - b.task);
  const sizes = own.map(({ parameters }) => parameters);
  return [
    line(header),
    line(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    `Mean and standard deviation over seeds of the mean accuracy in %, on 10,000 test images of each task. The first column has ${count(sizes[0])} parameters, column ${sizes.length} has ${count(sizes.at(-1))}.`,
  ].join('\n');
}

function split() {
  const { settings, runs } = resultsOf('split');
  const sizes = [...new Set(runs.map(({ each }) => each))].sort((a, b) => a - b);
  const header = ['by', 'parameters', ...sizes.map((n) => `${count(n)} of each class`), 'seeds'];
  const rows = [...new Set(runs.map(({ by }) => by))].map((by) => {
    const own = runs.filter((r) => r.by === by);
    return [
      by,
      count(own[0].parameters),
      ...sizes.map((n) => told(own.filter(({ each }) => each === n).map(({ accuracies }) => mean(accuracies)))),
      new Set(own.map(({ seed }) => seed)).size,
    ];
  });
  const { tasks, steps, batch, lr, width } = settings.recipe;
  return [
    line(header),
    line(header.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    `Mean and standard deviation over seeds of the mean accuracy in % of ${tasks} tasks; two layers of ${width}, ${steps} steps of ${batch} rows with adam at ${lr}.`,
  ].join('\n');
}

const page = at('../../docs/continual.md');
/** Permuted MNIST with the longer budget: each task's accuracy, one seed after the other, and their mean. */
function long() {
  const { settings, runs } = resultsOf('long');
  const { tasks } = settings.recipe;
  const rows = [...new Set(runs.map(({ seed }) => seed))].map((seed) => {
    const own = runs.filter((r) => r.seed === seed && r.task < tasks).sort((a, b) => a.task - b.task);
    const accuracies = own.map(({ accuracy }) => accuracy);
    const parameters = own.map((r) => r.parameters);
    return [
      seed,
      ...accuracies.map((a) => told([a])),
      own.length < tasks ? '-' : `**${told([mean(accuracies)])}**`,
      count(parameters.reduce((a, b) => a + b, 0)),
    ];
  });
  const header = ['seed', ...Array.from({ length: tasks }, (_, i) => `task ${i + 1}`), 'mean', 'parameters'];
  return [line(header), line(header.map(() => '---:')), ...rows.map(line)].join('\n');
}

const parts = { agem: () => permuted('agem', [5, 17]), long, split };
const before = readFileSync(page, 'utf8');
let after = before;
for (const [name, write] of Object.entries(parts)) after = withPart(after, name, write());
if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write('docs/continual.md is not what scripts/continual/page.mjs writes\n');
    process.exitCode = 1;
  }
} else writeFileSync(page, after);
