// The models that inference.mjs runs, written to a folder: plain, fused, routed, each task's own, and the roofline's one Gemm.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  adapter,
  buildDescription,
  classify,
  column,
  columnsOf,
  dense,
  flatten,
  initialWeights,
  input,
  relu,
  Tensor,
  taskModel,
  toBinary,
} from '../../dist/index.js';
import { ops } from '../../dist/onnx/index.js';

export const columns = 5;

export async function writeModels(folder) {
  const first = column('t0', {
    blocks: [
      [flatten(), dense(256), relu()],
      [dense(256), relu()],
    ],
    head: classify(10),
  });
  const rest = Array.from({ length: columns - 1 }, (_, i) => column(`t${i + 1}`, { like: first, laterals: adapter() }));
  const description = buildDescription({ name: 'five', input: input('image', [1, 28, 28]), columns: [first, ...rest] });
  const network = columnsOf(description);
  const weights = new Map([...network].map((c) => [c.task, initialWeights(c)]));
  const { tasks } = network;
  const write = (name, model) => writeFileSync(join(folder, `${name}.onnx`), toBinary(model));
  write('plain', taskModel(network, weights, { tasks }));
  write('fused', taskModel(network, weights, { tasks, fused: true }));
  write('routed', taskModel(network, weights, { tasks, routed: true }));
  for (const task of tasks) write(task, taskModel(network, weights, { tasks: [task] }));
  const count = [...network].reduce((n, c) => n + c.parameters.count, 0);
  write('roofline', oneGemm(Math.round(count / 784)));
  return { weights: count };
}

function oneGemm(width) {
  const g = ops();
  const data = Float32Array.from({ length: 784 * width }, (_, i) => Math.sin(i));
  const x = g.flatten(g.input('image', 'float32', ['N', 1, 28, 28]), { axis: 1 });
  g.output(g.gemm(x, g.initializer('w', new Tensor('float32', [784, width], data))), 'y');
  return g.model();
}
