// The library's network: described, grown, trained, exported, and the errors on the way.
import { expect, it } from 'vitest';
import { loadData } from '../../src/data/sources.js';
import {
  adam,
  adapter,
  batchNorm,
  classify,
  column,
  dense,
  flatten,
  input,
  Network,
  prognet,
  relu,
  UsageError,
} from '../../src/index.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { lossOutput, nextName, stepInputs } from '../../src/train/step/step-graph.js';
import { images, targetsOf } from '../support/random-network.js';
import { runModel, runtime } from '../support/run.js';

const digits = column('digits', {
  blocks: [
    [flatten(), dense(8), relu()],
    [dense(6), relu()],
  ],
  head: classify(3),
});
const permuted = column('permuted', { like: digits, laterals: adapter({ rank: 3 }) });
const empty = () => prognet({ input: input('image', [1, 4, 4]), seed: 4 });
const data = { on: runtime, data: { inputs: images, targets: targetsOf(classify(3)) }, session: { threads: 1 } };
const settings = { epochs: 3, batch: 4, lr: 0.01 };

async function family(): Promise<Network> {
  const one = await empty()
    .grow(digits)
    .train('digits', { ...data, ...settings });
  return (await one.network.grow(permuted).train('permuted', { ...data, ...settings })).network;
}

it('grows, trains and exports; the first column is the same object before and after', async () => {
  const { network: one } = await empty()
    .grow(digits)
    .train('digits', { ...data, ...settings });
  const bytes = one.export({ task: 'digits' });
  const { network: two } = await one.grow(permuted).train('permuted', { ...data, ...settings });
  expect(two.weights('digits')).toBe(one.weights('digits'));
  expect(two.tasks).toEqual(['digits', 'permuted']);
  const [before, after] = [fromBinary(bytes), fromBinary(two.export({ task: 'digits' }))];
  const outputs = await Promise.all([before, after].map((m) => runModel(m, { image: images })));
  expect(outputs[1]?.digits?.numbers()).toEqual(outputs[0]?.digits?.numbers());
  const all = fromBinary(two.export({ all: true, probabilities: true }));
  expect(all.graph.outputs.map((v) => v.name)).toEqual([
    'digits',
    'digits_probabilities',
    'digits_label',
    'permuted',
    'permuted_probabilities',
    'permuted_label',
  ]);
});

it('trains to the same bits from the same seed', async () => {
  const [a, b] = [await family(), await family()];
  expect(Buffer.compare(a.export({ all: true }), b.export({ all: true }))).toBe(0);
});

it('the training graph runs a step on its own', async () => {
  const step = empty()
    .grow(digits)
    .trainingGraph('digits', { optimizer: adam({ lr: 1e-2 }), batch: 4 });
  expect(step.scalars(1)).not.toEqual(step.scalars(1, 1e-3));
  const order = new Tensor('int64', [2, 4], BigInt64Array.from([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]));
  const feeds: Record<string, Tensor> = {
    [stepInputs.data]: images,
    [stepInputs.targets]: targetsOf(classify(3)),
    [stepInputs.order]: order,
    [stepInputs.scalars]: Tensor.from('float32', [...step.scalars(1), ...step.scalars(2)], [2, step.scalars(1).length]),
    [stepInputs.seeds]: Tensor.from('int64', [1, 2]),
    ...Object.fromEntries(step.carried.map((c) => [c.name, Tensor.zeros('float32', c.shape)])),
  };
  const results = await runModel(step.model, feeds);
  expect(results[lossOutput]?.dims).toEqual([2]);
  expect(results[lossOutput]?.numbers()[0]).toBeCloseTo(Math.log(3), 5);
  expect(results[nextName('digits/head/dense/bias')]?.numbers().some((v) => v !== 0)).toBe(true);
});

