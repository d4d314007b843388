// Peak memory of training a fifth dense column, taps in memory and on disk, in multiples of what it has to hold.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './harness.mjs';

const runs = 3;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const bench = { title: 'Memory: training', run };

function run() {
  const peaks = (...args) =>
    Array.from({ length: runs }, () => {
      const command = [here('train-peak.mjs'), ...args.map(String)];
      const found = JSON.parse(
        execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
      );
      return Object.fromEntries(Object.entries(found).map(([key, bytes]) => [key, bytes / 1e6]));
    });
  const row = (work, what, budget) => {
    const found = peaks(60_000, budget);
    const of = (key) => ({ median: median(found.map((f) => f[key])), values: found.map((f) => f[key]) });
    const [ours, peer] = [of('peak'), of('held')];
    return { work, ours, peer: { name: what, ...peer }, ratio: ours.median / peer.median, unit: 'MB' };
  };
  return {
    rows: [
      row('fifth dense column on 60000 images, taps in memory', 'data, taps, parameters and moments', 2 ** 30),
      row('the same, taps past the budget and on disk', 'data, parameters and moments', 0),
    ],
    notes: ['Resident memory of the whole process at its peak, Node and ONNX Runtime included.'],
  };
}
