// What waiting worker threads bring and cost: a dense step with threads that spin for a moment (the default), never and always; alone, and
// beside a process that wants a core all the time.
import { spawn } from 'node:child_process';
import { node, race, row } from './harness.mjs';

const ours = 'threads spin for a moment';
const modes = { [ours]: 'default', 'threads never spin': 'never', 'threads always spin': 'always' };

async function raceModes(busy) {
  const neighbours = Array.from({ length: busy }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  const contestants = Object.entries(modes).map(([name, mode]) => [name, node('step-prognet.mjs', 'dense', mode)]);
  try {
    return await race(Object.fromEntries(contestants), { rounds: 5 });
  } finally {
    for (const child of neighbours) child.kill();
  }
}

async function run() {
  const rows = [];
  for (const [where, busy] of [
    ['alone', 0],
    ['beside a busy process', 1],
  ]) {
    const results = await raceModes(busy);
    for (const peer of Object.keys(modes).slice(1)) rows.push(row(`dense step, ${where}`, results, ours, peer));
  }
  return { rows, notes: ['The moment is 0.2 ms, or 0.02 ms when other processes want the cores as a session is made.'] };
}

export const bench = { title: 'Threads that wait', run };
