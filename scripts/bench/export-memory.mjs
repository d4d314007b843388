// Peak memory of exporting and loading a network of 1 GB, in multiples of its weights.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './harness.mjs';

const runs = 3;
const bar = 1.4;

export const bench = { title: 'Memory: exporting and loading a network of 1 GB', run };

function run() {
  const script = fileURLToPath(new URL('export-peak.mjs', import.meta.url));
  const found = Array.from({ length: runs }, () =>
    JSON.parse(execFileSync(process.execPath, [script, '1000'], { encoding: 'utf8' })),
  );
  const megabytes = (key) => {
    const values = found.map((f) => f[key] / 1e6);
    return { median: median(values), values };
  };
  const row = (work, key, limit) => {
    const [ours, peer] = [megabytes(key), megabytes('weights')];
    return {
      work,
      ours,
      peer: { name: 'its weights', ...peer },
      ratio: ours.median / peer.median,
      unit: 'MB',
      ...(limit && { bar: limit }),
    };
  };
  return {
    rows: [
      row('export, weights beside the model (--external-data)', 'external', bar),
      row('export, weights inside', 'inside', bar),
      row('load, weights beside the model', 'loadExternal'),
      row('load, weights inside', 'loadInside'),
    ],
    notes: [
      `Resident memory of the whole process at its peak; Node and the package alone take ${megabytes('idle').median.toFixed(0)} MB of it.`,
    ],
  };
}
