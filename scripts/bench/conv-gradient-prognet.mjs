// Contestant: the weight gradient of one convolution in one of its forms, batch 128. Arguments: form, channels, size, filters, kernel, stride.

import { NodeRuntime } from '../../dist/node.js';
import { ops, Tensor, toBinary } from '../../dist/onnx/index.js';
import { convWeightGradient } from '../../dist/onnx/ops/rules/conv-weight-gradient.js';
import { serve, threads } from './harness.mjs';

const [form, ...numbers] = process.argv.slice(2);
const [channels, size, filters, k, stride] = numbers.map(Number);
const pad = k >> 1;
const places = Math.floor((size + 2 * pad - k) / stride) + 1;
const noise = (...dims) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.random() - 0.5),
  );
const feeds = { x: noise(128, channels, size, size), dy: noise(128, filters, places, places) };
const g = ops();
const x = g.input('x', 'float32', feeds.x.dims);
const dy = g.input('dy', 'float32', feeds.dy.dims);
const weights = g.initializer('w', noise(filters, channels, k, k));
const window = { kernel: [k, k], strides: [stride, stride], dilations: [1, 1], pads: [pad, pad, pad, pad], auto: 'NOTSET' };
g.output(convWeightGradient(g, { x, dy, weights, window, group: 1 }, form), 'dw');
const runtime = await NodeRuntime.load();
const session = await runtime.createSession(toBinary(g.model()), { threads });

await serve({ engine: runtime.version }, async () => {
  const times = [];
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  return { ms: times.sort((a, b) => a - b)[5] };
});
