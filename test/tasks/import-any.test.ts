// What prognet's own ops do not hold: control flow, ops of other domains, quantised and float16 weights. Imported as they are, grown, exported in
// every form: the imported output has the very bits of the file.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { type Attribute, allNodes } from '../../src/onnx/ir/graph.js';
import { tensorType } from '../../src/onnx/ir/types.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { runModel } from '../support/run.js';

const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));
const rows = Tensor.from('float32', waves(40 * 6, 3), [40, 6]);

/** A quantised product, a choice between two ways, com.microsoft and ai.onnx.ml, a product in float16. */
function anything(): Uint8Array {
  const g = ops({ name: 'anything', opset: 18 });
  const x = g.input('x', 'float32', ['N', 6]);
  const bytes = g.initializer(
    'q',
    Tensor.from(
      'int8',
      waves(96).map((v) => Math.round(v * 100)),
      [6, 16],
    ),
  );
  const w = g.dequantizeLinear(bytes, g.initializer('scale', Tensor.from('float32', 0.02)));
  const [gelu] = g.node('Gelu', [g.matMul(x, w)], new Map(), 1, 'com.microsoft');
  const first = must(gelu, 'gelu');
  first.name = 'first';
  first.type = tensorType('float32', ['N', 16]);
  const many = g.greater(g.gather(g.shape(first), g.constant(Tensor.from('int64', 0))), g.constant(Tensor.from('int64', 1000)));
  const branch = (name: string, by: number) => {
    const inner = g.subgraph(name);
    const own = inner.initializer(`${name}/own`, Tensor.from('float32', waves(256, by), [16, 16]));
    inner.graph.outputs.push(inner.relu(inner.matMul(first, own)));
    return inner.graph;
  };
  const [second] = g.op('If', [many], { then_branch: branch('then', 5), else_branch: branch('otherwise', 7) });
  must(second, 'second').name = 'second';
  const half = g.cast(must(second, 'second'), { to: 'float16' });
  const table = g.initializer('h', Tensor.from('float16', waves(80, 2), [16, 5]));
  const scaled = new Map<string, Attribute>([
    ['offset', { kind: 'floats', value: [0.5] }],
    ['scale', { kind: 'floats', value: [2] }],
  ]);
  const third = g.relu(g.matMul(half, table));
  third.name = 'third';
  const [y] = g.node('Scaler', [g.cast(third, { to: 'float32' })], scaled, 1, 'ai.onnx.ml');
  must(y, 'y').type = tensorType('float32', ['N', 5]);
  g.output(must(y, 'y'), 'y');
  const model = g.model();
  model.opsets.set('ai.onnx.ml', 3);
  return toBinary(model);
}

