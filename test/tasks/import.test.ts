// A progressive network written in PyTorch (scripts/fixtures/torch-prognet.py) brought in by prognet import: PyTorch's own numbers, columns that
// verify, a new column trained over them by either engine, every form exported; and what is refused.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { readNpz, writeNpz } from '../../src/formats/npz.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { importModel } from '../../src/model/progressive/import-model.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { GraphBuilder } from '../../src/onnx/ir/builder.js';
import { Value } from '../../src/onnx/ir/graph.js';
import { tensorType } from '../../src/onnx/ir/types.js';
import { reduceBy, reduceSum } from '../../src/onnx/ops/families/reduce.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { lastLine, okIn, prognet } from '../cli/support.js';
import { runModel } from '../support/run.js';

const fixture = join(import.meta.dirname, 'torch/prognet.onnx');
const torch = readNpz(new Uint8Array(readFileSync(join(import.meta.dirname, 'torch/prognet.npz'))));
const value = (name: string): Tensor => must(torch.get(name), name);
const images = value('images');

function dataFile(dir: string, task: string, labels: Tensor): string {
  const parts = { x_train: images, y_train: labels, x_test: images, y_test: labels };
  writeFileSync(join(dir, `${task}.npz`), writeNpz(new Map(Object.entries(parts))));
  return `${task}.npz`;
}

/** Largest difference, relative where the value is beyond 1. */
function apart(a: Tensor, b: Tensor): number {
  expect(a.dims).toEqual(b.dims);
  const [x, y] = [a.numbers(), b.numbers()];
  return Math.max(...x.map((v, i) => Math.abs(v - must(y[i], 'value')) / Math.max(1, Math.abs(v))));
}