it('sets a part aside for validation, and stops early on it', async () => {
  const seen: number[] = [];
  const onEvent: NonNullable<Parameters<Network['train']>[1]['onEvent']> = (e) => {
    if (e.kind === 'epoch') seen.push(e.record.validation?.loss ?? Number.NaN);
  };
  const early = { epochs: 60, batch: 4, lr: 0.1, early_stopping: { patience: 2 }, validation: 0.3 };
  await empty()
    .grow(digits)
    .train('digits', { ...data, ...early, onEvent });
  expect(seen.every(Number.isFinite)).toBe(true);
  expect(seen.length).toBeLessThan(60);
  expect(Math.min(...seen)).toBe(seen.at(-3));
});

const classes = targetsOf(classify(3));
it.each<[string, { inputs: Tensor; targets: Tensor }, string]>([
  [
    'labels below 0',
    { inputs: images, targets: new Tensor('int64', [12], new BigInt64Array(12).fill(-1n)) },
    'train data of task "digits": label -1 at row 0 is out of range, expected 0..2',
  ],
  [
    'labels of another count',
    { inputs: images, targets: new Tensor('int64', [3], new BigInt64Array(3)) },
    'a classify head of 3 needs int64 [12]',
  ],
  [
    'no rows',
    { inputs: Tensor.zeros('float32', [0, 1, 4, 4]), targets: Tensor.zeros('int64', [0]) },
    'train data of task "digits": has no rows',
  ],
  [
    'float64',
    { inputs: Tensor.zeros('float64', [12, 1, 4, 4]), targets: classes },
    'inputs are float64, expected float32 or uint8',
  ],
  [
    'another shape',
    { inputs: Tensor.zeros('float32', [12, 16]), targets: classes },
    'a sample has shape [16], input "image" is [1,4,4]',
  ],
  [
    'NaN',
    { inputs: new Tensor('float32', [12, 1, 4, 4], new Float32Array(192).fill(Number.NaN, 17)), targets: classes },
    'inputs hold NaN at [1,0,0,1], expected a finite number',
  ],
])('refuses data with %s', async (_, train, said) => {
  await expect(
    empty()
      .grow(digits)
      .train('digits', { ...data, data: train }),
  ).rejects.toThrow(said);
});

it('a last step that diverges is an error, not weights', async () => {
  const wild = { epochs: 1, batch: 12, optimizer: 'sgd' as const, momentum: 0.9, weight_decay: 1e30, lr: 1e30 };
  await expect(
    empty()
      .grow(digits)
      .train('digits', { ...data, ...wild }),
  ).rejects.toThrow(/^"digits\/.*" holds (NaN|-?Infinity) after step 1 \(rate 1\.00e\+30\): lower the rate/);
});

it('a last minibatch of one row leaves the statistics of batch_norm as they are', async () => {
  const normed = column('normed', { blocks: [[flatten(), batchNorm(), dense(3), relu()]], head: classify(3) });
  const { network: net } = await empty()
    .grow(normed)
    .train('normed', { ...data, epochs: 1, batch: 11, lr: 1e-6 });
  const found = net.weights('normed')?.get('normed/0/batch_norm/var')?.numbers() ?? [];
  // 12 rows as 11 and 1: 0.9 + 0.1 (unbiased variance of the first 11), whichever row came last.
  const x = images.numbers();
  const expected = (feature: number, last: number): number => {
    const kept = Array.from({ length: 12 }, (_, i) => x[i * 16 + feature] ?? 0).filter((_, i) => i !== last);
    const mean = kept.reduce((a, b) => a + b, 0) / 11;
    return 0.9 + 0.1 * (kept.reduce((a, b) => a + (b - mean) ** 2, 0) / 10);
  };
  const last = Array.from({ length: 12 }, (_, i) => i).filter((i) => found.every((v, f) => Math.abs(v - expected(f, i)) < 1e-5));
  expect(found).toHaveLength(16);
  expect(last).toHaveLength(1);
});

