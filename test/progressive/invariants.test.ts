// The five invariants of progressive networks, over random networks, on ONNX Runtime.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { must } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import { Tensor } from '../../src/core/tensor.js';
import type { Description } from '../../src/progressive/description/description.js';
import { parseDescription } from '../../src/progressive/description/parse.js';
import { taskModel } from '../../src/progressive/forms.js';
import { initialWeights, type Weights } from '../../src/progressive/parameters.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { runModel, runtime } from '../support/run.js';

const bodies = {
  dense: [
    ['flatten', { dense: 6 }, 'tanh'],
    [{ dense: 5 }, 'tanh'],
  ],
  conv: [
    [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'tanh', { avgpool2d: 2 }],
    ['flatten', { dense: 5 }, 'tanh'],
  ],
  normed: [
    ['flatten', { dense: 6 }, 'batch_norm', 'sigmoid'],
    [{ dense: 5 }, 'layer_norm', 'silu', { dropout: 0.2 }],
  ],
};
const kind = fc.constantFrom('dense', 'conv', 'normed');
const network = fc.record({
  first: kind,
  second: kind,
  laterals: fc.constantFrom<unknown>(
    { kind: 'linear' },
    { kind: 'adapter', rank: 4, activation: 'tanh' },
    { kind: 'adapter', activation: 'gelu' },
  ),
  seed: fc.nat(1000),
});

function describe(n: { first: string; second: string; laterals: unknown; seed: number }, lateralsOn = true): Description {
  const body = (name: string) => bodies[name as keyof typeof bodies];
  return parseDescription({
    prognet: 1,
    name: 'random',
    seed: n.seed,
    input: { name: 'image', shape: [1, 4, 4] },
    columns: [
      { task: 'a', blocks: body(n.first), head: { classify: 3 } },
      { task: 'b', blocks: body(n.second), head: { classify: 3 }, laterals: lateralsOn ? n.laterals : { kind: 'none' } },
    ],
  });
}

const random = (seed: number, dims: number[]) => {
  const r = new Random(seed, 'data');
  return Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.normal()),
    dims,
  );
};
const images = random(3, [12, 1, 4, 4]);
const labels = new Tensor(
  'int64',
  [12],
  BigInt64Array.from({ length: 12 }, (_, i) => BigInt(i % 3)),
);

async function outputs(d: Description, weights: Weights[], task: string): Promise<Tensor> {
  return must((await runModel(taskModel(d, weights, { tasks: [task] }), { image: images }))[task], task);
}
async function trained(d: Description, frozen: Weights[], column: number, rows = 12): Promise<Weights> {
  const settings = trainSettings({ epochs: 2, batch: 4, lr: 0.01 }, d.seed);
  const data = { inputs: images, targets: labels };
  expect(rows).toBe(images.dims[0]);
  return (await train({ runtime, description: d, column, frozen, settings, train: data, session: { threads: 1 } })).weights;
}
const check = (body: (n: { first: string; second: string; laterals: unknown; seed: number }) => Promise<void>, runs = 12) =>
  fc.assert(fc.asyncProperty(network, body), { numRuns: runs, seed: 7 });
const copy = (w: Weights) => new Map([...w].map(([k, t]) => [k, Buffer.from(t.bytes).toString('hex')]));

it('(a) and (e): training a column moves neither the weights nor one bit of the outputs of earlier tasks', () =>
  check(async (n) => {
    const d = describe(n);
    const a = await trained(d, [], 0);
    const weights = copy(a);
    const before = await outputs(d, [a], 'a');
    const b = await trained(d, [a], 1);
    expect(copy(a)).toEqual(weights);
    expect(Buffer.compare((await outputs(d, [a, b], 'a')).bytes, before.bytes)).toBe(0);
  }));

it('(b): changing any weight of a frozen source changes the new column', () =>
  check(async (n) => {
    const d = describe(n);
    const [a, b] = [initialWeights(d, 0), initialWeights(d, 1)];
    const before = await outputs(d, [a, b], 'b');
    for (const [name, t] of a) {
      if (name.startsWith('a/head/')) continue;
      // A constant shift before layer_norm would be taken out again: change one element only.
      const data = (t.data as Float32Array).slice();
      data[0] = (data[0] ?? 0) + 0.5;
      const after = await outputs(d, [new Map(a).set(name, new Tensor('float32', t.dims, data)), b], 'b');
      expect(Buffer.compare(after.bytes, before.bytes), name).not.toBe(0);
    }
  }));

it('(c): every lateral parameter is moved by training', () =>
  check(async (n) => {
    const d = describe(n);
    const a = initialWeights(d, 0);
    const start = copy(initialWeights(d, 1));
    const end = copy(await trained(d, [a], 1));
    const laterals = [...start.keys()].filter((k) => k.includes('/lateral/') || k.includes('/adapter/'));
    expect(laterals.length).toBeGreaterThan(0);
    for (const name of laterals) expect(end.get(name), name).not.toBe(start.get(name));
  }));

it('(d): without its laterals a column computes what the same stand-alone network computes', () =>
  check(async (n) => {
    const d = describe(n, false);
    const alone = parseDescription({
      prognet: 1,
      name: 'alone',
      seed: n.seed,
      input: { name: 'image', shape: [1, 4, 4] },
      columns: [{ task: 'b', blocks: bodies[n.second as keyof typeof bodies], head: { classify: 3 } }],
    });
    const [a, b] = [initialWeights(d, 0), initialWeights(d, 1)];
    expect(copy(initialWeights(alone, 0))).toEqual(copy(b));
    expect(Buffer.compare((await outputs(d, [a, b], 'b')).bytes, (await outputs(alone, [b], 'b')).bytes)).toBe(0);
  }));

it('a task model holds no initializer that its output does not depend on, and --all equals the single models', () =>
  check(async (n) => {
    const d = describe(n);
    const w = [initialWeights(d, 0), initialWeights(d, 1)];
    const single = taskModel(d, w, { tasks: ['b'] });
    expect(single.graph.initializers.map((v) => v.name).filter((name) => name.startsWith('a/head/'))).toEqual([]);
    const all = await runModel(taskModel(d, w, { tasks: ['a', 'b'] }), { image: images });
    for (const task of ['a', 'b']) expect(Buffer.compare(must(all[task], task).bytes, (await outputs(d, w, task)).bytes)).toBe(0);
  }));
