// Writes what stands in results/ into docs/transfer.md, a table and a picture of learning curves (docs/transfer-*.svg) for each comparison.
//   node scripts/transfer/page.mjs [--check]     Needs npm run build. The scripts that measure call it themselves; --check tells whether it would change.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { curvesSvg } from '../../dist/chart/curves.js';
import { withPart } from '../page-part.mjs';

const docs = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
/** The file that results are kept in. */
export const resultsOf = (name) => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const deviation = (list) =>
  Math.sqrt(mean(list.map((v) => (v - mean(list)) ** 2)) * (list.length / Math.max(1, list.length - 1)));
const percent = (v, digits = 1) => (100 * v).toFixed(digits);
const line = (cells) => `| ${cells.join(' | ')} |`;

/** Accuracies of a way with so many examples a class. */
const accuraciesOf = ({ runs }, way, each) =>
  runs.filter((run) => run.way === way && run.each === each).map(({ accuracy }) => accuracy);

function comparison(name, results) {
  const { settings, parameters, runs } = results;
  const ways = Object.keys(parameters);
  const count = Math.max(...runs.map(({ seed }) => seed)) + 1;
  // A size that is not measured whole yet has no row in the table.
  const sizes = [...new Set(runs.map(({ each }) => each))].filter((each) =>
    ways.every((way) => accuraciesOf(results, way, each).length === count),
  );
  const best = new Map(
    sizes.map((each) => [each, Math.max(...ways.map((way) => Number(percent(mean(accuraciesOf(results, way, each))))))]),
  );
  const cell = (way, each) => {
    const own = accuraciesOf(results, way, each);
    const shown = percent(mean(own));
    return `${Number(shown) === best.get(each) ? `**${shown}**` : shown} ± ${percent(deviation(own))}`;
  };
  const svg = curvesSvg({
    title: `Few examples over a trained backbone: ${name}`,
    runs: ways.map((way) => ({
      name: way,
      about: `${parameters[way].toLocaleString('en')} trained parameters`,
      ...(way === 'progressive column' && { weight: 'strong' }),
    })),
    panels: [
      {
        name: 'accuracy',
        unit: `% of ${settings.testRows.toLocaleString('en')} test rows, mean of ${count} draws`,
        lines: ways.map((way, run) => ({
          run,
          part: 'validation',
          points: sizes.map((each, i) => ({ epoch: i + 1, value: 100 * mean(accuraciesOf(results, way, each)) })),
        })),
      },
    ],
    along: { name: 'examples of each class', at: sizes.map(String) },
  });
  const table = [
    `Accuracy in % of ${settings.testRows.toLocaleString('en')} test rows, mean and standard deviation over ${count} draws of the examples; ${settings.classes} classes, ${settings.steps} steps of ${settings.batch} rows with adam, rates ${ways.map((way) => settings.rates[way]).join(', ')} in the order of the rows:`,
    '',
    line(['way', 'trained parameters', ...sizes.map((each) => `${each} of each class`)]),
    line(['---', '---:', ...sizes.map(() => '---:')]),
    ...ways.map((way) => line([way, parameters[way].toLocaleString('en'), ...sizes.map((each) => cell(way, each))])),
    '',
    `![Accuracy of each way by examples of each class; the table holds the same means](transfer-${name}.svg)`,
  ];
  return { table, svg };
}

function rowsTable({ settings, rows, testRows, columns }) {
  const { epochs, batch, lr, schedule } = settings;
  const table = [
    `${epochs} epochs of ${rows.toLocaleString('en')} images, minibatches of ${batch}, adam, rate ${lr}, ${schedule} schedule; % of ${testRows.toLocaleString('en')} test images:`,
    '',
    line(['column', 'reads', 'trained parameters', 'accuracy']),
    line(['---', '---', '---:', '---:']),
    ...columns.map(({ task, reading, parameters, accuracy }) =>
      line([task, reading ?? 'the image alone', parameters.toLocaleString('en'), percent(accuracy, 2)]),
    ),
  ];
  return { table };
}

const pairs = ['top, trouser', 'pullover, dress', 'coat, sandal', 'shirt, sneaker', 'bag, boot'];
const routerNames = {
  entropy: 'least entropy',
  mean: 'nearest mean of a class',
  autoencoder: 'smallest error of an autoencoder',
  trained: 'trained router',
};

