// Networks over token ids: what is trained is what is exported, in every form; later columns read earlier ones, their positions and what was pooled.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  adapter,
  classify,
  column,
  dense,
  embedding,
  flatten,
  linearLaterals,
  prognet,
  relu,
  tanh,
  text,
} from '../../src/index.js';
import { readNetwork } from '../../src/network/read-network.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { quantize } from '../../src/onnx/precision/quantize.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { open } from '../../src/tasks/open-network.js';
import { save } from '../../src/tasks/save-network.js';
import { expectNear } from '../support/expect-near.js';
import { runModel, runtime } from '../support/run.js';
import { tokenizerText } from '../support/tokenizer.js';

const words = ['sea', 'tide', 'sail', 'pan', 'soup', 'bread', 'the', 'a'];
const rows = 96;
const length = 6;
const random = new Random(4, 'texts');
/** Texts of 0 to 4 words about one of two topics, [CLS] and [SEP] around them. */
const ids = BigInt64Array.from(
  Array.from({ length: rows }, (_, row) => {
    const topic = row % 2;
    const count = 1 + random.below(4);
    const inner = Array.from({ length: count }, () =>
      random.below(3) === 0 ? 10 + random.below(2) : 4 + 3 * topic + random.below(3),
    );
    return [2, ...inner, 3, ...Array.from({ length: 4 - count }, () => 0)];
  }).flat(),
  BigInt,
);
const inputs = new Tensor('int64', [rows, length], ids);
const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, (_, row) => row % 2),
);
const data = { inputs, targets };
const settings = { on: runtime, session: { threads: 1 }, data, epochs: 8, batch: 16, lr: 0.03 };

const pooled = column('pooled', { blocks: [[embedding(5, { pool: 'mean' })], [dense(6), relu()]], head: classify(2) });
const largest = column('largest', {
  blocks: [[embedding(4, { pool: 'max' })], [dense(5), tanh()]],
  head: classify(2),
  laterals: linearLaterals(),
});
const positions = column('positions', {
  blocks: [[embedding(3)], [flatten(), dense(4), relu()]],
  head: classify(2),
  laterals: adapter({ rank: 2, alpha: 1 }),
});
const last = column('last', {
  blocks: [[embedding(3)], [flatten(), dense(4), relu()]],
  head: classify(2),
  laterals: adapter({ from: ['positions', 'pooled'], rank: 2 }),
});
// Laterals join its positions one by one.
const among = column('among', {
  blocks: [[embedding(3)], [tanh()]],
  head: classify(2),
  laterals: adapter({ from: ['positions', 'pooled'], rank: 3, alpha: 1 }),
});
const columns = [pooled, largest, positions, last, among];
const begun = () => prognet({ input: text('text', tokenizerText(words), length), seed: 3 });

async function grown() {
  let network = begun();
  for (const one of columns) network = (await network.grow(one).train(one.task, settings)).network;
  return network;
}
const network = await grown();

describe('every column', () => {
  it.each(columns.map(({ task }) => task))('%s learns, and its exported files answer as it does', async (task) => {
    const { value } = await network.evaluate(task, data, { on: runtime });
    expect(value).toBeGreaterThan(0.9);
    const { scores } = await network.predict(task, inputs, { on: runtime, session: { threads: 1 } });
    const model = fromBinary(network.export({ task }));
    expect(model.graph.inputs.map(({ name, type }) => [name, type])).toMatchObject([
      ['text', { dtype: 'int64', shape: ['N', length] }],
    ]);
    expect((await runModel(model, { text: inputs }))[task]?.numbers()).toEqual(scores.numbers());
    expect((await runModel(fromBinary(network.export({ all: true })), { text: inputs }))[task]?.numbers()).toEqual(
      scores.numbers(),
    );
    const routed = await runModel(fromBinary(network.export({ all: true, routed: true })), {
      text: inputs,
      task_id: Tensor.from('int64', [columns.findIndex((c) => c.task === task)]),
    });
    expect(routed.scores?.numbers()).toEqual(scores.numbers());
    const fused = await runModel(fromBinary(network.export({ task, fused: true })), { text: inputs });
    expectNear(fused[task], scores, 1e-4);
  });
});

