// Contestant: a network grown in one process on the same data, one column after another, and the time of the last one's training. Arguments:
// dense | conv, count, rows, epochs.
import { NodeRuntime } from '../../dist/node.js';
import { serve, threads } from './harness.mjs';
import { grown, mnist, widths } from './networks.mjs';

const [kind, ...numbers] = process.argv.slice(2, 6);
const [count, rows, epochs] = numbers.map(Number);
const train = await mnist(rows);
const runtime = await NodeRuntime.load();
const settings = { epochs, batch: 128, optimizer: 'adam', lr: 0.001 };

await serve({ engine: runtime.version }, async () => {
  let network = grown(kind, count, widths[kind]);
  let ms = 0;
  const made = [];
  for (const task of network.tasks) {
    const started = performance.now();
    const onEvent = (event) => {
      if (event.kind === 'taps') made.push([event.computed, event.reused]);
    };
    ({ network } = await network.train(task, { on: runtime, data: { train }, ...settings, session: { threads }, onEvent }));
    ms = performance.now() - started;
  }
  return { ms, made: made.at(-1) };
});
