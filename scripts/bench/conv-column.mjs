// The fifth convolutional column over four frozen ones, from building the cache to the last step.
import { columnContestants } from './column.mjs';
import { race, row } from './harness.mjs';

const rows = 2_560;
const epochs = 5;

async function run() {
  const { ours, torch } = columnContestants('conv', 5, rows, epochs);
  const results = await race({ prognet: ours, PyTorch: torch }, { rounds: 5 });
  const work = `fifth convolutional column (16-32-64 filters, adapters), ${epochs} epochs of ${rows} images`;
  return { rows: [row(work, results, 'prognet', 'PyTorch', 0.35)] };
}

export const bench = { title: 'Fifth column over four frozen ones, convolutional', run };