function routingTable({ settings, runs }) {
  const { each, testEach, steps, batch, none, lr } = settings;
  const average = (of) => pairs.map((_, i) => mean(runs.map((run) => of(run)[i])));
  const row = (way, { found, right, own, others }) =>
    line([way, found, percent(mean(right)), ...right.map((v) => percent(v)), own, others].map((cell) => cell ?? '-'));
  const router = (kind) => {
    const of = (name) => average((run) => run.routers[kind][name]);
    return row(routerNames[kind], {
      found: percent(mean(of('task'))),
      right: of('right'),
      own: percent(mean(of('none'))),
      others: percent(mean(runs.map((run) => run.routers[kind].others))),
    });
  };
  const best = [...new Set(runs.map((run) => run.best))].join(', ');
  const table = [
    `Accuracy in % of ${(10 * testEach).toLocaleString('en')} test rows, mean of ${runs.length} draws of ${each} examples of each class; columns trained for about ${steps} steps of ${batch} rows with adam at ${lr}; the routers stand before: ${best}. Doubts above ${none} are none of the tasks:`,
    '',
    line(['which task', 'finds it', 'right answers', ...pairs, 'own given to none', 'MNIST given to none']),
    line(['---', ...Array.from({ length: pairs.length + 4 }, () => '---:')]),
    ...Object.keys(runs[0].told).map((way) => row(`told: ${way}`, { right: average((run) => run.told[way]) })),
    ...Object.keys(routerNames).map(router),
    row('no column: nearest of ten means', { right: average((run) => run.alone) }),
  ];
  return { table };
}

const compressNames = {
  columns: 'a column for each task',
  compressed: 'compressed to one',
  consolidated: 'compressed one after another, online EWC',
  'in turn': 'compressed one after another, nothing held',
  joint: 'one, trained on all labels at one time',
  'fine-tuned': 'one, trained on one task after another',
};

function compressTable({ settings, parameters, accuracy }) {
  const { tasks, rows, testRows, epochs, units, wideUnits, single, strength, decay } = settings;
  const shown = [0, tasks >> 1, tasks - 1];
  const number = (v) => v.toLocaleString('en');
  const table = [
    `${tasks} orders of pixels, ${number(rows)} training images of each; columns of two layers of ${units}, ${number(single)} parameters; the one of two of ${wideUnits}, ${number(parameters.compressed)} with ${tasks} heads, at most twice as many. ${epochs} epochs of all tasks together and ${2 * epochs} of each alone; strength ${strength}, decay ${decay}; % of ${number(testRows)} test images of each task:`,
    '',
    line(['way', 'parameters', 'mean', 'worst task', ...shown.map((t) => `task ${t + 1}`)]),
    line(['---', ...Array.from({ length: shown.length + 3 }, () => '---:')]),
    ...Object.entries(compressNames).map(([way, name]) => {
      const own = accuracy[way];
      const cells = [mean(own), Math.min(...own), ...shown.map((t) => own[t])].map((v) => percent(v));
      return line([name, parameters[way].toLocaleString('en'), ...cells]);
    }),
    '',
    line(['task', ...Object.values(compressNames)]),
    line(['---:', ...Object.values(compressNames).map(() => '---:')]),
    ...accuracy.columns.map((_, t) => line([t + 1, ...Object.keys(compressNames).map((way) => percent(accuracy[way][t]))])),
  ];
  return { table };
}

/** What docs/transfer.md and its pictures are with what results/ holds by now: { file: text }. */
function files() {
  let page = readFileSync(docs('transfer.md'), 'utf8');
  const found = {};
  const parts = {
    images: comparison,
    text: comparison,
    rows: (_, results) => rowsTable(results),
    routing: (_, results) => routingTable(results),
    compress: (_, results) => compressTable(results),
  };
  for (const [name, part] of Object.entries(parts)) {
    if (!existsSync(resultsOf(name))) continue;
    const { table, svg } = part(name, JSON.parse(readFileSync(resultsOf(name), 'utf8')));
    page = withPart(page, name, table.join('\n'));
    if (svg !== undefined) found[`transfer-${name}.svg`] = svg;
  }
  return { 'transfer.md': page, ...found };
}

/** Writes them. */
export function writePage() {
  for (const [name, text] of Object.entries(files())) writeFileSync(docs(name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== '--check') writePage();
  else {
    const others = Object.entries(files()).flatMap(([name, text]) => (readFileSync(docs(name), 'utf8') === text ? [] : [name]));
    if (others.length > 0) throw new Error(`docs/${others.join(', docs/')}: not what node scripts/transfer/page.mjs writes`);
  }
}
