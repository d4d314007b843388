// The table of docs/gradients.md is the one that the committed results give, and what it says of nodes holds today.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readNpz } from '../../../src/formats/npz.js';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { allNodes } from '../../../src/onnx/ir/graph.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';

const read = (path: string) => new Uint8Array(readFileSync(new URL(path, import.meta.url)));
const results = JSON.parse(new TextDecoder().decode(read('../../../scripts/bench/results/gradient-peers.json')));
const document = new TextDecoder().decode(read('../../../docs/gradients.md'));

it.each([
  ['resnet', 0],
  ['encoder', 1],
  ['lstm', 2],
])('%s: nodes', (name, at) => {
  const by = [...readNpz(read(`torch/${name}.npz`)).keys()]
    .filter((k) => k.startsWith('grad/'))
    .map((k) => k.slice('grad/'.length));
  const made = grad(fromBinary(read(`torch/${name}.onnx`)), { of: 'loss', by });
  const nodes = [...allNodes(made.graph)].filter((n) => n.opType !== 'Constant').length;
  const told = results.models[at as number];
  expect(nodes).toBeLessThanOrEqual(told.prognet.nodes);
  expect(document).toContain(
    `| ${told.name} | ${told.nodes} | ${told.prognet.nodes} | ${told.prognet.ms.toFixed(2)} ms | ${told['onnx-ad'].nodes} |`,
  );
});
