// The library's network: described, grown, trained, exported, and the errors on the way.
import { expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import {
  adam,
  adapter,
  classify,
  column,
  dense,
  flatten,
  type Network,
  prognet,
  relu,
  tensor,
  UsageError,
} from '../../src/index.js';
import { fromBinary } from '../../src/serde/from-binary.js';
import { lossOutput, nextName, stepInputs } from '../../src/train/step-graph.js';
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
const empty = () => prognet({ input: tensor('image', [1, 4, 4]), seed: 4 });
const data = { runtime, train: { inputs: images, targets: targetsOf(classify(3)) }, session: { threads: 1 } };
const settings = { epochs: 3, batch: 4, lr: 0.01 };

async function family(): Promise<Network> {
  const one = await empty()
    .grow(digits)
    .train('digits', { ...data, settings });
  return one.grow(permuted).train('permuted', { ...data, settings });
}

it('grows, trains and exports; the first column is the same object before and after', async () => {
  const one = await empty()
    .grow(digits)
    .train('digits', { ...data, settings });
  const bytes = one.export({ task: 'digits' });
  const two = await one.grow(permuted).train('permuted', { ...data, settings });
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

it('says what is wrong', async () => {
  const net = empty().grow(digits);
  expect(() => net.export({ task: 'digits' })).toThrow('task "digits" is not trained yet: prognet train digits');
  expect(() => net.export({ all: true })).toThrow(UsageError);
  expect(() => net.weights('zebra')).toThrow('unknown task "zebra", the description has: digits');
  expect(() => net.grow(digits)).toThrow(/task "digits" stands in columns\[0\] already/);
  expect(() => net.withWeights('digits', new Map())).toThrow(
    'weight "digits/0/dense/weight": expected float32 [16,8], got nothing',
  );
  await expect(net.grow(permuted).train('permuted', data)).rejects.toThrow(
    'task "digits" is a source of laterals and not trained yet',
  );
  const trained = await net.train('digits', { ...data, settings });
  await expect(trained.train('digits', data)).rejects.toThrow('task "digits" is trained and frozen for good');
});
