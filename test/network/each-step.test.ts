// Heads that answer each step of a sequence, from training to exported files: classes, labels and numbers, steps that do not count, laterals step by step.
import { expect, it } from 'vitest';
import {
  adapter,
  binary,
  classify,
  column,
  dense,
  input,
  type LayerInput,
  lstm,
  prognet,
  regress,
  relu,
} from '../../src/index.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { runModel, runtime } from '../support/run.js';

const [rows, steps, features] = [96, 7, 3];
const random = new Random(3, 'steps');
const numbers = Float32Array.from({ length: rows * steps * features }, () => random.normal());
const inputs = new Tensor('float32', [rows, steps, features], numbers);
const first = (i: number) => numbers[i * features] ?? 0;

/** Where the first feature stands, among steps of which every fifth does not count. */
const classes = Tensor.from(
  'int64',
  Array.from({ length: rows * steps }, (_, i) => (i % 5 === 4 ? -100 : first(i) < -0.4 ? 0 : first(i) < 0.4 ? 1 : 2)),
  [rows, steps],
);

const sequence = (units: number): LayerInput[][] => [[lstm(units, { sequences: true })], [dense(8, { each: 'step' }), relu()]];
const empty = () => prognet({ input: input('signal', [steps, features]), seed: 4 });
const settings = { epochs: 12, batch: 16, lr: 0.02 };
const on = { on: runtime, session: { threads: 1 } };

it('classifies each step, and counts those alone that have a class', async () => {
  const tags = column('tags', { blocks: sequence(6), head: classify(3, { each: 'step' }) });
  const data = { ...on, data: { inputs, targets: classes } };
  const { network } = await empty()
    .grow(tags)
    .train('tags', { ...data, ...settings });
  const model = fromBinary(network.export({ task: 'tags', probabilities: true }));
  expect(model.graph.outputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ['tags', 'float32', ['N', steps, 3]],
    ['tags_probabilities', 'float32', ['N', steps, 3]],
    ['tags_label', 'int64', ['N', steps]],
  ]);
  const outputs = await runModel(model, { signal: inputs });
  const [scores, chances, labels] = ['tags', 'tags_probabilities', 'tags_label'].map((name) =>
    must(outputs[name], name).numbers(),
  );
  let [right, loss, counted] = [0, 0, 0];
  classes.numbers().forEach((target, i) => {
    const row = must(scores, 'scores').slice(3 * i, 3 * i + 3);
    expect(labels?.[i]).toBe(row.indexOf(Math.max(...row)));
    if (target === -100) return;
    counted++;
    right += Number(labels?.[i] === target);
    loss -= Math.log(chances?.[3 * i + target] ?? 0);
  });
  const measured = await network.evaluate('tags', { inputs, targets: classes }, on);
  expect(measured.rows).toBe(rows);
  expect(measured.metric).toBe('accuracy');
  expect(measured.value).toBeCloseTo(right / counted, 10);
  expect(measured.loss).toBeCloseTo(loss / counted, 5);
  expect(measured.value).toBeGreaterThan(0.85);
});

it.each([
  ['binary', binary(2, { each: 'step' }), 2, (x: number, k: number) => Number(k === 0 ? x > 0 : x < -1)],
  ['regress', regress(2, { each: 'step' }), 2, (x: number, k: number) => (k === 0 ? 2 * x : 1 - x)],
] as const)('a head %s answers each step; NaN does not count', async (_, head, width, of) => {
  const targets = Tensor.from(
    'float32',
    Array.from({ length: rows * steps * width }, (_, i) => {
      const step = Math.floor(i / width);
      return step % 6 === 5 ? Number.NaN : of(first(step), i % width);
    }),
    [rows, steps, width],
  );
  const { network } = await empty()
    .grow(column('t', { blocks: sequence(6), head }))
    .train('t', { ...on, data: { inputs, targets }, ...settings });
  const outputs = await runModel(fromBinary(network.export({ task: 't', probabilities: true })), { signal: inputs });
  expect(must(outputs.t, 't').dims).toEqual([rows, steps, width]);
  if (head && 'binary' in head) expect(must(outputs.t_label, 'label').dims).toEqual([rows, steps, width]);
  const scores = must(outputs.t, 't').numbers();
  let [sum, counted] = [0, 0];
  targets.numbers().forEach((target, i) => {
    if (Number.isNaN(target)) return;
    counted++;
    const score = scores[i] ?? 0;
    sum += 'binary' in head ? Number(score > 0 === target > 0.5) : Math.abs(score - target);
  });
  const { value } = await network.evaluate('t', { inputs, targets }, on);
  expect(value).toBeCloseTo(sum / counted, 6);
  if ('binary' in head) expect(value).toBeGreaterThan(0.85);
  else expect(value).toBeLessThan(0.4);
});

it('a later head of each step takes what sequences carry step by step, and features at every step', async () => {
  const data = { ...on, data: { inputs, targets: classes } };
  const tags = column('tags', { blocks: sequence(6), head: classify(3, { each: 'step' }) });
  const one = await empty()
    .grow(tags)
    .train('tags', { ...data, ...settings });
  const grown = one.network.grow(column('more', { like: tags, laterals: adapter({ rank: 3, into: [1, 2] }) }));
  const two = await grown.train('more', { ...data, ...settings, epochs: 2 });
  const alone = column('probe', {
    blocks: [],
    laterals: adapter({ rank: 4, from: ['tags'] }),
    head: classify(3, { each: 'step' }),
  });
  const three = await two.network.grow(alone).train('probe', { ...data, ...settings });
  expect((await three.network.evaluate('probe', { inputs, targets: classes }, on)).value).toBeGreaterThan(0.85);
  expect(three.network.columns.column('probe').parameters.scores).toEqual([steps, 3]);
  const before = await runModel(fromBinary(one.network.export({ task: 'tags' })), { signal: inputs });
  const all = await runModel(fromBinary(three.network.export({ all: true })), { signal: inputs });
  expect(all.tags?.numbers()).toEqual(before.tags?.numbers());
});

it('takes sequences of any length where their size is open', async () => {
  const net = prognet({ input: input('signal', ['length', features]), seed: 4 }).grow(
    column('tags', { blocks: sequence(6), head: classify(3, { each: 'step' }) }),
  );
  const { network } = await net.train('tags', { ...on, data: { inputs, targets: classes }, ...settings });
  const model = fromBinary(network.export({ task: 'tags' }));
  expect(model.graph.outputs[0]?.shape).toEqual(['N', 'length', 3]);
  const more = new Tensor('float32', [6, 2 * steps, features], numbers.slice(0, 12 * steps * features));
  const labels = classes.numbers().slice(0, 12 * steps);
  const longer = { inputs: more, targets: Tensor.from('int64', labels, [6, 2 * steps]) };
  expect((await network.evaluate('tags', longer, on)).value).toBeGreaterThan(0.8);

  await expect(network.evaluate('tags', { inputs: more, targets: classes }, on)).rejects.toThrow(
    'targets are [96,7], a classify head of 3 at each of 14 steps needs [96,14]',
  );
});
