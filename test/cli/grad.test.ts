// prognet grad as a user runs it.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { grad } from '../../src/onnx/autodiff/grad.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { prognet, repo } from './support.js';

const model = join(repo, 'test/onnx/autodiff/torch/lstm.onnx');
const out = () => join(mkdtempSync(join(tmpdir(), 'prognet-grad-')), 'out.onnx');

it('writes the gradient graph, the model unchanged beside it', () => {
  const file = out();
  const { status, stdout } = prognet('grad', model, '--of', 'loss', '--by', 'x,head.weight', '-o', file, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    file,
    mode: 'vjp',
    opset: 17,
    inputs: [],
    outputs: [{ name: 'grad/x' }, { name: 'grad/head.weight' }],
  });
  const { graph } = fromBinary(new Uint8Array(readFileSync(file)));
  expect(graph.outputs.map((v) => v.name)).toEqual(['loss', 'grad/x', 'grad/head.weight']);
});

it('forward mode has tangents for inputs', () => {
  const encoder = join(repo, 'test/onnx/autodiff/torch/encoder.onnx');
  const { status, stdout } = prognet('grad', encoder, '--of', 'loss', '--by', 'x', '--mode', 'jvp', '-o', out());
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/input {3}tangent\/x: float32\[2,5,16\]\n {2}output {2}jvp\/loss: float32/),
  ]);
});

it('a memory budget is kept or refused, weights go beside the model', () => {
  const resnet = join(repo, 'test/onnx/autodiff/torch/resnet.onnx');
  const file = out();
  const flags = ['--of', 'loss', '--by', 'x,stem.0.weight', '-o', file];
  const { status, stdout } = prognet('grad', resnet, ...flags, '--memory', '1.5MB', '--external-data', '--json');
  expect([status, JSON.parse(stdout).memory.after]).toEqual([0, expect.any(Number)]);
  const beside = readFileSync(`${file}.data`);
  expect(beside.length).toBeGreaterThan(4 * 8 * 3 * 49);
  const loaded = loadModel(file);
  expect(loaded.graph.initializers.find((v) => v.name === 'stem.0.weight')?.constant?.dims).toEqual([8, 3, 7, 7]);
  const small = prognet('grad', resnet, ...flags, '--memory', '10kB');
  expect([small.status, small.stderr]).toEqual([
    2,
    expect.stringMatching(/^prognet: memory: 10000 bytes .* least .* is \d+.*\n$/),
  ]);
});

it('a model without floating-point values has nothing to differentiate', () => {
  const g = ops({ name: 'counts' });
  g.output(g.identity(g.input('i', 'int64', [2])), 'y');
  const refused = (of: string, by: string) => () => grad(g.model(), { of, by: [by] });
  expect(refused('y', 'i')).toThrow(
    'output "y" is int64[2]; a gradient needs a floating-point tensor, the model has no output that is one',
  );
});

it('names the file that the weights went to', () => {
  const file = out();
  writeFileSync(`${file}.data`, 'of somebody else');
  const resnet = join(repo, 'test/onnx/autodiff/torch/resnet.onnx');
  const { stdout } = prognet('grad', resnet, '--of', 'loss', '--by', 'x', '-o', file, '--external-data');
  expect(stdout).toContain(`, weights in ${file}.1.data\n`);
  expect(readFileSync(`${file}.data`, 'utf8')).toBe('of somebody else');
});

it.each([
  [['--of', 'loss', '--by', 'x', '--memory', 'much'], 'prognet: --memory: found "much", expected a size, as 64MB\n'],
  [['--of', 'loss', '--by', 'x', '--dim', 'N'], 'prognet: --dim: found "N", expected a name and a size, as N=32\n'],
  [['--loss', 'loss', '--wrt', 'x'], "prognet: unknown option '--loss', expected --of loss\n"],
  [['--of', 'loss', '--wrt', 'x'], "prognet: unknown option '--wrt', expected --by x\n"],
  [['--of', 'nope', '--by', 'x'], 'prognet: the model has no output "nope", there are: loss\n'],
  [['--of', 'loss', '--by', 'y'], 'prognet: the model has no input or weight "y", there are: x, '],
  [['--of', 'loss', '--by', 'x', '--mode', 'up'], 'prognet: --mode: found "up", expected vjp or jvp\n'],
])('%j is refused in one line', (flags, message) => {
  const { status, stderr } = prognet('grad', model, ...flags, '-o', out());
  expect(status).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

it('says what a gradient is of where its name is taken, and refuses opsets that it does not know', () => {
  const g = ops();
  const [x, taken] = [g.input('x', 'float32', [2]), g.input('grad/x', 'float32', [2])];
  g.output(g.reduceSum(g.mul(x, taken), undefined, { keepdims: 0 }), 'y');
  const file = out();
  writeFileSync(file, toBinary(g.model()));
  const flags = ['--of', 'y', '--by', 'x', '-o', out()];
  const { stdout } = prognet('grad', file, ...flags);
  expect(stdout).toContain('output  grad/grad/x: float32[2]   (of x)\n');
  expect(JSON.parse(prognet('grad', file, ...flags, '--json').stdout).outputs).toEqual([
    { name: 'grad/grad/x', type: 'float32[2]', of: 'x' },
  ]);
  const late = g.model();
  late.opsets.set('', 27);
  writeFileSync(file, toBinary(late));
  expect(prognet('grad', file, ...flags)).toMatchObject({
    status: 2,
    stderr: 'prognet: the model is of opset 27, a gradient takes opsets up to 26\n',
  });
});
