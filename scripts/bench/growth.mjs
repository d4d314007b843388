// Whether a column costs the same however many stand before it: column 10 against column 2.
import { columnContestants } from './column.mjs';
import { race, row } from './harness.mjs';

const rows = 6_400;
const epochs = 5;

async function run() {
  const contestants = Object.fromEntries([10, 2].map((n) => [`column ${n}`, columnContestants('dense', n, rows, epochs).ours]));
  const results = await race(contestants, { rounds: 5 });
  return {
    rows: [row(`column 10 over column 2, dense, ${epochs} epochs of ${rows} images`, results, 'column 10', 'column 2', 1.3)],
  };
}

export const bench = { title: 'Growth', run };
