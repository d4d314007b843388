// One measurement of scripts/bench/fleet.mjs, in a process of its own: where the system lays a session's weights decides some hundredths of its time. Prints JSON; times in milliseconds, memory in bytes.
//   node --expose-gc scripts/bench/fleet-run.mjs [--quick]
import { rmSync } from 'node:fs';
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
  const runner = await FleetRunner.open(runtime, folder, { session, memory: count * bytesOfColumn + 1 });
  const x = rows(1);
  await runner.run('c0', { x });
  const first = memory();
  for (const name of names.slice(0, count)) await runner.run(name, { x });
  const perColumn = (memory() - first) / Math.max(1, count - 1);
  runners.push({
    count,
    runner,
    perColumn,
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
rmSync(dir, { recursive: true });
const found = runners.map(({ count, times, mixed, alone, perColumn }) => ({
  count,
  run: median(times),
  together: median(mixed),
  apart: median(alone),
  perColumn,
}));
const baseBytes = loaded.columns.column('base').parameters.count * 4;
const ownSessions = { sessions, run: median(own), bytes: each, making };
console.log(JSON.stringify({ rounds, baseBytes, bytesOfColumn, counts: found, ownSessions }));
