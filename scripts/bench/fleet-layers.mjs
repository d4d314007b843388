// Rows of many columns in one run of the stacked form, beside a run for each column, by the layers of the columns and by how many rows have the same column.
//   node scripts/bench/fleet-layers.mjs [--quick] [--write]     --write puts the table into docs/fleet.md
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { FleetRunner, loadRuntime } from '../../dist/node.js';
import { Tensor } from '../../dist/onnx/core/tensor.js';
import { writePart } from '../page-part.mjs';
import { fleetOfCopies, networks } from './fleet-copies.mjs';
import { median } from './harness.mjs';

const quick = process.argv.includes('--quick');
const rounds = quick ? 2 : 15;
const batch = quick ? 8 : 64;
const counts = quick ? [1, 8] : [1, 2, 4, 8, 16];
const { runtime } = await loadRuntime();

/** Milliseconds of `work`. */
async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** A row of the table: both ways, for each number of rows that have the same column. */
async function measured(kind, network) {
  const { rows, dir, loaded, folder, bytesOfColumn, names } = await fleetOfCopies(runtime, batch, network);
  const runner = await FleetRunner.open(runtime, folder, { session: { threads: 1 } });
  const x = rows(batch);
  const size = x.data.length / batch;
  const part = (from, count) =>
    new Tensor('float32', [count, ...network.shape], x.data.subarray(from * size, (from + count) * size));
  const times = counts.map(() => ({ together: [], apart: [] }));
  for (let round = 0; round <= rounds; round++)
    for (const [i, count] of counts.entries()) {
      const order = Array.from({ length: batch }, (_, row) => names[Math.floor(row / count)]);
      // what runMixed does itself where fewer rows have the same column
      const together = await timed(() => runner.together(order, { x }));
      const apart = await timed(async () => {
        for (let row = 0; row < batch; row += count) await runner.run(order[row], { x: part(row, count) });
      });
      if (round === 0) continue;
      times[i].together.push(together);
      times[i].apart.push(apart);
    }
  await runner.release();
  rmSync(dir, { recursive: true });
  const baseBytes = loaded.columns.column('base').parameters.count * 4;
  const cells = times.map(({ together, apart }) => {
    const [one, many] = [median(together), median(apart)];
    return `${(many / one).toFixed(1)} (${one.toFixed(1)}, ${many.toFixed(1)})`;
  });
  return [kind, `${(baseBytes / 1e6).toFixed(1)} MB`, `${(bytesOfColumn / 1000).toFixed(0)} kB`, ...cells];
}

const line = (cells) => `| ${cells.join(' | ')} |`;
const header = ['layers', 'base', 'column', ...counts.map((n) => `${n} ${n === 1 ? 'row' : 'rows'} a column`)];
const table = [line(header), line(header.map(() => '---'))];
for (const [kind, network] of Object.entries(networks)) table.push(line(await measured(kind, network)));
const text = `How many times as long as one run of ${batch} rows the runs of their columns take, and both in ms; one thread of a machine with ${cpus().length} cores, medians of ${rounds} rounds:

${table.join('\n')}`;
console.log(text);
if (process.argv.includes('--write') && !quick) writePart('fleet.md', 'layers', text);