it('says what is wrong', async () => {
  const net = empty().grow(digits);
  expect(() => net.export({ task: 'digits' })).toThrow('task "digits" is not trained yet: train "digits" first');
  expect(() => net.export({ all: true })).toThrow(UsageError);
  expect(() => net.weights('zebra')).toThrow('unknown task "zebra", the description has: digits');
  expect(() => net.grow(digits)).toThrow(/task "digits" stands in columns\[0\] already/);
  expect(() => net.withWeights('digits', new Map())).toThrow(
    'weight "digits/0/dense/weight": expected float32 [16,8], got nothing',
  );
  await expect(net.grow(permuted).train('permuted', data)).rejects.toThrow(
    'task "digits" is not trained yet: train "digits" first',
  );
  const { network: trained } = await net.train('digits', { ...data, ...settings });
  await expect(trained.train('digits', data)).rejects.toThrow('task "digits" is trained and frozen for good');
});

it('what is left out is named', async () => {
  // as programs without types call it
  const call = (f: unknown, ...args: unknown[]) => Reflect.apply(f as () => unknown, empty().grow(digits), args);
  expect(() => call(prognet)).toThrow('prognet: options are missing, expected { input: input(name, shape) } at the least');
  const given = { data: data.data };
  await expect(call(Network.prototype.train, 'digits', given)).rejects.toThrow('train: "on" is missing, expected a runtime');
  await expect(call(Network.prototype.train, 'digits')).rejects.toThrow('train: "data" is missing, expected { inputs, targets }');
  await expect(call(loadData, 'mnist')).rejects.toThrow('loadData: "baseDir" is missing');
});

it('a minibatch of weightless rows has loss 0, where other rows are met the form is that without zeros', async () => {
  const targets = new Tensor(
    'int64',
    [12],
    BigInt64Array.from({ length: 12 }, (_, i) => (i < 6 ? 0n : 1n)),
  );
  const weighted = empty().grow({ ...digits, head: classify(3, { class_weights: [0, 1, 1] }) });
  const losses: number[] = [];
  const { network: trained } = await weighted.train('digits', {
    ...data,
    data: {
      train: { inputs: images, targets },
      validation: { inputs: images, targets: new Tensor('int64', [12], new BigInt64Array(12)) },
    },
    epochs: 2,
    batch: 2,
    onEvent: (e) => e.kind === 'step' && losses.push(...e.losses),
  });
  expect(losses).toContain(0);
  expect(losses.some((loss) => loss > 0)).toBe(true);
  const finite = [...must(trained.weights('digits'), 'weights').values()].every((w) => w.numbers().every(Number.isFinite));
  expect(finite).toBe(true);
});

it('a column that is trained and not frozen answers, is trained anew, is read by no other, and is the same when it is frozen', async () => {
  const begun = empty().grow(digits);
  const { network: tried, history } = await begun.train('digits', { ...data, ...settings, freeze: false });
  expect([tried.trained('digits'), history.length]).toEqual([false, 3]);
  const { scores } = await tried.predict('digits', images, { on: runtime });
  const refused = /^task "digits" is trained, not frozen: freeze "digits" first$/;
  expect(() => tried.export({ task: 'digits' })).toThrow(refused);
  expect(() => tried.export({ all: true })).toThrow(refused);
  await expect(tried.save()).rejects.toThrow(refused);
  await expect(tried.grow(permuted).train('permuted', { ...data, ...settings })).rejects.toThrow(refused);
  expect((await tried.verify()).tasks).toEqual([]);
  // What was tried stays in the network that it was tried in.
  const { network: anew } = await tried.train('digits', { ...data, ...settings, epochs: 1, freeze: false });
  expect((await anew.predict('digits', images, { on: runtime })).scores.numbers()).not.toEqual(scores.numbers());
  const frozen = await tried.freeze('digits');
  expect(frozen.trained('digits')).toBe(true);
  expect((await frozen.predict('digits', images, { on: runtime })).scores.numbers()).toEqual(scores.numbers());
  const { network: once } = await begun.train('digits', { ...data, ...settings });
  expect(Buffer.compare(frozen.export({ task: 'digits' }), once.export({ task: 'digits' }))).toBe(0);
  expect((await frozen.verify()).holds).toBe(true);
  expect(await frozen.freeze('digits')).toBe(frozen);
  await expect(begun.freeze('digits')).rejects.toThrow(/^task "digits" is not trained yet: train "digits" first$/);
  // One that is not frozen may go.
  expect(tried.without('digits').tasks).toEqual([]);
});
