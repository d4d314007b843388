// A model from elsewhere in a network whose input is prepared: its column is fed what the steps give, and brings none that would have to learn.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { classify, column, dense, flatten, input, prognet, relu, scale, standardise } from '../../src/index.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { importTask } from '../../src/tasks/import-task.js';
import { open } from '../../src/tasks/open-network.js';
import { workspace } from '../cli/support.js';
import { runModel, runtime } from '../support/run.js';

const rows = 40;
const pixels = Uint8Array.from({ length: rows * 16 }, (_, i) => (i * 37) % 256);
const raw = new Tensor('uint8', [rows, 1, 4, 4], pixels);
const grey = new Tensor(
  'float32',
  [rows, 1, 4, 4],
  Float32Array.from(pixels, (v) => Math.fround(v * Math.fround(1 / 255))),
);
const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, (_, i) => i % 2),
);

async function elsewhere(): Promise<Uint8Array> {
  const net = prognet({ input: input('image', [1, 4, 4]) }).grow(
    column('a', { blocks: [[flatten(), dense(6), relu()]], head: classify(2) }),
  );
  return (await net.train('a', { on: runtime, data: { inputs: grey, targets }, epochs: 2, batch: 8 })).network.export({
    task: 'a',
  });
}

it.each([
  ['[scale]', raw, 'uint8'],
  ['[standardise]', grey, 'float32'],
] as const)('in a network that prepares by %s', async (prepare, inputs, dtype) => {
  const model = await elsewhere();
  const dir = workspace(
    `prognet: 1\nname: seen\ninput: { name: image, shape: [1, 4, 4], dtype: ${dtype}, prepare: ${prepare} }\ncolumns: []\n`,
  );
  const file = join(dir, 'model.onnx');
  writeFileSync(file, model);
  writeFileSync(
    join(dir, 'data.npz'),
    writeNpz(
      new Map([
        ['x', inputs],
        ['y', targets],
      ]),
    ),
  );
  await importTask(runtime, dir, false, file, { task: 'b', head: 'classify', data: 'data.npz' });
  const net = await open(dir, { on: runtime });
  const found = await runModel(fromBinary(await net.export({ task: 'b' })), { image: inputs });
  expect(found.b?.numbers()).toEqual((await runModel(fromBinary(model), { image: grey })).a?.numbers());
  expect((await net.verify()).holds).toBe(true);
});

it('states no step that learns', () => {
  const onnx = { graph: 'imported/b.onnx', taps: ['t'], scores: 's' };
  const described = () =>
    prognet({ input: input('image', [1, 4, 4]) }).grow({ task: 'b', onnx, head: classify(2), prepare: [scale(), standardise()] });
  expect(described).toThrow(
    'columns[0].prepare: standardise learns of the training data, expected steps that learn nothing, since an imported column is not trained',
  );
});

it('of a network of bytes a tuned column reads the bytes, as its base does', () => {
  const onnx = { graph: 'imported/b.onnx', taps: [{ name: 't', shape: [4] }], opset: 17 };
  const described = (second: object) => ({
    prognet: 1,
    name: 'bytes',
    input: { name: 'image', shape: [1, 4, 4], dtype: 'uint8' },
    columns: [
      { task: 'b', onnx },
      { task: 'c', head: { classify: 2 }, ...second },
    ],
  });
  const [, tuned] = parseDescription(described({ tune: { base: 'b', weights: 'all' } })).columns;
  expect(tuned).toMatchObject({ task: 'c', tune: { base: 'b' } });
  expect(tuned?.prepare).toBeUndefined();
  expect(() => parseDescription(described({ blocks: [['flatten', { dense: 2 }]] }))).toThrow(
    'input.prepare: "prepare" is missing, expected what makes numbers of uint8, such as [scale] for 0..255 to 0..1',
  );
});
