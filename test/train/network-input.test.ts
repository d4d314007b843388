// Data as inputs of the graphs of training: the first is `step/data`, a further one has its name behind; uint8 becomes 0..1 in the graph.
import { expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { printGraph } from '../../src/onnx/ir/print.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { dataFeeds, dataInputs, networkFeeds, networkInputsFrom } from '../../src/train/network-input.js';
import { runModel } from '../support/run.js';

const inputs = [
  { name: 'image', dtype: 'float32', shape: [2] },
  { name: 'mask', dtype: 'float32', shape: [1] },
] as const;
const samples = {
  image: Tensor.from('uint8', [0, 51, 102, 255], [2, 2]),
  mask: Tensor.from('float32', [0.5, -1], [2, 1]),
};

it('names each, scales bytes and leaves floats as they are', () => {
  const g = ops();
  const data = dataInputs(g, inputs, { image: 'uint8', mask: 'float32' }, 'N');
  for (const [name, v] of Object.entries(networkInputsFrom(g, inputs, data))) g.output(v.producer ? v : g.identity(v), name);
  expect(g.graph.inputs.map((v) => v.name)).toEqual(['step/data', 'step/data/mask']);
  expect(printGraph(g.graph)).toContain('step/data');
  expect(Object.keys(dataFeeds(samples))).toEqual(['step/data', 'step/data/mask']);
});

it('outside a graph the numbers are those of the graph, bit for bit', async () => {
  const g = ops();
  const data = dataInputs(g, inputs, { image: 'uint8', mask: 'float32' }, 'N');
  for (const [name, v] of Object.entries(networkInputsFrom(g, inputs, data))) g.output(v.producer ? v : g.identity(v), name);
  const found = await runModel(g.model(), dataFeeds(samples));
  const scaled = networkFeeds(inputs, samples);
  for (const name of ['image', 'mask']) expect(found[name]?.data, name).toEqual(scaled[name]?.data);
  expect(scaled.image?.numbers()[3]).toBe(1);
});
