// Whether a column costs the same however many stand before it: column 10 against column 2, all in all and for an epoch with the cache there.
import { columnContestants } from './column.mjs';
import { race, row } from './harness.mjs';
import { network, widths } from './networks.mjs';
import { columnProducts } from './products.mjs';

const rows = 6_400;
const epochs = 5;

async function run() {
  const contestant = (n, ...more) => columnContestants('dense', n, rows, epochs, ...more).ours;
  const results = await race(
    {
      'column 10': contestant(10),
      'column 2': contestant(2),
      'column 10, last epoch': contestant(10, 'epoch'),
      'column 2, last epoch': contestant(2, 'epoch'),
    },
    { rounds: 5 },
  );
  const [ten, two] = [10, 2].map((n) => columnProducts(network('dense', n, widths.dense), n));
  const all = ({ step, frozen }) => step + frozen / epochs;
  const mega = (x) => (x / 1e6).toFixed(2);
  return {
    rows: [
      row(`column 10 over column 2, dense, ${epochs} epochs of ${rows} images`, results, 'column 10', 'column 2', 1.3),
      row('the same, an epoch with the cache there', results, 'column 10, last epoch', 'column 2, last epoch', 1.3),
    ],
    notes: [
      `The products alone have a ratio of ${(all(ten) / all(two)).toFixed(2)} and, with the cache there, ${(ten.step / two.step).toFixed(2)}: a row of a step takes ${mega(ten.step)} MFLOP for column 10 and ${mega(two.step)} for column 2 (V reads all sources), and its taps, once, ${mega(ten.frozen)} and ${mega(two.frozen)}.`,
    ],
  };
}

export const bench = { title: 'Growth', run };
