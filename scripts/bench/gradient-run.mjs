// Contestant: one evaluation of a gradient model on ONNX Runtime, one thread: these models are small. Arguments: the .onnx file, the fixture (.npz) with x and the gradients.
// Parameters that the model wants as inputs, and PyTorch's gradients to compare with, come from the fixture and the exported model beside it.
import { readFileSync } from 'node:fs';
import { readNpz } from '../../dist/formats/npz.js';
import { NodeRuntime } from '../../dist/node.js';
import { fromBinary, Tensor } from '../../dist/onnx/index.js';
import { median, serve } from './harness.mjs';

const [file, fixture] = process.argv.slice(2);
const bytes = (path) => new Uint8Array(readFileSync(path));
const arrays = readNpz(bytes(`${fixture}.npz`));
const parameters = new Map(fromBinary(bytes(`${fixture}.onnx`)).graph.initializers.map((v) => [v.name, v.constant]));
const { inputs } = fromBinary(bytes(file)).graph;
const feeds = Object.fromEntries(
  inputs.map(({ name }) => [name, name === 'x' ? arrays.get('x') : (parameters.get(name) ?? Tensor.from('float32', [1]))]),
);
const runtime = await NodeRuntime.load();
const session = await runtime.createSession(bytes(file), { threads: 1 });

/** The largest relative difference from PyTorch's gradients, each in the Euclidean norm. */
function difference(results) {
  let worst = 0;
  for (const [key, expected] of arrays) {
    if (!key.startsWith('grad/')) continue;
    const found = results[key] ?? results[`adj_${key.slice('grad/'.length)}`];
    let [off, size] = [0, 0];
    expected.data.forEach((v, i) => {
      off += (v - found.data[i]) ** 2;
      size += v ** 2;
    });
    worst = Math.max(worst, Math.sqrt(off / size));
  }
  return worst;
}

const runs = 40;
await serve({ engine: runtime.version, difference: difference(await session.run(feeds)) }, async () => {
  const times = [];
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  return { ms: median(times) };
});
