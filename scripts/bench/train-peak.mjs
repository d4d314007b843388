// Trains the fifth dense column once. Arguments: rows, bytes of taps kept in memory (beyond it they go to disk). Prints JSON in bytes: { peak, held },
// `held` what there is to hold: data, taps in memory, parameters and moments.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { TapStore } from '../../dist/workspace/tap-store.js';
import { threads } from './harness.mjs';
import { lastColumn, mnist, named, widths } from './networks.mjs';

const [rows, tapBudget] = process.argv.slice(2).map(Number);
const sources = 4;
const folder = mkdtempSync(join(tmpdir(), 'prognet-peak-'));
try {
  const { column, frozen } = lastColumn('dense', sources + 1, widths.dense);
  const data = await mnist(rows);
  await train({
    runtime: await NodeRuntime.load(),
    column,
    frozen,
    settings: trainSettings({ epochs: 1, batch: 128, optimizer: 'adam', lr: 0.001 }, 0),
    train: named(data),
    session: { threads },
    tapBudget,
    tapStorage: new TapStore(folder, 'benchmark'),
  });
  const taps = 4 * rows * sources * widths.dense * 2;
  const trained = 3 * 4 * column.parameters.count;
  const before = [...frozen.values()].flatMap((weights) => [...weights.values()]).reduce((n, t) => n + t.bytes.length, 0);
  const held = data.inputs.bytes.length + data.targets.bytes.length + trained + before + (taps <= tapBudget ? taps : 0);
  const peak = 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  process.stdout.write(`${JSON.stringify({ peak, held })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
