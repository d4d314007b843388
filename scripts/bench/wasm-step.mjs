// A training step of a dense column in WebAssembly under Node, one thread.
import { node, race, row } from './harness.mjs';

async function run() {
  const roofline = 'roofline: its matrix products alone, same ONNX Runtime';
  const contestants = {
    prognet: node('wasm-prognet.mjs'),
    'jax-js': node('wasm-jax.mjs'),
    tfjs: node('wasm-tfjs.mjs'),
    [roofline]: node('step-roofline.mjs', 'dense', 'wasm'),
  };
  const results = await race(contestants, { rounds: 5 });
  const work = 'step of a dense column, 784-512-512-10, batch 128, adam, Node wasm, 1 thread';
  const floor = (results[roofline].median / results['jax-js'].median).toFixed(2);
  return {
    rows: [
      row(work, results, 'prognet', 'jax-js', 0.7),
      row(work, results, 'prognet', 'tfjs', 0.1),
      row(work, results, 'prognet', roofline),
    ],
    notes: [`The products alone take ${floor} of jax-js's whole step: no step on ONNX Runtime's wasm can have a smaller ratio.`],
  };
}

export const bench = { title: 'Training step in Node wasm', run };
