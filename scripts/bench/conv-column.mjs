// The fifth convolutional column over four frozen ones, from building the cache to the last step.
import { columnContestants } from './column.mjs';
import { race, row } from './harness.mjs';
import { network, widths } from './networks.mjs';
import { columnProducts } from './products.mjs';

/** As many as have their taps, 125 KB each, within the memory budget of 1 GiB. */
const rows = 7_680;
const epochs = 5;

async function run() {
  const { ours, torch } = columnContestants('conv', 5, rows, epochs);
  const results = await race({ prognet: ours, PyTorch: torch }, { rounds: 5 });
  const work = `fifth convolutional column (16-32-64 filters, adapters), ${epochs} epochs of ${rows} images`;
  const { step, frozen } = columnProducts(network('conv', 5, widths.conv), 5);
  const floor = ((step + frozen / epochs) / (step + frozen)).toFixed(2);
  return {
    rows: [row(work, results, 'prognet', 'PyTorch', 0.35)],
    notes: [
      `Frozen columns once in place of ${epochs} times leave ${floor} of the products that PyTorch does; PyTorch's convolutions are quicker than ours, as the step of a first column shows, so less of that is gained than could be ("Where the time goes").`,
    ],
  };
}

export const bench = { title: 'Fifth column over four frozen ones, convolutional', run };
