// Gradients by the input and every parameter are PyTorch's (float32, relative error below 1e-4) for models exported by torch.onnx. The fixtures
// come from scripts/fixtures/torch-gradients.py.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readNpz } from '../../../src/formats/npz.js';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import type { Tensor } from '../../../src/onnx/core/tensor.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { runModel } from '../../support/run.js';

const read = (name: string) => new Uint8Array(readFileSync(new URL(`torch/${name}`, import.meta.url)));

/** |a - b| / |b|, in the Euclidean norm. */
function relative(a: Tensor, b: Tensor): number {
  let [difference, size] = [0, 0];
  Array.from(b.data as Float32Array).forEach((v, i) => {
    difference += (v - Number(a.data[i])) ** 2;
    size += v ** 2;
  });
  return Math.sqrt(difference / Math.max(size, 1e-30));
}

it.each(['resnet', 'encoder', 'lstm'])('%s', async (name) => {
  const model = fromBinary(read(`${name}.onnx`));
  const expected = readNpz(read(`${name}.npz`));
  const by = [...expected.keys()].filter((k) => k.startsWith('grad/')).map((k) => k.slice('grad/'.length));
  const made = grad(model, { of: 'loss', by });
  const results = await runModel(made, { x: expected.get('x') as Tensor });
  expect(relative(results.loss as Tensor, expected.get('loss') as Tensor)).toBeLessThan(1e-5);
  const errors = by.map((k) => [k, relative(results[`grad/${k}`] as Tensor, expected.get(`grad/${k}`) as Tensor)] as const);
  expect(errors.filter(([, e]) => !(e < 1e-4))).toEqual([]);
  console.log(
    `${name}: ${by.length} gradients, largest relative error ${Math.max(...errors.map(([, e]) => e)).toExponential(1)}, ${made.graph.nodes.length} nodes (the model has ${model.graph.nodes.length})`,
  );
});
