// Contestant: the same step in TensorFlow.js on its wasm backend, one thread: a sequential model and trainOnBatch.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { serve } from './harness.mjs';
import { mnist } from './networks.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();

const steps = 4;
const batch = 128;
const { inputs, targets } = await mnist(steps * batch);
const images = tf.tensor2d(
  Float32Array.from(inputs.data, (v) => v / 255),
  [steps * batch, 784],
);
const labels = tf.tensor1d(Float32Array.from(targets.data, Number));
const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [784], units: 512, activation: 'relu' }),
    tf.layers.dense({ units: 512, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.001), loss: 'sparseCategoricalCrossentropy' });

await serve({ engine: `tfjs ${tf.version.tfjs} ${tf.getBackend()}` }, async () => {
  const started = performance.now();
  let loss = 0;
  for (let i = 0; i < steps; i++) {
    const [x, y] = [images.slice(i * batch, batch), labels.slice(i * batch, batch)];
    loss = await model.trainOnBatch(x, y);
    tf.dispose([x, y]);
  }
  return { ms: (performance.now() - started) / steps, loss };
});
