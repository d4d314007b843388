// The fifth dense column over four frozen ones, from building the cache to the last step.
import { columnContestants } from './column.mjs';
import { python, race, row } from './harness.mjs';
import { network, widths } from './networks.mjs';
import { columnProducts } from './products.mjs';

const rows = 60_000;
const epochs = 5;

async function run() {
  const { ours, torch } = columnContestants('dense', 5, rows, epochs);
  const numbers = ['5', String(rows), String(epochs), String(widths.dense)];
  const results = await race(
    {
      prognet: ours,
      PyTorch: torch,
      'Avalanche PNN': python('column-avalanche.py', ...numbers),
      Doric: python('column-doric.py', ...numbers),
    },
    { rounds: 5 },
  );
  const work = `fifth dense column (784-${widths.dense}-${widths.dense}-10, adapters), ${epochs} epochs of ${rows} images`;
  const { step, frozen } = columnProducts(network('dense', 5, widths.dense), 5);
  const floor = ((step + frozen / epochs) / (step + frozen)).toFixed(2);
  return {
    rows: [
      row(work, results, 'prognet', 'PyTorch', 0.25),
      row(work, results, 'prognet', 'Avalanche PNN', 0.1),
      row(work, results, 'prognet', 'Doric'),
    ],
    notes: [
      'Ours includes building the graphs, the sessions and the cache of taps. PyTorch runs frozen columns under no_grad and eval, with fused Adam. Avalanche has "mlp" adapters of its own size and no laterals into heads; Doric has linear laterals only.',
      `Frozen columns once in place of ${epochs} times leave ${floor} of the matrix products that PyTorch does; what is less than that comes from all else.`,
    ],
  };
}

export const bench = { title: 'Fifth column over four frozen ones, dense', run };