describe('a PyTorch prognet of two columns', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'prognet-import-')), 'family');
  const run = (...args: string[]) => lastLine(okIn(dir, ...args, '--json'));

  beforeAll(() => {
    mkdirSync(dir);
    dataFile(dir, 'first', value('first_labels'));
    dataFile(dir, 'second', value('second_labels'));
    const begun = prognet('import', fixture, '--task', 'first', '--scores', 'first', '--data', 'first.npz', '-o', dir, '--json');
    expect(JSON.parse(begun.stdout)).toMatchObject({
      task: 'first',
      taps: [
        { name: 'relu', shape: [4, 8, 8] },
        { name: 'relu_1', shape: [6, 4, 4] },
        { name: 'tanh', shape: [12] },
      ],
      metrics: { accuracy: 1 },
    });
    const second = ['--scores', 'second', '--taps', 'relu_2,relu_3,tanh_1', '--data', 'second.npz'];
    expect(run('import', fixture, '--task', 'second', ...second).taps.map((t: { name: string }) => t.name)).toEqual([
      'relu_2',
      'relu_3',
      'tanh_1',
    ]);
    // What stood there stays, comments too, and a new column goes on.
    const file = join(dir, 'prognet.yaml');
    expect(readFileSync(file, 'utf8')).toMatch(/# without the batch/);
    const third = dataFile(dir, 'third', value('second_labels'));
    writeFileSync(
      file,
      `${readFileSync(file, 'utf8')}  - task: third
    data: ${third}
    blocks: [[{ conv2d: { filters: 3, kernel: 3, padding: same } }, relu, { maxpool2d: 2 }], [flatten, { dense: 8 }, relu]]
    head: { classify: 3 }
    laterals: { kind: adapter, rank: 4 }
    train: { epochs: 2, batch: 16, lr: 0.01, seed: 1 }
`,
    );
  }, 60_000);

  it('never writes over a graph that the description names, wherever it lies', () => {
    const other = join(mkdtempSync(join(tmpdir(), 'prognet-named-')), 'family');
    cpSync(dir, other, { recursive: true });
    const [graph, file] = [join(other, 'mine.onnx'), join(other, 'prognet.yaml')];
    cpSync(join(other, 'imported/first.onnx'), graph);
    writeFileSync(file, readFileSync(file, 'utf8').replace('imported/first.onnx', 'mine.onnx'));
    const { status, stderr } = prognet('export', '--task', 'first', '-o', graph, '-C', other);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `prognet: ${graph}: is what the command reads, expected another output\n`,
    });
    expect(readFileSync(graph)).toEqual(readFileSync(join(dir, 'imported/first.onnx')));
  });

  it("gives PyTorch's numbers, alone and in every form", async () => {
    const input = join(dir, 'images.npy');
    writeFileSync(input, writeNpy(images));
    run('predict', 'second', '--input', input, '--output', join(dir, 'p.npy'));
    const probabilities = readNpy(new Uint8Array(readFileSync(join(dir, 'p.npy'))));
    expect(probabilities.dims).toEqual([96, 3]);
    for (const [name, ...flags] of [
      ['first', '--task', 'first'],
      ['second', '--task', 'second'],
      ['all', '--all'],
      ['fused', '--all', '--fused'],
    ]) {
      const file = join(dir, `${name}.onnx`);
      run('export', ...flags, '-o', file);
      const outputs = await runModel(fromBinary(new Uint8Array(readFileSync(file))), { image: images });
      expect(Object.keys(outputs)).toEqual(name === 'first' || name === 'second' ? [name] : ['first', 'second']);
      for (const [task, scores] of Object.entries(outputs))
        expect(apart(value(`${task}_scores`), scores), `${name}: ${task}`).toBeLessThan(1e-5);
    }
    expect(prognet('export', '--all', '--opset', '17', '-o', join(dir, 'old.onnx'), '-C', dir).stderr).toMatch(
      /opset 17 cannot be emitted, expected 20 to 25/,
    );
  }, 60_000);

  it('is a source for a new column, trained by either engine; all of them verify', async () => {
    expect(prognet('train', 'first', '--freeze', '-C', dir).stderr).toMatch(/task "first" is trained and frozen for good/);
    const [trained] = run('train', 'third', '--freeze', '--engine', 'ort-training', '--threads', '1').trained;
    expect(trained.earlier).toMatchObject([
      { task: 'first', identical: true },
      { task: 'second', identical: true },
    ]);
    expect(run('verify').tasks.map((t: { identical: boolean }) => t.identical)).toEqual([true, true, true]);
    run('bundle', '-o', join(dir, 'family.prognet'));
    const network = await readNetwork(new Uint8Array(readFileSync(join(dir, 'family.prognet'))));
    const outputs = await runModel(network.model({ task: 'second' }), { image: images });
    expect(apart(value('second_scores'), must(outputs.second, 'second'))).toBeLessThan(1e-5);
  }, 60_000);

  it('keeps nothing of where the model came from, and notices a graph that was changed', () => {
    const graph = readFileSync(join(dir, 'imported/second.onnx'));
    expect(graph.length).toBeLessThan(6000);
    const other = Buffer.from(graph);
    const at = other.indexOf('Tanh');
    other.write('Relu', at);
    writeFileSync(join(dir, 'imported/second.onnx'), other);
    expect(prognet('verify', '-C', dir)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /^prognet: prognet.yaml: task "second" no longer fits its frozen column, onnx\.graph: "data:[^\n]{1,300}\n$/,
      ),
    });
    writeFileSync(join(dir, 'imported/second.onnx'), graph);
    expect(prognet('verify', '-C', dir).status).toBe(0);
  });
});

