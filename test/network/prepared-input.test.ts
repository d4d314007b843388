// A model without the steps of `prepare` answers the prepared input as the whole one answers the raw input, bit for bit.
import { expect, it } from 'vitest';
import {
  adapter,
  classify,
  column,
  dense,
  flatten,
  input,
  prognet,
  relu,
  scale,
  standardise,
  transpose,
} from '../../src/index.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { runModel, runtime } from '../support/run.js';

const random = new Random(9, 'images');
const images = new Tensor(
  'uint8',
  [20, 2, 3, 3],
  Uint8Array.from({ length: 360 }, () => random.below(256)),
);
const targets = Tensor.from(
  'int64',
  Array.from({ length: 20 }, (_, i) => i % 2),
);
const settings = { on: runtime, session: { threads: 1 }, epochs: 1, batch: 10, lr: 0.01 };

const blocks = [
  [flatten(), dense(4), relu()],
  [dense(4), relu()],
];
const first = column('a', { blocks, head: classify(2) });
const second = column('b', { blocks, head: classify(2), laterals: adapter({ rank: 2 }) });

it('in every form', async () => {
  const begun = prognet({ input: input('image', [2, 3, 3], 'uint8', [transpose([2, 0, 1]), scale()]), seed: 2 });
  const one = (await begun.grow(first).train('a', { ...settings, data: { inputs: images, targets } })).network;
  const two = (await one.grow(second).train('b', { ...settings, data: { inputs: images, targets } })).network;
  const ready = new Float32Array(360);
  for (let n = 0; n < 20; n++)
    for (let p = 0; p < 6; p++)
      for (let c = 0; c < 3; c++) ready[n * 18 + c * 6 + p] = Number(images.data[n * 18 + p * 3 + c]) * Math.fround(1 / 255);
  const prepared = new Tensor('float32', [20, 3, 2, 3], ready);
  for (const form of [{ task: 'b' }, { all: true as const }, { all: true as const, fused: true }]) {
    const [whole, part] = [two.export(form), two.export({ ...form, preparedInput: true })].map((bytes) => fromBinary(bytes));
    if (whole === undefined || part === undefined) throw new Error('no model');
    expect(part.graph.inputs.map(({ name, type }) => [name, type])).toEqual([
      ['image', { kind: 'tensor', dtype: 'float32', shape: ['N', 3, 2, 3] }],
    ]);
    expect(part.metadata.get('prognet.prepared')).toBe('[{"kind":"transpose","axes":[2,0,1]},{"kind":"scale","range":255}]');
    const [asked, answered] = [await runModel(whole, { image: images }), await runModel(part, { image: prepared })];
    expect(Object.keys(answered)).toEqual(Object.keys(asked));
    for (const [name, scores] of Object.entries(asked)) expect(answered[name]?.numbers(), name).toEqual(scores.numbers());
  }
});

it('is refused without steps, and where columns prepare each in its own way', async () => {
  const rows = new Tensor(
    'float32',
    [20, 2],
    Float32Array.from({ length: 40 }, () => random.uniform()),
  );
  const data = { inputs: rows, targets };
  const plain = column('a', { blocks: [[dense(4), relu()]], head: classify(2) });
  const without = (
    await prognet({ input: input('row', [2]) })
      .grow(plain)
      .train('a', { ...settings, data })
  ).network;
  expect(() => without.export({ task: 'a', preparedInput: true })).toThrow(
    'prepared input: no step of "prepare" is there to be left out',
  );
  const own = column('b', { prepare: [standardise()], blocks: [[dense(4), relu()]], head: classify(2) });
  const mixed = (await without.grow(own).train('b', { ...settings, data })).network;
  expect(() => mixed.export({ all: true, preparedInput: true })).toThrow(
    'prepared input: the columns "a", "b" prepare the input each in its own way, expected one column alone, or columns with the same steps that learn nothing',
  );
});
