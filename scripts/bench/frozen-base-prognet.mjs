// Contestant: a column over an imported ResNet-50, its whole training by prognet: the taps of the base once, then the epochs. Arguments: the .onnx
// file, images, epochs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNpz } from '../../dist/formats/npz.js';
import { Tensor } from '../../dist/index.js';
import { NodeRuntime, open } from '../../dist/node.js';
import { serve, threads } from './harness.mjs';

const [model, ...numbers] = process.argv.slice(2);
const [images, epochs] = numbers.map(Number);
const folder = mkdtempSync(join(tmpdir(), 'prognet-frozen-base-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Images of noise, and their classes. */
function samples(count, classes) {
  const pixels = new Float32Array(count * 3 * 224 * 224);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[i] = state / 2 ** 31 - 1;
  }
  const labels = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % classes));
  return { inputs: new Tensor('float32', [count, 3, 224, 224], pixels), targets: new Tensor('int64', [count], labels) };
}

const few = samples(4, 1000);
const parts = { x_train: few.inputs, y_train: few.targets, x_test: few.inputs, y_test: few.targets };
writeFileSync(join(folder, 'few.npz'), writeNpz(new Map(Object.entries(parts))));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const taps = '/layer4/layer4.2/relu_2/Relu_output_0,/Flatten_output_0';
const workspace = join(folder, 'photos');
const imported = spawnSync(
  process.execPath,
  [cli, 'import', model, '--task', 'base', '--taps', taps, '--data', '../few.npz', '-o', workspace],
  { encoding: 'utf8' },
);
if (imported.status !== 0) throw new Error(imported.stderr);
const description = join(workspace, 'prognet.yaml');
writeFileSync(
  description,
  `${readFileSync(description, 'utf8')}  - task: own
    blocks:
      - [{ conv2d: { filters: 16, kernel: 7, stride: 4, padding: 3 } }, relu, { maxpool2d: 4 }]
      - [{ conv2d: { filters: 32, kernel: 3, stride: 2, padding: 1 } }, relu]
    head: { classify: 10 }
    laterals: { kind: adapter, rank: 16, from: [base], taps: { 1: 0, head: 1 } }
    train: { epochs: ${epochs}, batch: 32, optimizer: adam, lr: 0.001 }
`,
);
const runtime = await NodeRuntime.load();
const data = { train: samples(images, 10), test: samples(8, 10) };

await serve({ engine: runtime.version }, async () => {
  const network = await open(workspace, { on: runtime });
  const started = performance.now();
  const { history } = await network.train('own', { data, threads, restart: true, freeze: false });
  return { ms: performance.now() - started, loss: history.at(-1).loss };
});
