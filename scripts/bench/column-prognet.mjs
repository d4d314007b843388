// Contestant: the whole training of column `count` over the earlier ones, frozen, cache building included, by prognet's loop. What its
// laterals read are columns of random weights: time does not depend on what they have learned. Arguments: dense | conv, count, rows, epochs, and
// `epoch` to measure the last epoch alone, the cache being there.
import { train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { serve, threads } from './harness.mjs';
import { lastColumn, mnist, named, widths } from './networks.mjs';

const [kind, ...numbers] = process.argv.slice(2, 6);
const lastEpoch = process.argv[6] === 'epoch';
const [count, rows, epochs] = numbers.map(Number);
const data = await mnist(rows);
const runtime = await NodeRuntime.load();
const { column, frozen } = lastColumn(kind, count, widths[kind]);
const settings = trainSettings({ epochs, batch: 128, optimizer: 'adam', lr: 0.001 }, 0);

await serve({ engine: runtime.version }, async () => {
  const started = performance.now();
  let last = 0;
  const { history } = await train({
    runtime,
    column,
    frozen,
    settings,
    train: named(data),
    session: { threads },
    onEvent: (event) => {
      if (event.kind === 'epoch') last = event.seconds * 1000;
    },
  });
  return { ms: lastEpoch ? last : performance.now() - started, loss: history.at(-1).loss };
});
