// Exports all tasks of workspaces, given as label=folder, in each precision and writes the table of docs/precision.md. Speed is measured in child
// processes that take turns, so that no session disturbs another; a figure is the median of the rounds.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { writePart } from '../page-part.mjs';

const repo = new URL('../..', import.meta.url).pathname;
const precisions = ['fp32', 'fp16', 'int8', 'int8-dynamic'];
const batches = [1, 128];
const rounds = 7;

const node = (...args) => execFileSync(process.execPath, args, { cwd: repo, encoding: 'utf8', maxBuffer: 2 ** 26 });
const prognet = (...args) => JSON.parse(node('dist/cli/main.js', ...args, '--json', '--quiet'));
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

function bench(label, workspace) {
  const folder = mkdtempSync(join(os.tmpdir(), 'prognet-precision-'));
  try {
    const found = precisions.map((precision) => {
      const file = join(folder, `${precision}.onnx`);
      const { measured } = prognet('export', '--all', '--precision', precision, '-o', file, '-C', workspace);
      return { precision, file, size: statSync(file).size, measured, times: batches.map(() => []) };
    });
    for (let round = 0; round < rounds; round++) {
      for (const { file, times } of found) {
        const child = JSON.parse(node(join(repo, 'scripts/bench/precision-speed.mjs'), file, ...batches.map(String)));
        for (const [i, ms] of child.entries()) times[i].push(ms);
      }
    }
    const [float32] = found;
    const tasks = found[1].measured.tasks.map((t) => t.task);
    const accuracy = ({ measured }, i) => {
      const { metric } = (measured ?? found[1].measured).tasks[i];
      return measured === undefined
        ? (100 * metric.float32).toFixed(2)
        : `${(100 * metric.now).toFixed(2)} (${metric.difference >= 0 ? '+' : ''}${(100 * metric.difference).toFixed(2)})`;
    };
    const rows = found.map((f) => [
      f.precision,
      `${(f.size / 1024).toFixed(0)} KiB`,
      ...tasks.map((_, i) => accuracy(f, i)),
      ...f.times.map((t, i) => `${median(t).toFixed(2)} ms (${(median(float32.times[i]) / median(t)).toFixed(1)}x)`),
    ]);
    const header = ['precision', 'size', ...tasks.map((t) => `${t}, %`), ...batches.map((b) => `batch ${b}`)];
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [`**${label}**`, '', line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tables = process.argv.slice(2).map((given) => {
  const at = given.lastIndexOf('=');
  return bench(given.slice(0, at), given.slice(at + 1));
});
const { version } = JSON.parse(readFileSync(join(repo, 'node_modules/onnxruntime-node/package.json'), 'utf8'));
const machine = `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, onnxruntime-node ${version}`;
const notes = `All three tasks in one graph, on ${machine}; medians of ${rounds} rounds of processes that take turns.`;
writePart('precision.md', 'table', `\n${tables.join('\n\n')}\n\n${notes}\n`);
console.log(tables.join('\n\n'));
