// Data by name and a tensor alone train a network of one input to the same bits; other names are refused.
import { expect, it } from 'vitest';
import { classify, column, dense, input, prognet, relu } from '../../src/index.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { runtime } from '../support/run.js';

const r = new Random(2, 'named');
const x = Tensor.from(
  'float32',
  Array.from({ length: 64 * 4 }, () => r.normal()),
  [64, 4],
);
const targets = Tensor.from(
  'int64',
  Array.from({ length: 64 }, () => r.below(2)),
);
const begun = prognet({ input: input('x', [4]) }).grow(column('a', { blocks: [[dense(5), relu()]], head: classify(2) }));
const train = (inputs: Tensor | Record<string, Tensor>) =>
  begun.train('a', { on: runtime, data: { inputs, targets }, epochs: 1, batch: 16, session: { threads: 1 } });

it('a tensor alone is the only input', async () => {
  const [bare, named] = [await train(x), await train({ x })];
  expect(named.network.weights('a')).toEqual(bare.network.weights('a'));
});

it('another name is refused', async () => {
  await expect(train({ y: x })).rejects.toThrow('train data of task "a": inputs named "y" for those named "x", expected { x }');
});
