// What is trained is what is shipped: the steps of `prepare` stand in every exported graph, so that raw inputs give what training saw.
import { describe, expect, it } from 'vitest';
import {
  adapter,
  classify,
  column,
  dataset,
  dense,
  fill,
  flatten,
  input,
  normalise,
  prognet,
  relu,
  resize,
  scale,
  standardise,
  transpose,
} from '../../src/index.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { FixedModel } from '../../src/web/fixed-model.js';
import { runModel, runtime } from '../support/run.js';

const rows = 120;
const on = { on: runtime, session: { threads: 1 } };

/** Two classes, told apart by the first feature; features of very unlike sizes and places, the last one always 7. */
function table(): { x: Float32Array; y: number[] } {
  const random = new Random(3, 'table');
  const x = new Float32Array(rows * 4);
  const y = Array.from({ length: rows }, (_, i) => i % 2);
  for (let i = 0; i < rows; i++)
    x.set([1000 + 40 * (y[i] ?? 0) + 10 * random.uniform(), 0.001 * random.uniform(), -50 * random.uniform(), 7], i * 4);
  return { x, y };
}
const { x, y } = table();
const inputs = new Tensor('float32', [rows, 4], x);
const targets = Tensor.from('int64', y);
const data = { inputs, targets };

const raw = column('raw', { blocks: [[dense(8), relu()]], head: classify(2) });
const standard = column('standard', { prepare: [standardise()], blocks: [[dense(8), relu()]], head: classify(2) });
const later = column('later', {
  prepare: [normalise({ mean: 1000, std: 20 })],
  blocks: [
    [dense(6), relu()],
    [dense(6), relu()],
  ],
  head: classify(2),
  laterals: adapter({ rank: 2 }),
});

const begun = () => prognet({ input: input('row', [4]), seed: 5 });
const settings = { epochs: 12, batch: 16, lr: 0.05 };

describe('a table', () => {
  it('standardise is what makes it learnable, and its figures are those of the training data alone', async () => {
    const split = dataset({ x: inputs, y: targets }, { test: 0.25, seed: 1 });
    const { network } = await begun()
      .grow(standard)
      .train('standard', { ...on, data: split, ...settings });
    const found = network.weights('standard');
    const train = split.train.inputs;
    const first = Array.from({ length: train.dims[0] ?? 0 }, (_, i) => Number(train.data[i * 4]));
    const mean = first.reduce((a, b) => a + b, 0) / first.length;
    expect(found?.get('standard/prepare/0/standardise/mean')?.numbers()[0]).toBeCloseTo(mean, 3);
    expect(found?.get('standard/prepare/0/standardise/std')?.numbers()[3]).toBe(1);
    expect((await network.evaluate('standard', split.test, on)).value).toBe(1);
    const plain = await begun()
      .grow(raw)
      .train('raw', { ...on, data: split, ...settings });
    expect((await plain.network.evaluate('raw', split.test, on)).value).toBeLessThan(0.9);
  });

  it('every form answers raw rows with the same bits as predict, over mixed columns', async () => {
    const one = await begun()
      .grow(standard)
      .train('standard', { ...on, data, ...settings });
    const before = one.network.export({ task: 'standard' });
    const two = (await one.network.grow(later).train('later', { ...on, data, ...settings })).network;
    expect(two.export({ task: 'standard' })).toEqual(before);
    for (const task of ['standard', 'later']) {
      const { scores } = await two.predict(task, inputs, on);
      for (const options of [{ task }, { all: true as const }, { task, fused: true }]) {
        const found = await runModel(fromBinary(two.export(options)), { row: inputs });
        const near = found[task]?.numbers() ?? [];
        if ('fused' in options) for (const [i, v] of scores.numbers().entries()) expect(near[i]).toBeCloseTo(v, 4);
        else expect(near, task).toEqual(scores.numbers());
      }
    }
  });

  it('a head alone takes what is not there where the columns that it reads fill it', async () => {
    const holed = Float32Array.from(x);
    holed.fill(Number.NaN, 4, 6);
    const missing = new Tensor('float32', [rows, 4], holed);
    const given = { ...on, data: { inputs: missing, targets }, ...settings };
    const filled = column('t', { prepare: [fill('median'), standardise()], blocks: [[dense(4), relu()]], head: classify(2) });
    const begun = (
      await prognet({ input: input('row', [4]), seed: 1 })
        .grow(filled)
        .train('t', given)
    ).network;
    const network = (await begun.grow(column('alone', { blocks: [], head: classify(2) })).train('alone', given)).network;
    const { scores } = await network.predict('alone', missing, on);
    const bytes = network.export({ task: 'alone' });
    const { alone } = await runModel(fromBinary(bytes), { row: missing });
    expect(alone?.numbers()).toEqual(scores.numbers());
    expect(alone?.numbers().every(Number.isFinite)).toBe(true);
    const { input: asked } = new FixedModel(bytes, 'alone.onnx', runtime, { threads: 1 }).info();
    expect(asked).toMatchObject({ prepared: true, fills: true });

    const prepared = fromBinary(network.export({ task: 'alone', preparedInput: true })).metadata;
    expect(prepared.get('prognet.prepared')).toBe('[{"kind":"fill","by":"median"},{"kind":"standardise"}]');
  });

  it('fill takes what is not there, and is refused where a source would meet it', async () => {
    const holed = Float32Array.from(x);
    holed.fill(Number.NaN, 4, 6);
    const missing = new Tensor('float32', [rows, 4], holed);
    const network = begun().grow(
      column('t', { prepare: [fill('median'), standardise()], blocks: [[dense(4), relu()]], head: classify(2) }),
    );
    const trained = await network.train('t', { ...on, data: { inputs: missing, targets }, ...settings });
    const { scores } = await trained.network.predict('t', missing, on);
    expect(scores.numbers().every(Number.isFinite)).toBe(true);
    await expect(
      begun()
        .grow(standard)
        .train('standard', { ...on, data: { inputs: missing, targets }, ...settings }),
    ).rejects.toThrow('inputs hold NaN at [1,0], expected a finite number, or a step of "prepare" such as { fill: mean }');
  });
});

