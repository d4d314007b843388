// One base and many columns over it: how fast columns drawn at random answer, mixed batches, memory, and a session for each column beside it. Columns are copies of one file under other
// names, each with its own record and hash, so that thousands are made in seconds; what is read, checked, kept and run is what a fleet of trained ones reads, checks, keeps and runs.
//   node --expose-gc scripts/bench/fleet.mjs [--quick] [--write]     --write puts the table into docs/fleet.md
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { FleetRunner, loadRuntime } from '../../dist/node.js';
import { Tensor } from '../../dist/onnx/core/tensor.js';
import { toBinary } from '../../dist/onnx/serde/to-binary.js';
import { exportedModel } from '../../dist/tasks/export-tasks.js';
import { fleetOfCopies } from './fleet-copies.mjs';

const quick = process.argv.includes('--quick');
const counts = quick ? [5, 20] : [5, 100, 1000, 2000, 5000];
const [rounds, perRound] = quick ? [3, 20] : [15, 200];
const { runtime } = await loadRuntime();
const session = { threads: 1 };
const { random, rows, dir, loaded, folder, bytesOfColumn, names } = await fleetOfCopies(runtime, counts.at(-1));

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const memory = () => {
  globalThis.gc?.();
  return process.memoryUsage().rss;
};
const runners = [];
for (const count of counts) {
  const before = memory();
  const runner = await FleetRunner.open(runtime, folder, { session, memory: count * bytesOfColumn + 1 });
  const x = rows(1);
  await runner.run('c0', { x });
  const first = memory();
  const begun = performance.now();
  for (const name of names.slice(0, count)) await runner.run(name, { x });
  const perColumn = (memory() - first) / Math.max(1, count - 1);
  runners.push({
    count,
    runner,
    base: first - before,
    perColumn,
    reading: (performance.now() - begun) / count,
    times: [],
    alone: [],
    mixed: [],
  });
}

// The peer: a session of its own for each column.
const [one, batch] = [rows(1), rows(64)];
const sessions = quick ? 3 : 20;
const before = memory();
const model = toBinary(exportedModel(loaded, { tasks: ['one'], probabilities: true }));
const begun = performance.now();
const held = [];
for (let i = 0; i < sessions; i++) held.push(await runtime.createSession(model, session));
for (const each of held) await each.run({ x: one });
const making = (performance.now() - begun) / sessions;
const each = (memory() - before) / sessions;
const own = [];

// interleaved: every fleet, and the sessions, have their turn in every round
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  for (let i = 0; i < perRound; i++) await held[Math.floor(random.uniform() * sessions)].run({ x: one });
  own.push((performance.now() - start) / perRound);
  for (const { count, runner, times, alone, mixed } of runners) {
    const drawn = Array.from({ length: perRound }, () => names[Math.floor(random.uniform() * count)]);
    let begun = performance.now();
    for (const name of drawn) await runner.run(name, { x: one });
    times.push((performance.now() - begun) / perRound);
    const order = Array.from({ length: 64 }, (_, i) => names[(i * 37 + round) % count]);
    begun = performance.now();
    await runner.runMixed(order, { x: batch });
    mixed.push(performance.now() - begun);
    begun = performance.now();
    for (const [i, name] of order.entries())
      await runner.run(name, { x: new Tensor('float32', [1, 256], batch.data.subarray(256 * i, 256 * i + 256)) });
    alone.push(performance.now() - begun);
  }
}
const fixed = (n, digits = 2) => n.toFixed(digits);
const lines = [
  '| columns | a run of one row | beside 5 columns | 64 rows of many columns | as runs of their own | memory of a further column, of its weights |',
  '|---|---|---|---|---|---|',
];
for (const { count, times, mixed, alone, perColumn } of runners) {
  const [run, together, apart] = [median(times), median(mixed), median(alone)];
  // Of a hundred columns and fewer it is less than what the process takes and gives back meanwhile.
  const memory = count < 1000 ? '' : fixed(perColumn / bytesOfColumn);
  const share = fixed(run / median(runners[0].times));
  lines.push(
    `| ${count.toLocaleString('en')} | ${fixed(run)} ms | ${share} | ${fixed(together, 1)} ms | ${fixed(apart, 0)} ms | ${memory} |`,
  );
}
/** What a column takes from the first row with a figure to the last: what the process holds beside is in both. */
function further() {
  const [first, last] = [runners.find(({ count }) => count >= 1000), runners.at(-1)];
  if (first === undefined || first === last) return '';
  const bytes = ({ count, perColumn }) => perColumn * (count - 1);
  const each = (bytes(last) - bytes(first)) / (last.count - first.count) / bytesOfColumn;
  return `Memory is that of the process. From ${first.count.toLocaleString('en')} to ${last.count.toLocaleString('en')} columns a further one took ${fixed(each)} of its weights.\n\n`;
}
const megabytes = fixed(loaded.columns.column('base').parameters.count * 4e-6, 1);
const text = `A base of ${megabytes} MB and columns of ${fixed(bytesOfColumn / 1000, 0)} kB each, drawn at random; medians of ${rounds} rounds, one thread of a machine with ${cpus().length} cores:

${lines.join('\n')}

${further()}${sessions} sessions, one for each column, took ${fixed(median(own))} ms a run in the same process, ${fixed(each / 1e6, 1)} MB and ${fixed(making, 0)} ms each to make.`;
console.log(text);
rmSync(dir, { recursive: true });
if (process.argv.includes('--write') && !quick) {
  const page = new URL('../../docs/fleet.md', import.meta.url);
  const [begin, end] = [
    '<!-- columns: written by node --expose-gc scripts/bench/fleet.mjs --write -->',
    '<!-- end of columns -->',
  ];
  const before = readFileSync(page, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/fleet.md has no place for ${begin}`);
  writeFileSync(page, `${before.slice(0, from)}${begin}\n${text}\n${before.slice(to)}`);
}
