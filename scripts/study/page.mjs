// Writes the study that stands in results/ into docs/study.md, as tables, and as docs/study.html, which is what `prognet report` makes of it.
//   node scripts/study/page.mjs [--check]     Needs npm run build. scripts/study/soup.mjs, which measures, calls it itself; --check tells whether they would change.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPart } from '../page-part.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Where the result is kept. */
export const resultsFile = at('results/mnist-soup.json');
const [page, report] = [at('../../docs/study.md'), at('../../docs/study.html')];

const line = (cells) => `| ${cells.join(' | ')} |`;
const table = (header, rows) => [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
const both = (spread, digits, scale = 1) =>
  spread === null ? '-' : `${(scale * spread.mean).toFixed(digits)} ± ${(scale * spread.deviation).toFixed(digits)}`;
const points = (spread) => (spread === null ? '-' : both(spread, 1, 100));
const count = (n) => n.toLocaleString('en');
const shown = { true: 'the same bits', false: 'changed', null: '-' };

function tables({ tasks, methods, matrices, seeds, trainings }) {
  const [{ rows, epochs, task: first }] = tasks;
  const of = (method, task) => methods.find((m) => m.method === method).tasks.find((t) => t.task === task);
  const forgetting = methods
    .filter(({ method }) => ['b3', 'adapter'].includes(method))
    .map(({ label, after }) => [label, ...after.map((row) => points(row[0]))]);
  const [matrix] = matrices;
  return [
    `${count(rows.training)} samples of each task are learned from in ${epochs} epochs, ${count(rows.validation)} draw the curves, ${count(rows.test)} measure the accuracy; ${seeds.length} seeds, ${trainings.count} trainings. Means and standard deviations over the seeds, accuracy in %.`,
    '',
    ...table(
      ['method', 'parameters', 'accuracy at the end', 'transfer', 'median', 'forward', 'backward', 'earlier tasks'],
      methods.map(({ label, parameters, summary: s, bitIdentical }) => [
        label,
        count(parameters),
        points(s.average),
        both(s.transfer, 2),
        both(s.medianTransfer, 2),
        both(s.forwardTransfer, 3),
        points(s.backwardTransfer),
        shown[bitIdentical],
      ]),
    ),
    '',
    'Accuracy of each task at the end:',
    '',
    ...table(
      ['task', ...methods.map(({ label }) => label)],
      tasks.map(({ task }) => [task, ...methods.map(({ method }) => points(of(method, task)?.end ?? null))]),
    ),
    '',
    `Accuracy of the first task, "${first}", after each task that was learned:`,
    '',
    ...table(['after', ...tasks.map(({ task }) => task)], forgetting),
    ...(matrix === undefined ? [] : pairs(matrix)),
  ];
}

function pairs(matrix) {
  return [
    '',
    `Transfer from one task (rows) to another (columns) by ${matrix.label}, two columns each; mean ${both(matrix.mean, 2)}, median ${both(matrix.median, 2)}:`,
    '',
    ...table(
      ['from', ...matrix.tasks.map((task) => `to ${task}`)],
      matrix.tasks.map((task, i) => [task, ...matrix.transfer[i].map((cell) => both(cell, 2))]),
    ),
  ];
}

/** What docs/study.md is with what results/ holds by now. */
function written() {
  const text = readFileSync(page, 'utf8');
  return withPart(text, 'soup', tables(JSON.parse(readFileSync(resultsFile, 'utf8'))).join('\n'));
}

/** What docs/study.html is with them. */
function reported() {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-study-'));
  try {
    cpSync(resultsFile, join(folder, 'study/study.json'));
    const args = ['report', join(folder, 'study'), '-o', join(folder, 'study.html'), '--quiet'];
    execFileSync(process.execPath, [at('../../dist/cli/main.js'), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(join(folder, 'study.html'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without the moment at which a report was written. */
const undated = (text) => text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/, '');

/** Writes both. */
export function writePage() {
  writeFileSync(page, written());
  writeFileSync(report, reported());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] !== '--check') writePage();
  else
    for (const [file, text] of [
      [page, written()],
      [report, reported()],
    ])
      if (undated(text) !== undated(readFileSync(file, 'utf8')))
        throw new Error(`${file}: not what node scripts/study/page.mjs writes`);
}
