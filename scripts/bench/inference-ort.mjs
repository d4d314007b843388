// Contestant: a model of five columns on onnxruntime-node. Arguments: the file, the rows of a batch, and for a routed model the task's number.
import { readFileSync } from 'node:fs';
import { Tensor } from '../../dist/index.js';
import { NodeRuntime } from '../../dist/node.js';
import { median, serve, threads } from './harness.mjs';

const [file, rows, task] = process.argv.slice(2);
const batch = Number(rows);
const runtime = await NodeRuntime.load();
// Alone while it runs, so its threads may spin, as in every engine by default.
const session = await runtime.createSession(readFileSync(file), { threads, spinning: true });
const image = new Tensor(
  'float32',
  [batch, 1, 28, 28],
  Float32Array.from({ length: batch * 784 }, (_, i) => (i % 255) / 255),
);
const [name] = session.inputNames;
const feeds = { [name]: image, ...(task !== undefined && { task_id: new Tensor('int64', [1], BigInt64Array.of(BigInt(task))) }) };

await serve({ engine: runtime.version }, async () => {
  const runs = Math.ceil(200 / Math.sqrt(batch));
  const values = [];
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    await session.run(feeds);
    values.push(performance.now() - started);
  }
  return { ms: median(values.slice(runs >> 2)) };
});
