// prognet grad over models whose weights stand beside them: where the weights of the result go, what stays of an older one, what it takes in memory.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../src/onnx/ir/graph.js';
import { tensorType } from '../../src/onnx/ir/types.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { prognet, repo } from './support.js';

const folder = () => mkdtempSync(join(tmpdir(), 'prognet-grad-'));

/** Square layers, one weight each. */
function layers(width: number, count: number) {
  const g = ops();
  let h = g.input('x', 'float32', ['N', width]);
  for (let i = 0; i < count; i++) {
    const weight = Tensor.zeros('float32', [width, width]);
    if (weight.data instanceof Float32Array) weight.data.fill(0.5 / width + i / 1e6);
    h = g.relu(g.matMul(h, g.initializer(`w${i}`, weight)));
  }
  g.output(g.reduceMean(g.mul(h, h), undefined, { keepdims: 0 }), 'loss');
  return g.model();
}

const weightsOf = (file: string) =>
  Object.fromEntries(
    loadModel(file).graph.initializers.map((v) => [v.name, Buffer.from(v.constant?.bytes ?? []).toString('base64')]),
  );

/** A model m.onnx with its weights in m.onnx.data; `to` writes its gradient beside it. */
function external() {
  const dir = folder();
  saveModel(layers(32, 2), join(dir, 'm.onnx'), { externalData: true });
  const to = (name: string, ...more: string[]) =>
    prognet('grad', join(dir, 'm.onnx'), '--of', 'loss', '--by', 'w0,w1', '-o', join(dir, name), ...more);
  return { dir, to, files: () => readdirSync(dir).sort() };
}

it('the weights go beside the result too, in a file of its own that needs no other', () => {
  const { dir, to, files } = external();
  const before = weightsOf(join(dir, 'm.onnx'));
  const { status, stdout } = to('g.onnx');
  expect([status, stdout]).toEqual([0, expect.stringContaining(`, weights in ${join(dir, 'g.onnx.data')}\n`)]);
  expect(files()).toEqual(['g.onnx', 'g.onnx.data', 'm.onnx', 'm.onnx.data']);
  expect(readFileSync(join(dir, 'g.onnx')).length).toBeLessThan(4096);
  for (const name of ['m.onnx', 'm.onnx.data']) rmSync(join(dir, name));
  expect(weightsOf(join(dir, 'g.onnx'))).toMatchObject(before);
});

it('over an older result its data go, and those of the new one are named', () => {
  const { dir, to, files } = external();
  to('g.onnx');
  expect(JSON.parse(to('g.onnx', '--json').stdout).dataFile).toBe(join(dir, 'g.onnx.1.data'));
  expect(files()).toEqual(['g.onnx', 'g.onnx.1.data', 'm.onnx', 'm.onnx.data']);
});

it('data of an older model in a subgraph go too', () => {
  const { dir, to, files } = external();
  const g = ops();
  const branch = (name: string): Attribute => {
    const graph = new Graph(name);
    const weight = new Value(`${name}.w`, tensorType('float32', [32, 32]));
    weight.constant = Tensor.zeros('float32', [32, 32]);
    graph.initializers.push(weight);
    const y = new Value(`${name}.y`, weight.type);
    graph.nodes.push(new Node('Identity', [weight], [y]));
    graph.outputs.push(y);
    return { kind: 'graph', value: graph };
  };
  const y = new Value('y', tensorType('float32', [32, 32]));
  const branches = new Map([
    ['then_branch', branch('yes')],
    ['else_branch', branch('no')],
  ]);
  g.graph.nodes.push(new Node('If', [g.input('c', 'bool', [])], [y], branches));
  g.graph.outputs.push(y);
  saveModel(g.model(), join(dir, 'g.onnx'), { externalData: true });
  expect(files()).toContain('g.onnx.data');
  expect(to('g.onnx').status).toBe(0);
  expect(files()).toEqual(['g.onnx', 'g.onnx.1.data', 'm.onnx', 'm.onnx.data']);
});