it('growing leaves the first file as it was', async () => {
  const one = (await begun().grow(pooled).train('pooled', settings)).network;
  expect(network.export({ task: 'pooled' })).toEqual(one.export({ task: 'pooled' }));
});

it('what follows the end of a text changes nothing', async () => {
  const longer = prognet({ input: text('text', tokenizerText(words), length + 3), seed: 3 });
  const padded = BigInt64Array.from({ length: rows * (length + 3) }, (_, i) => {
    const at = i % (length + 3);
    return at < length ? (ids[Math.floor(i / (length + 3)) * length + at] ?? 0n) : 0n;
  });
  const { scores } = await network.predict('pooled', inputs, { on: runtime, session: { threads: 1 } });
  const same = longer.grow(pooled).withWeights('pooled', network.weights('pooled') ?? new Map());
  const found = await same.predict('pooled', new Tensor('int64', [rows, length + 3], padded), {
    on: runtime,
    session: { threads: 1 },
  });
  expectNear(found.scores, scores, 1e-6);
});

it('the file of a network carries the tokenizer', async () => {
  const read = await readNetwork(await network.save(), 'a.prognet');
  expect(read.columns.inputs).toEqual(network.columns.inputs);
  expect(read.export({ task: 'last' })).toEqual(network.export({ task: 'last' }));
});

it('saved as a workspace, the tokenizer is a file of it', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'prognet-saved-')), 'notes');
  await save(network, folder);
  expect(readFileSync(join(folder, 'text-tokenizer.json'), 'utf8')).toBe(tokenizerText(words));
  const opened = await open(folder, { on: runtime });
  const { scores } = await opened.predict('last', inputs);
  expect(scores.numbers()).toEqual((await network.predict('last', inputs, { on: runtime })).scores.numbers());
});

it('exported files say how texts become ids', () => {
  const { metadata } = fromBinary(network.export({ task: 'last' }));
  expect(JSON.parse(metadata.get('prognet.tokenizer') ?? '')).toMatchObject({
    kind: 'tokenizer',
    input: 'text',
    length,
    vocabulary: 12,
    padding: { id: 0, side: 'right' },
    special: { '[CLS]': 2 },
  });
});

it.each(['fp16', 'int8-dynamic', 'int8'] as const)('%s', async (precision) => {
  const { scores } = await network.predict('last', inputs, { on: runtime, session: { threads: 1 } });
  const model = fromBinary(network.export({ task: 'last' }));
  const samples = [{ text: inputs }];
  const made =
    precision === 'int8' ? await quantize(runtime, model, { precision, samples }) : await quantize(runtime, model, { precision });
  const found = (await runModel(made.model, { text: inputs })).last;
  const answers = (t: Tensor | undefined) =>
    Array.from({ length: rows }, (_, i) => Number(t?.data[2 * i]) > Number(t?.data[2 * i + 1]));
  const same = answers(found).filter((answer, i) => answer === answers(scores)[i]).length;
  expect(same / rows).toBeGreaterThan(0.97);
});

describe('refused', () => {
  it('ids that the tokenizer does not have', async () => {
    const strange = new Tensor('int64', [1, length], BigInt64Array.of(2n, 4n, 12n, 3n, 0n, 0n));
    await expect(network.predict('pooled', strange, { on: runtime })).rejects.toThrow(
      'predict: inputs of task "pooled": inputs hold 12 at [0,2], expected an id of the tokenizer, 0..11',
    );
  });
  it('numbers in the place of ids', async () => {
    await expect(network.predict('pooled', Tensor.zeros('float32', [1, length]), { on: runtime })).rejects.toThrow(
      'inputs are float32, expected int64, the ids of tokens',
    );
  });
  it('augmentations', async () => {
    const varied = { ...settings, augment: [{ noise: 0.1 }] };
    await expect(begun().grow(pooled).train('pooled', varied)).rejects.toThrow(
      'columns[0].train.augment[0]: noise varies numbers, the input is text, expected no "augment"',
    );
  });
});