describe('images of uint8', () => {
  const random = new Random(9, 'images');
  const pixels = Uint8Array.from({ length: rows * 48 }, (_, i) => (y[Math.floor(i / 48)] === 1 ? 100 : 0) + random.below(156));
  const images = new Tensor('uint8', [rows, 4, 4, 3], pixels);
  const prepare = [transpose([2, 0, 1]), scale(), resize({ height: 8, width: 8 })];
  const seen = column('seen', { blocks: [[flatten(), dense(8), relu()]], head: classify(2) });

  it('raw pixels [H,W,C] go into the exported model', async () => {
    const network = prognet({ input: input('image', [4, 4, 3], 'uint8', prepare), seed: 2 }).grow(seen);
    const trained = (await network.train('seen', { ...on, data: { inputs: images, targets }, ...settings })).network;
    const model = fromBinary(trained.export({ task: 'seen' }));
    expect(model.graph.inputs[0]?.type).toMatchObject({ dtype: 'uint8' });
    const { scores } = await trained.predict('seen', images, on);
    expect((await runModel(model, { image: images })).seen?.numbers()).toEqual(scores.numbers());
    expect((await trained.evaluate('seen', { inputs: images, targets }, on)).value).toBeGreaterThan(0.95);
  });

  it('a network of uint8 says how they become numbers, and takes no floats', async () => {
    expect(() => prognet({ input: input('image', [4, 4, 3], 'uint8') }).grow(seen)).toThrow(
      'input.prepare: "prepare" is missing, expected what makes numbers of uint8, such as [scale] for 0..255 to 0..1',
    );
    const network = prognet({ input: input('image', [4, 4, 3], 'uint8', prepare) }).grow(seen);
    const floats = Tensor.zeros('float32', [rows, 4, 4, 3]);
    await expect(network.train('seen', { ...on, data: { inputs: floats, targets }, ...settings })).rejects.toThrow(
      'inputs are float32, expected uint8',
    );
  });

  it('bytes are refused by a network of floats that prepares them: whether they are 0..1 before is a guess', async () => {
    const network = prognet({ input: input('image', [4, 4, 3]) }).grow({ ...seen, prepare: [scale()] });
    await expect(network.train('seen', { ...on, data: { inputs: images, targets }, ...settings })).rejects.toThrow(
      'inputs are uint8, expected float32, or dtype: uint8 in the input that is prepared',
    );
  });

  it('a step that does not fit is told by its place', () => {
    const wrong = prognet({ input: input('image', [4, 4, 3], 'uint8', [scale(), transpose([1, 0])]) });
    expect(() => wrong.grow(seen).columns.column('seen').parameters).toThrow(
      'columns[0].prepare[1]: transpose does not fit its input [4,4,3]: axes [1,0] are no order of the axes of a sample [4,4,3]',
    );
  });
});