describe('a model of any ops', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'prognet-any-')), 'family');
  const file = join(dir, '..', 'anything.onnx');
  const labels = Tensor.from(
    'int64',
    Array.from({ length: 40 }, (_, i) => i % 5),
  );
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));
  const exported = (name: string, ...flags: string[]) => {
    const path = join(dir, `${name}.onnx`);
    run('export', ...flags, '-o', path);
    return fromBinary(new Uint8Array(readFileSync(path)));
  };

  beforeAll(() => {
    mkdirSync(dir);
    writeFileSync(file, anything());
    const parts = { x_train: rows, y_train: labels, x_test: rows, y_test: labels };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(parts))));
    const begun = prognet(
      'import',
      file,
      '--task',
      'any',
      '--taps',
      'first,second,third',
      '--data',
      'd.npz',
      '-o',
      dir,
      '--json',
    );
    expect(begun).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(begun.stdout).taps).toEqual([
      { name: 'first', shape: [16] },
      { name: 'second', shape: [16] },
      { name: 'third', shape: [5] },
    ]);
    const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
    writeFileSync(
      join(dir, 'prognet.yaml'),
      `${text}  - task: next
    data: d.npz
    blocks: [[{ dense: 8 }, relu], [{ dense: 8 }, relu], [{ dense: 8 }, relu]]
    head: { classify: 5 }
    laterals: { kind: adapter, rank: 4 }
    train: { epochs: 1, batch: 8, seed: 1 }
`,
    );
    run('train', 'next', '--freeze');
  }, 60_000);

  it('has the bits of the file in every form', async () => {
    const { y } = await runModel(fromBinary(new Uint8Array(readFileSync(file))), { x: rows });
    const expected = Buffer.from(must(y, 'y').bytes);
    const forms = {
      task: exported('task', '--task', 'any'),
      all: exported('all', '--all'),
      fused: exported('fused', '--all', '--fused'),
      newer: exported('newer', '--all', '--opset', '20'),
    };
    for (const [name, model] of Object.entries(forms)) {
      const { any } = await runModel(model, { x: rows });
      const apart = must(any, 'any')
        .numbers()
        .map((v, i) => v - must(must(y, 'y').numbers()[i], 'y'));
      // At another opset ONNX Runtime puts the float16 part together in another way.
      expect(Math.max(...apart.map(Math.abs)), name).toBeLessThanOrEqual(name === 'newer' ? 0.02 : 0);
    }
    const routed = exported('routed', '--routed');
    const { scores } = await runModel(routed, { x: rows, task_id: Tensor.from('int64', [0]) });
    expect(Buffer.compare(must(scores, 'scores').bytes, expected)).toBe(0);
    const { next } = await runModel(forms.all, { x: rows });
    const { scores: other } = await runModel(routed, { x: rows, task_id: Tensor.from('int64', [1]) });
    expect(Buffer.compare(must(other, 'scores').bytes, must(next, 'next').bytes)).toBe(0);
  }, 60_000);

  it('holds the nodes as they are, under the name of the task, and the domains that they need', () => {
    const model = exported('nodes', '--all');
    const own = [...allNodes(model.graph)].filter(({ name }) => name.startsWith('any/'));
    expect(own.map(({ opType }) => opType)).toEqual(
      expect.arrayContaining(['DequantizeLinear', 'Gelu', 'If', 'Relu', 'MatMul', 'Cast', 'Scaler']),
    );
    expect(Object.fromEntries(model.opsets)).toEqual({ '': 18, 'com.microsoft': 1, 'ai.onnx.ml': 3 });
    const weights = new Map(model.graph.initializers.map((v) => [v.name, v.dtype]));
    expect([weights.get('any/q'), weights.get('any/h')]).toEqual(['int8', 'float16']);
  });

  it('verifies, and travels as one file', async () => {
    expect(run('verify').tasks.map((t: { identical: boolean }) => t.identical)).toEqual([true, true]);
    run('bundle', '-o', join(dir, 'any.prognet'));
    const network = await readNetwork(new Uint8Array(readFileSync(join(dir, 'any.prognet'))));
    const { any } = await runModel(network.model({ task: 'any' }), { x: rows });
    const { y } = await runModel(fromBinary(new Uint8Array(readFileSync(file))), { x: rows });
    expect(Buffer.compare(must(any, 'any').bytes, must(y, 'y').bytes)).toBe(0);
  }, 60_000);

  it('refuses a tap that has nothing to do with the input', () => {
    const g = ops();
    const x = g.input('x', 'float32', ['N', 4]);
    const alone = g.relu(g.initializer('c', Tensor.from('float32', [1, 2], [1, 2])));
    alone.name = 'alone';
    g.output(g.matMul(g.add(x, g.reduceSum(alone)), g.initializer('w', Tensor.zeros('float32', [4, 2]))), 'y');
    const path = join(dir, '..', 'alone.onnx');
    writeFileSync(path, toBinary(g.model()));
    expect(
      prognet('import', path, '--task', 't', '--taps', 'alone', '--data', 'd.npz', '-o', join(dir, '../other')),
    ).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^prognet: [^:]*alone\.onnx: the tap "alone" depends on no input\n$/),
    });
  });
});
