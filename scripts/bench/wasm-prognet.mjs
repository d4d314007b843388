// Contestant: a training step of a dense column by prognet's loop on onnxruntime-web's wasm under Node, one thread.
import { train, trainSettings } from '../../dist/index.js';
import { WebRuntime } from '../../dist/onnx/runtime/web.js';
import { serve } from './harness.mjs';
import { lastColumn, mnist, named } from './networks.mjs';

const steps = 40;
const batch = 128;
const { column, frozen } = lastColumn('dense', 1);
const data = await mnist(steps * batch);
const runtime = await WebRuntime.load({ wasm: () => import('onnxruntime-web') }, { threads: 1 });
const settings = trainSettings({ epochs: 2, batch, optimizer: 'adam', lr: 0.001 }, 0);

await serve({ engine: runtime.version }, async () => {
  let seconds = 0;
  const onEvent = (event) => {
    if (event.kind === 'epoch') seconds = event.seconds;
  };
  const session = { providers: ['wasm'], threads: 1 };
  const { history } = await train({ runtime, column, frozen, settings, train: named(data), session, onEvent });
  return { ms: (seconds * 1000) / steps, loss: history.at(-1).loss };
});