it('a model whose data prognet did not write is not written over: they would stay behind', () => {
  const { dir, to, files } = external();
  saveModel(layers(32, 1), join(dir, 'old.onnx'), { externalData: true });
  const text = readFileSync(join(dir, 'old.onnx'), 'latin1').replaceAll('old.onnx.data', 'weights_1.bin');
  writeFileSync(join(dir, 'old.onnx'), text, 'latin1');
  renameSync(join(dir, 'old.onnx.data'), join(dir, 'weights_1.bin'));
  const message = `prognet: ${join(dir, 'old.onnx')}: the model there has weights in weights_1.bin, which would stay behind, expected another output or neither of them there\n`;
  expect(to('old.onnx')).toMatchObject({ status: 2, stderr: message });
  expect(files()).toEqual(['m.onnx', 'm.onnx.data', 'old.onnx', 'weights_1.bin']);
  expect(weightsOf(join(dir, 'old.onnx'))).toHaveProperty('w0');
  rmSync(join(dir, 'weights_1.bin'));
  expect(to('old.onnx').status).toBe(0);
});

it('data that the model itself reads are not taken away with an older one', () => {
  const { dir, to, files } = external();
  copyFileSync(join(dir, 'm.onnx'), join(dir, 'copy.onnx'));
  const copied = prognet('grad', join(dir, 'copy.onnx'), '--of', 'loss', '--by', 'w0', '-o', join(dir, 'm.onnx'));
  const message = `prognet: ${join(dir, 'm.onnx')}: its weights in m.onnx.data are what the command reads, expected another output\n`;
  expect(copied).toMatchObject({ status: 2, stderr: message });
  expect(files()).toEqual(['copy.onnx', 'm.onnx', 'm.onnx.data']);
  expect(to('g.onnx').status).toBe(0);
});

it('where nothing can be written nothing of it stays', () => {
  const { dir, to, files } = external();
  to('g.onnx');
  const before = readFileSync(join(dir, 'g.onnx'));
  writeFileSync(join(dir, 'm.onnx.data'), '');
  const { status, stderr } = to('g.onnx');
  expect([status, stderr]).toEqual([2, expect.stringContaining('its external data "m.onnx.data" has 0 bytes')]);
  expect(files()).toEqual(['g.onnx', 'g.onnx.data', 'm.onnx', 'm.onnx.data']);
  expect(readFileSync(join(dir, 'g.onnx'))).toEqual(before);
});

it('to a device the weights go inside, --external-data is refused', () => {
  const { dir } = external();
  const flags = ['grad', join(dir, 'm.onnx'), '--of', 'loss', '--by', 'w0', '-o', '/dev/null'];
  expect(prognet(...flags)).toMatchObject({ status: 0, stdout: expect.not.stringContaining('weights in') });
  expect(prognet(...flags, '--external-data')).toMatchObject({
    status: 2,
    stderr: 'prognet: /dev/null: is no regular file, which external data need\n',
  });
});

/** The most memory that a process of `prognet grad` held, in bytes. */
function peakOf(model: string, by: string, out: string): number {
  const peak = `${out}.peak`;
  const args = ['--require', join(repo, 'scripts/bench/peak.cjs'), join(repo, 'dist/cli/main.js')];
  execFileSync(process.execPath, [...args, 'grad', model, '--of', 'loss', '--by', by, '-o', out], {
    env: { ...process.env, PEAK_FILE: peak },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return Number(readFileSync(peak, 'utf8'));
}

it('weights beside the model are streamed, weights within it are held once', () => {
  const dir = folder();
  const small = join(dir, 'small.onnx');
  writeFileSync(small, toBinary(layers(32, 2)));
  const idle = peakOf(small, 'w0', join(dir, 'g.onnx'));
  const [width, count] = [1024, 48];
  const bytes = 4 * width * width * count;
  const large = join(dir, 'large.onnx');
  saveModel(layers(width, count), large, { externalData: true });
  const beside = peakOf(large, 'w0,w47', join(dir, 'h.onnx')) - idle;
  saveModel(layers(width, count), large, { externalData: false });
  const inside = peakOf(large, 'w0,w47', join(dir, 'i.onnx')) - idle;
  console.log(`${bytes} bytes of weights: ${beside} beside the model, ${inside} within it, beyond ${idle} of a small one`);
  // Within a file about half of the weights lie where they cannot be used without a copy.
  expect(beside).toBeLessThan(0.8 * bytes);
  expect(inside).toBeLessThan(2.2 * bytes);
}, 120_000);
