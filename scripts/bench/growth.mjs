// Whether a column costs the same however many stand before it: column 10 against column 2, where a network is grown on the same data, where
// the data are new and all taps are computed, and for an epoch with the taps there.
import { columnContestants } from './column.mjs';
import { node, race, row } from './harness.mjs';
import { lastColumn, network, widths } from './networks.mjs';
import { columnProducts } from './products.mjs';

const rows = 6_400;
const epochs = 5;

async function run() {
  const grown = (n) => node('grow-prognet.mjs', 'dense', ...[n, rows, epochs].map(String));
  const contestant = (n, ...more) => columnContestants('dense', n, rows, epochs, ...more).ours;
  const results = await race(
    {
      'column 10, grown': grown(10),
      'column 2, grown': grown(2),
      'column 10': contestant(10),
      'column 2': contestant(2),
      'column 10, last epoch': contestant(10, 'epoch'),
      'column 2, last epoch': contestant(2, 'epoch'),
    },
    { rounds: 5 },
  );
  const [ten, two] = [10, 2].map((n) => columnProducts(network('dense', n, widths.dense), n));
  const all = ({ step, frozen }) => step + frozen / epochs;
  const work = `column 10 over column 2, dense, ${epochs} epochs of ${rows} images`;
  const [computed, reused] = results['column 10, grown'].last.made;
  const mega = (x) => (x / 1e6).toFixed(2);
  const thousands = (n) => (lastColumn('dense', n, widths.dense).column.parameters.count / 1e3).toFixed(0);
  return {
    rows: [
      row(`${work}, all columns trained on the same data in one process`, results, 'column 10, grown', 'column 2, grown', 1.3),
      row(`${work}, data new to every column`, results, 'column 10', 'column 2', 1.3),
      row('the same, an epoch with the taps there', results, 'column 10, last epoch', 'column 2, last epoch', 1.3),
    ],
    notes: [
      `Grown, column 10 computes ${computed} taps, those of column 9, and finds ${reused} left by the training before it. On new data it computes all.`,
      `On new data the products alone have a ratio of ${(all(ten) / all(two)).toFixed(2)} and, with the taps there, ${(ten.step / two.step).toFixed(2)}: a row of a step takes ${mega(ten.step)} MFLOP for column 10 and ${mega(two.step)} for column 2 (V reads all sources), and its taps, once, ${mega(ten.frozen)} and ${mega(two.frozen)}. What is beyond that is adam, ten passes over ${thousands(10)} thousand parameters for column 10 and ${thousands(2)} for column 2, since V has a part for each source, and the gathering of nine times the taps.`,
    ],
  };
}

export const bench = { title: 'Growth', run };
