// Contestant: the matrix products of a step of batch 128 and nothing else, in a Loop on the same ONNX Runtime, threads spinning: what a step takes
// at the very least. Convolutions count as the products of their windows, as if making those were free. Arguments: dense | conv, and `wasm` for
// ONNX Runtime's wasm on one thread.

import { NodeRuntime } from '../../dist/node.js';
import { ops, Tensor, toBinary } from '../../dist/onnx/index.js';
import { WebRuntime } from '../../dist/onnx/runtime/web.js';
import { serve, threads } from './harness.mjs';

const steps = process.argv[2] === 'dense' ? 100 : 20;
const batch = 128;
/** By layer: rows, inner and outer size of the product that its forward pass is. */
const layers = {
  dense: [
    [batch, 784, 512],
    [batch, 512, 512],
    [batch, 512, 10],
  ],
  conv: [
    [batch * 28 * 28, 9, 16],
    [batch * 14 * 14, 16 * 9, 32],
    [batch * 7 * 7, 32 * 9, 64],
    [batch, 64 * 7 * 7, 10],
  ],
}[process.argv[2]];
const g = ops({ name: 'products' });
const trips = g.input('trips', 'int64', []);
const feeds = { trips: new Tensor('int64', [], BigInt64Array.of(BigInt(steps))) };
// Inputs, as in a step: products of initializers would be computed once for all.
const matrix = (name, rows, columns) => {
  feeds[name] = new Tensor(
    'float32',
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
  );
  return g.input(name, 'float32', [rows, columns]);
};
const body = g.subgraph('step');
body.input('iteration', 'int64', []);
const condition = body.input('condition', 'bool', []);
const carried = body.input('carried', 'float32', []);
const found = [];
let flops = 0;
layers.forEach(([rows, from, to], i) => {
  const [x, w, dy] = [matrix(`x${i}`, rows, from), matrix(`w${i}`, from, to), matrix(`dy${i}`, rows, to)];
  found.push(body.gemm(x, w), body.gemm(x, dy, undefined, { transA: 1 }));
  // Data need no gradient.
  if (i > 0) found.push(body.gemm(dy, w, undefined, { transB: 1 }));
  flops += 2 * rows * from * to * (i > 0 ? 3 : 2);
});
const one = found.map((v) =>
  body.gather(body.gather(v, body.scalar(0, 'int64'), { axis: 0 }), body.scalar(0, 'int64'), { axis: 0 }),
);
body.output(condition, 'continue');
body.output(
  one.reduce((a, b) => body.add(a, b), carried),
  'sum',
);
const [sum] = g.op(
  'Loop',
  [trips, g.constant(new Tensor('bool', [], Uint8Array.of(1))), g.scalar(0, 'float32')],
  { body: body.graph },
  1,
);
g.output(sum, 'y');

const wasm = process.argv[3] === 'wasm';
const runtime = wasm
  ? await WebRuntime.load({ wasm: () => import('onnxruntime-web') }, { threads: 1 })
  : await NodeRuntime.load();
const options = wasm ? { providers: ['wasm'], threads: 1 } : { threads, spinning: true };
const session = await runtime.createSession(toBinary(g.model()), options);
await serve({ engine: runtime.version }, async () => {
  const started = performance.now();
  await session.run(feeds);
  const ms = (performance.now() - started) / steps;
  return { ms, gflops: flops / ms / 1e6 };
});