describe('refuses, in one line and with nothing written', () => {
  /** A model with one Gemm of weights [4, k] between an activation and its output; `change` makes it wrong. */
  function small(
    change: (g: ReturnType<typeof ops>) => void = () => {},
    shape: readonly (string | number)[] = ['N', 4],
  ): Uint8Array {
    const g = ops({ name: 'small' });
    const h = g.relu(g.gemm(g.input('x', 'float32', shape), g.initializer('w', Tensor.zeros('float32', [4, 3]))));
    h.name = 'hidden';
    g.output(g.gemm(h, g.initializer('v', Tensor.zeros('float32', [3, 2]))), 'y');
    change(g);
    return toBinary(g.model());
  }
  const taken = (bytes: Uint8Array, request: { taps?: string[]; scores?: string } = {}) =>
    importModel(fromBinary(bytes), { task: 't', ...request }, 'm.onnx');

  it('models that cannot be columns', () => {
    expect(taken(small())).toMatchObject({ taps: ['hidden'], scores: 'y', width: 2, inputs: ['x'] });
    expect([...taken(small()).weights.keys()]).toEqual(['t/w', 't/v']);
    const refused: [Uint8Array, { taps?: string[]; scores?: string }, RegExp][] = [
      [
        small((g) => g.input('z', 'int64', [])),
        {},
        /^m\.onnx: its input "z" is int64\[\], without a row for each sample: say what it is, as the option fix: "z=VALUE"$/,
      ],
      [small((g) => g.input('z', 'float32', [1, 2])), {}, /"z" is float32\[1,2\], 1 where others have the batch: say what it is/],
      [
        small((g) => g.input('z', 'string', ['N', 2])),
        {},
        /its input "z" is string\[N,2\], expected one of float32, float16, int64/,
      ],
      [
        small((g) => g.output(g.identity(must(g.graph.outputs[0], 'y')), 'z')),
        {},
        /has the outputs y, z: say which are the task's scores, as the option scores$/,
      ],
      [small(), { scores: 'z' }, /has no output "z" that it computes, there are: y$/],
      [small(), { taps: ['z'] }, /computes no "z", it computes: /],
    ];
    for (const [bytes, request, message] of refused) {
      let said = '';
      try {
        taken(bytes, request);
      } catch (error) {
        said = error instanceof Error ? `${error.name}: ${error.message}`.replace(/^UsageError: /, '') : '';
      }
      expect(said).toMatch(message);
      expect(said.split('\n')).toHaveLength(1);
    }
  });

  it.each<[string, string, (g: ReturnType<typeof ops>, x: Value) => Value | readonly Value[]]>([
    ['Softmax', 'probabilities', (g, x) => g.softmax(x)],
    ['LogSoftmax', 'probabilities', (g, x) => g.logSoftmax(x)],
    ['Sigmoid', 'probabilities', (g, x) => g.sigmoid(x)],
    ['HardSigmoid', 'probabilities', (g, x) => g.hardSigmoid(x)],
    ['ArgMax', 'labels', (g, x) => g.argMax(x, { axis: 1 })],
    ['Hardmax', 'labels', (g, x) => g.hardmax(x)],
    ['TopK', 'labels', (g, x) => g.outputs(2).topK(x, [1])[1]],
    ['Greater', 'labels', (g, x) => g.cast(g.greater(g.sigmoid(x), 0.5), { to: 'float32' })],
    ['Softmax', 'probabilities', (g, x) => g.identity(g.reshape(g.cast(g.softmax(x), { to: 'float32' }), [0, 2]))],
    ['Softmax', 'probabilities', (g, x) => g.flatten(g.squeeze(g.unsqueeze(g.softmax(x), [2]), [2]))],
    ['Softmax', 'probabilities', (g, x) => g.transpose(g.transpose(g.softmax(x), { perm: [1, 0] }), { perm: [1, 0] })],
    ['Softmax', 'probabilities', (g, x) => g.clip(g.softmax(x), 1e-7, 1)],
    ['Softmax', 'probabilities', (g, x) => g.log(g.softmax(x))],
    ['ArgMax', 'labels', (g, x) => g.argMax(g.softmax(x), { axis: 1 })],
    [
      'Sigmoid',
      'probabilities',
      (g, x) => {
        const p = g.sigmoid(x);
        return g.concat(g.sub(1, p), p, { axis: 1 });
      },
    ],
    [
      'Div',
      'probabilities',
      (g, x) => {
        const e = g.exp(g.sub(x, reduceBy(g, 'ReduceMax', x, [1])));
        return g.div(e, reduceSum(g, e, [1]));
      },
    ],
    [
      'Mul',
      'probabilities',
      (g, x) => {
        const e = g.exp(x);
        return g.mul(e, g.reciprocal(reduceSum(g, e, [1])));
      },
    ],
    ['LpNormalization', 'probabilities', (g, x) => must(g.op('LpNormalization', [g.exp(x)], { p: 1, axis: 1 })[0], 'y')],
    ['Floor', 'labels', (g, x) => g.floor(x)],
    ['Sign', 'labels', (g, x) => g.sign(x)],
    ['ZipMap', 'probabilities', (g, x) => must(g.node('ZipMap', [g.softmax(x)], new Map(), 1, 'ai.onnx.ml')[0], 'y')],
    [
      'LabelEncoder',
      'labels',
      (g, x) => must(g.node('LabelEncoder', [g.argMax(x, { axis: 1 })], new Map(), 1, 'ai.onnx.ml')[0], 'y'),
    ],
    ['Normalizer', 'probabilities', (g, x) => must(g.node('Normalizer', [g.sigmoid(x)], new Map(), 1, 'ai.onnx.ml')[0], 'y')],
  ])('%s as raw scores: %s', (op, what, ending) => {
    const g = ops({ name: 'classifier' });
    const h = g.relu(g.gemm(g.input('x', 'float32', ['N', 4]), g.initializer('w', Tensor.zeros('float32', [4, 3]))));
    const logits = g.gemm(h, g.initializer('v', Tensor.zeros('float32', [3, 2])));
    logits.name = 'logits';
    const y = g.output(ending(g, logits) as Value, 'y');
    y.type ??= tensorType('float32', ['N', 2]);
    const bytes = toBinary(g.model());
    expect(() => taken(bytes)).toThrow(
      new RegExp(
        `^m\\.onnx: "y" holds ${what} \\(.*${op} "[^"]*"\\), expected raw scores: before it these are "logits", as the option scores: "auto"$`,
      ),
    );
    for (const scores of ['auto', 'logits']) expect(taken(bytes, { scores })).toMatchObject({ scores: 'logits', width: 2 });
    expect(taken(bytes, { scores: 'auto' }).notes).toEqual([
      expect.stringMatching(`^m\\.onnx: the scores are "logits", before "y", ${what} `),
    ]);
  });

  it.each<[string, string, (g: ReturnType<typeof ops>, x: Value) => Value]>([
    ['one of two classes, the other way about', 'Sigmoid', (g, x) => g.sub(1, g.sigmoid(x))],
    ['an average', 'Div', (g, x) => g.div(g.add(g.softmax(x), g.softmax(g.neg(x))), 2)],
    ['a sum with zeros', 'Add', (g, x) => g.add(g.softmax(x), must(g.op('ConstantOfShape', [g.shape(x)], {})[0], 'c'))],
    ['a sigmoid written out', 'Div', (g, x) => g.div(1, g.add(1, g.exp(g.neg(x))))],
    ['a sigmoid by its reciprocal', 'Reciprocal', (g, x) => g.reciprocal(g.add(g.exp(g.neg(x)), 1))],
    ['a sigmoid by a tanh', 'Add', (g, x) => g.add(g.mul(g.tanh(g.mul(x, 0.5)), 0.5), 0.5)],
    [
      'constants of the attribute value_float',
      'Div',
      (g, x) => {
        const [one] = g.node('Constant', [], new Map([['value_float', { kind: 'float', value: 1 } as const]]));
        return g.div(must(one, 'one'), g.add(must(one, 'one'), g.exp(g.neg(x))));
      },
    ],
  ])('probabilities whose scores stand nowhere: %s', (_, op, ending) => {
    const g = ops({ name: 'classifier' });
    const h = g.relu(g.gemm(g.input('x', 'float32', ['N', 4]), g.initializer('w', Tensor.zeros('float32', [4, 3]))));
    const z = g.gemm(h, g.initializer('v', Tensor.zeros('float32', [3, 2])));
    z.name = 'z';
    g.output(ending(g, z), 'y');
    const bytes = toBinary(g.model());
    expect(() => taken(bytes)).toThrow(
      new RegExp(
        `^m\\.onnx: "y" holds probabilities \\(${op} "[^"]*"\\), expected raw scores, which it computes none of before$`,
      ),
    );
    expect(() => taken(bytes, { scores: 'auto' })).toThrow(/^m\.onnx: its outputs y come from no raw scores: say which are/);
    expect(taken(bytes, { scores: 'z' })).toMatchObject({ scores: 'z', width: 2 });
  });

  it('takes arithmetic that leaves 0 and 1 behind', () => {
    const endings: ((g: ReturnType<typeof ops>, x: Value) => Value)[] = [
      (g, x) => g.mul(g.sigmoid(x), 5),
      (g, x) => g.sub(g.mul(g.sigmoid(x), 2), 1),
      (g, x) => g.mul(x, g.sigmoid(x)),
      (g, x) => g.div(x, g.add(1, g.exp(x))),
      (g, x) => g.relu(x),
      (g, x) => g.tanh(x),
    ];
    for (const [i, ending] of endings.entries()) {
      const bytes = small((g) => {
        const x = must(g.graph.outputs.pop(), 'y');
        x.name = 'z';
        g.output(ending(g, x), 'q');
      });
      expect(taken(bytes).scores, `ending ${i}`).toBe('q');
    }
  });

  it('takes the scores that several outputs come from, and scores of shape [N, k, 1, 1]', () => {
    const several = small((g) => {
      const [logits] = g.graph.outputs;
      const p = g.softmax(must(logits, 'y'));
      g.graph.outputs = [];
      g.output(p, 'probabilities');
      g.output(g.argMax(p, { axis: 1 }), 'label');
    });
    expect(taken(several, { scores: 'auto' })).toMatchObject({
      width: 2,
      notes: [expect.stringMatching(/before "probabilities".* and "label"/)],
    });
    expect(() => taken(several, { scores: 'label' })).toThrow(/"label" holds labels \(ArgMax/);
    const other = small((g) => g.output(g.softmax(g.neg(must(g.graph.outputs[0], 'y'))), 'z'));
    expect(() => taken(other, { scores: 'auto' })).toThrow(
      /^m\.onnx: its outputs y, z come from "y, Neg\/out": say which are the task's scores/,
    );
    const input = ops();
    input.output(input.sigmoid(input.input('x', 'float32', ['N', 4])), 'y');
    expect(() => taken(toBinary(input.model()))).toThrow(/expected raw scores, which it computes none of before/);
    const wide = small((g) => {
      const y = g.unsqueeze(must(g.graph.outputs.pop(), 'y'), [2, 3]);
      g.output(g.softmax(y, { axis: 1 }), 'p');
    });
    expect(taken(wide, { scores: 'auto' })).toMatchObject({ width: 2, scores: 'Unsqueeze/out/flat' });
  });

  it('taps what ReLU6 gives, and nothing that columns cannot read', () => {
    const g = ops({ name: 'taps' });
    const x = g.gemm(g.input('x', 'float32', ['N', 4]), g.initializer('w', Tensor.zeros('float32', [4, 4])));
    const six = g.clip(x, 0, 6);
    six.name = 'six';
    const vector = g.clip(
      six,
      g.initializer('least', Tensor.from('float32', [0])),
      g.initializer('most', Tensor.from('float32', [1])),
    );
    vector.name = 'vector';
    const around = g.clip(vector, -1, 1);
    const half = g.relu(g.cast(around, { to: 'float16' }));
    half.name = 'half';
    g.output(g.gemm(g.cast(half, { to: 'float32' }), g.initializer('v', Tensor.zeros('float32', [4, 2]))), 'y');
    const bytes = toBinary(g.model());
    expect(taken(bytes).taps).toEqual(['six', 'vector', 'Cast_1/out']);
    expect(taken(bytes, { taps: ['half'] }).shapes).toEqual([[4]]);
    const labels = small((x) => {
      x.output(x.cast(must(x.graph.outputs[0], 'y'), { to: 'int64' }), 'z');
    });
    expect(() => taken(labels, { scores: 'y', taps: ['z'] })).toThrow(/the tap "z" is int64\[N,2\], expected float32/);
  });

  it('sparse weights, and what a file states wrongly, which is said', () => {
    const g = ops({ name: 'sparse' });
    const v = new Value('w', tensorType('float32', [4, 2]));
    const y = g.output(g.matMul(g.relu(g.input('x', 'float32', ['N', 4])), v), 'y');
    v.type = { kind: 'sparse_tensor', dtype: 'float32', shape: [4, 2] };
    const data = {
      values: Tensor.from('float32', [5]),
      indices: Tensor.from('int64', [3]),
      dims: [4, 2],
      valuesLabel: { name: 'w' },
    };
    g.graph.sparseInitializers.push({ value: v, data });
    y.type = tensorType('float32', [1, 2]);
    const { weights, notes } = taken(toBinary(g.model()));
    expect(weights.get('t/w')?.numbers()).toEqual([0, 0, 0, 5, 0, 0, 0, 0]);
    expect(notes).toEqual(['m.onnx: "y" is stated to be float32[1,2], it is float32[N,2]: taken as the latter']);
  });

  it('what was left in training mode, whatever its opset', () => {
    for (const opset of [7, 9, 13, 17]) {
      const g = new GraphBuilder(() => [], opset);
      const v = g.input('x', 'float32', ['N', 3]);
      const parameters = [1, 2, 3, 4].map((n) => g.initializer(`p${n}`, Tensor.from('float32', [n, n, n])));
      const mode = new Map(opset < 14 ? [] : [['training_mode', { kind: 'int', value: 1n } as const]]);
      const [n] = g.node('BatchNormalization', [v, ...parameters], mode, opset < 14 ? 5 : 3);
      const y = must(g.node('Relu', [must(n, 'y')])[0], 'y');
      y.type = tensorType('float32', ['N', 3]);
      g.output(y, 'y');
      expect(() => taken(toBinary(g.model())), `opset ${opset}`).toThrow(
        /BatchNormalization "BatchNormalization" is in training mode: export the model after \.eval\(\)$/,
      );
    }
  });

  it('what draws at random, and a batch that is neither 1 nor open', () => {
    const model = (rows: number | string, build: (g: GraphBuilder, x: Value) => Value | undefined) => {
      const g = new GraphBuilder(() => [], 17);
      const y = must(build(g, g.input('x', 'float32', [rows, 3])), 'y');
      y.type = tensorType('float32', [rows, 3]);
      g.output(y, 'y');
      return toBinary(g.model());
    };
    expect(() => taken(model('N', (g, x) => g.node('RandomNormalLike', [x])[0]))).toThrow(
      /RandomNormalLike "RandomNormalLike" draws at random, so that no answer would come twice: export the model without it$/,
    );
    expect(() => taken(model(4, (g, x) => g.node('Relu', [x])[0]))).toThrow(
      /"x" is float32\[4,3\], without a row for each sample: export the model with its first dimension open, or where it is no sample say what it is, as the option fix: "x=VALUE"$/,
    );
  });

  it('a model in whose place the graph would stand, and a task that leads out: the file stays as it is', () => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-import-'));
    const bytes = small();
    mkdirSync(join(dir, 'imported'));
    writeFileSync(join(dir, 'imported/photos.onnx'), bytes);
    writeFileSync(join(dir, 'x.onnx'), bytes);
    const run = (task: string) =>
      prognet('import', join(dir, 'imported/photos.onnx'), '--task', task, '--data', 'typo.npz', '-o', dir);
    expect(run('photos')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/photos\.onnx exists and belongs to no column/),
    });
    expect(run('../x')).toMatchObject({ status: 2, stderr: expect.stringMatching(/"\.\.\/x" is no valid name/) });
    for (const file of ['imported/photos.onnx', 'x.onnx'])
      expect(Buffer.compare(readFileSync(join(dir, file)), bytes), file).toBe(0);
  });

  it('a tap without a row for each sample', () => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-import-'));
    const data = { x_train: Tensor.zeros('float32', [8, 4]), y_train: Tensor.zeros('int64', [8]) };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries({ ...data, x_test: data.x_train, y_test: data.y_train }))));
    const halves = small((g) => {
      const h = must(
        [...g.graph.values()].find((v) => v.name === 'hidden'),
        'hidden',
      );
      g.output(g.reshape(g.relu(g.gemm(h, g.initializer('u', Tensor.zeros('float32', [3, 4])))), g.ints([-1, 2])), 'halves');
    });
    writeFileSync(join(dir, 'm.onnx'), halves);
    const args = ['--task', 't', '--scores', 'y', '--taps', 'halves', '--data', '../d.npz', '-o', join(dir, 'family')];
    const { status, stderr } = prognet('import', join(dir, 'm.onnx'), ...args);
    expect(stderr).toMatch(/^prognet: [^:]*m\.onnx: "halves" is \[4,2\] for 2 samples, expected one row for each\n$/);
    expect(status).toBe(2);
    expect(existsSync(join(dir, 'family/columns/t'))).toBe(false);
  });

  it('files, data and descriptions that do not fit', () => {
    const dir = mkdtempSync(join(tmpdir(), 'prognet-import-'));
    const model = join(dir, 'small.onnx');
    writeFileSync(model, small());
    const rows = { x_train: Tensor.zeros('float32', [8, 4]), y_train: Tensor.zeros('int64', [8]) };
    const data = { ...rows, x_test: rows.x_train, y_test: rows.y_train };
    writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(data))));
    const family = join(dir, 'family');
    const refuses = (args: string[], message: RegExp) => {
      const { status, stderr } = prognet('import', ...args);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(status).toBe(2);
      expect(existsSync(family)).toBe(false);
    };
    writeFileSync(join(dir, 'half.onnx'), small().subarray(0, 40));
    refuses([join(dir, 'half.onnx'), '--task', 't', '--data', '../d.npz', '-o', family], /half\.onnx: not an ONNX model/);
    refuses([join(dir, 'none.onnx'), '--task', 't', '--data', '../d.npz', '-o', family], /none\.onnx/);
    refuses([model, '--task', 't', '--data', '../none.npz', '-o', family], /none\.npz/);
    refuses([model, '--task', 't', '--data', '../d.npz', '-C', dir], /no prognet\.yaml in .*; -o <folder> begins a workspace/);
    refuses([model, '--task', '9', '--data', '../d.npz', '-o', family], /task "9" is no valid name, expected a letter/);
    expect(prognet('import', model, '--task', 't', '--data', '../d.npz', '-o', family)).toMatchObject({ status: 0, stderr: '' });
    const again = prognet('import', model, '--task', 't', '--data', '../d.npz', '-C', family);
    expect(again).toMatchObject({
      status: 2,
      stderr: 'prognet: task "t" is in prognet.yaml already, choose another name with --task\n',
    });

    // The description of a stranger: its graph stays within the workspace.
    const text = readFileSync(join(family, 'prognet.yaml'), 'utf8');
    const opened = (graph: string) => {
      writeFileSync(join(family, 'prognet.yaml'), text.replace('imported/t.onnx', graph));
      return prognet('check', '-C', family).stderr;
    };
    expect(opened('../small.onnx')).toMatch(
      /columns\[0\]\.onnx\.graph: "\.\.\/small\.onnx" leaves the workspace, expected a path within it\n$/,
    );
    expect(opened(model)).toMatch(/leaves the workspace/);
    symlinkSync(model, join(family, 'link.onnx'));
    expect(opened('link.onnx')).toMatch(/is a link out of the workspace/);
    writeFileSync(join(family, 'large.onnx'), new Uint8Array(17 << 20));
    expect(opened('large.onnx')).toMatch(/is 17825792 bytes, expected at most 16777216/);
  }, 60_000);

  it('descriptions that say more of an imported column than it can have', () => {
    const onnx = { graph: 'data:application/onnx;base64,', taps: ['hidden'], scores: 'y' };
    const column = { task: 't', onnx, head: { classify: 2 } };
    const parse = (...columns: object[]) =>
      parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [4] }, columns });
    expect(() => parse({ ...column, blocks: [['relu']] })).toThrow(
      /columns\[0\]\.blocks: found beside "onnx", expected an imported column without it/,
    );
    expect(() => parse(column, { task: 'u', like: 't' })).toThrow(
      /"t" is imported and has no layers to be like, expected "blocks" of its own/,
    );
    expect(parse(column).columns[0]).toMatchObject({ blocks: [[]], laterals: { kind: 'none' } });
  });
});
