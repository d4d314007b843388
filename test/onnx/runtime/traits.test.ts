// The rows of the providers, and what is done with them.
import { expect, test } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { hostNodesOption } from '../../../src/onnx/runtime/requested-providers.js';
import { providerNames, traitsOf } from '../../../src/onnx/runtime/traits.js';
import { optimizer } from '../../../src/train/optim/optimizer.js';
import { hostNodes } from '../../../src/train/step/host-nodes.js';
import { stepGraph } from '../../../src/train/step/step-graph.js';
import { columnAt } from '../../support/by-place.js';
import { describe } from '../../support/random-network.js';

const by = (of: (provider: string) => unknown) => Object.fromEntries(providerNames.map((p) => [p, of(p)]));

test('who steps singly, takes classes as int32, likes channels last', () => {
  expect(providerNames.filter((p) => !traitsOf(p).loop)).toEqual(['webgpu', 'webnn']);
  const int32 = ['cuda', 'tensorrt', 'dml', 'coreml', 'webgpu', 'webnn'];
  expect(providerNames.filter((p) => traitsOf(p).classes === 'int32')).toEqual(int32);
  expect(providerNames.filter((p) => traitsOf(p).channelsLast)).toEqual(['cpu', 'wasm']);
});

test('a provider without a row is like none of them in particular', () => {
  for (const name of ['xnnpack', 'toString'])
    expect(traitsOf(name)).toMatchObject({ loop: true, classes: 'int64', channelsLast: false, options: {} });
});

test("a MaxPool whose indices the gradient reads is the CPU's where the kernel has none", () => {
  const blocks: ColumnInput['blocks'] = [
    [{ conv2d: { filters: 2, kernel: 3, padding: 'same' } }, 'relu', { maxpool2d: { kernel: 3, stride: 1 } }, 'flatten'],
  ];
  const description = describe([{ task: 'a', blocks, head: { classify: 3 } }], 1);
  const { model } = stepGraph({
    column: columnAt(description, 0),
    optimizer: optimizer({ kind: 'sgd' }),
    dtypes: { image: 'float32' },
    form: 'step',
  });
  const pools = model.graph.nodes.filter((n) => n.opType === 'MaxPool' && n.outputs.length > 1).map((n) => n.name);
  expect(pools.length).toBeGreaterThan(0);
  expect(by((p) => hostNodes(model.graph, traitsOf(p)))).toEqual(by((p) => (p === 'webgpu' ? pools : [])));
  expect(by((p) => hostNodesOption(p, { hostNodes: pools }))).toEqual(
    by((p) => (p === 'webgpu' ? { forceCpuNodeNames: pools } : {})),
  );
  expect(hostNodesOption('webgpu', {})).toEqual({});
});
