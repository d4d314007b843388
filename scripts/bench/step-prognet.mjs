// Contestant: a training step of a first column by prognet's own loop, as a user runs it. Arguments: dense | conv | lstm | encoder,
// and how worker threads wait: `default`, `never` or `always` spinning.
import { train, trainSettings } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { serve, threads } from './harness.mjs';
import { lastColumn, mnist, named } from './networks.mjs';

const [kind, spinning = 'default'] = process.argv.slice(2);
const steps = { dense: 200, encoder: 8 }[kind] ?? 50;
const batch = kind === 'encoder' ? 32 : 128;
const { column, frozen } = lastColumn(kind, 1);
const data = await mnist(steps * batch);
const runtime = await NodeRuntime.load();
const session = { threads, ...(spinning !== 'default' && { spinning: spinning === 'always' }) };
const settings = trainSettings({ epochs: 2, batch, optimizer: 'adam', lr: 0.001 }, 0);

await serve({ engine: runtime.version }, async () => {
  let seconds = 0;
  const onEvent = (event) => {
    // The second epoch: by then all memory is there.
    if (event.kind === 'epoch') seconds = event.seconds;
  };
  const { history } = await train({
    runtime,
    column,
    frozen,
    settings,
    train: named(data),
    session,
    onEvent,
  });
  return { ms: (seconds * 1000) / steps, loss: history.at(-1).loss };
});
