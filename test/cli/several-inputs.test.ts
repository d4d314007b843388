// Networks of several inputs as a user runs them: trained from arrays and from a table by name, proven, exported, asked; what does not fit is one line.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { runModel } from '../support/run.js';
import { okIn, prognet, workspace } from './support.js';

const rows = 60;
const random = new Random(3, 'several');
const normals = (...dims: number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    dims,
  );
const image = normals(rows, 1, 4, 4);
const meta = normals(rows, 2);
const kind = Tensor.from(
  'int32',
  Array.from({ length: rows }, () => random.below(5)),
  [rows],
);
const y = Tensor.from(
  'int64',
  Array.from({ length: rows }, (_, i) => Number(Number(meta.data[2 * i]) + Number(kind.data[i]) > 2)),
  [rows],
);

const yaml = `prognet: 1
name: both
input:
  - { name: image, shape: [1, 4, 4] }
  - { name: meta, shape: [2], prepare: [standardise] }
  - { name: kind, shape: [], dtype: int32 }
columns:
  - { task: plain, data: plain.npz, blocks: [[flatten, { dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2, batch: 16 } }
  - { task: both, data: both.npz, inputs: [image, meta, kind], blocks: [[flatten, { dense: 6 }, relu], [{ concat: [meta, kind] }, { dense: 8 }, relu]],
      head: { classify: 2 }, train: { epochs: 12, batch: 16, lr: 0.02 } }
`;
const table = `prognet: 1
name: rows
input:
  - { name: person, features: [age, { city: [Basel, Bern] }], prepare: [one_hot, standardise] }
  - { name: shop, shape: [], dtype: int64 }
  - { name: paid, features: [sum, tax] }
columns:
  - { task: again, data: rows.csv, inputs: [shop, person, paid], blocks: [[{ embedding: { size: 3, vocabulary: 4 } }, { concat: [person, paid] }, { dense: 6 }, relu]],
      head: { classify: 2 }, train: { epochs: 3, batch: 8 } }
`;
const csv = (count: number) =>
  `shop,sum,age,city,tax,again\n${Array.from({ length: count }, (_, i) => [i % 4, i, 20 + i, i % 3 ? 'Bern' : 'Basel', i / 2, i % 2 ? 'yes' : 'no'].join()).join('\n')}\n`;

describe('of arrays', () => {
  let dir = '';
  const at = (name: string) => join(dir, name);
  const npz = (name: string, arrays: Readonly<Record<string, Tensor>>) => {
    writeFileSync(at(name), writeNpz(new Map(Object.entries(arrays))));
    return at(name);
  };
  beforeAll(() => {
    dir = workspace(yaml);
    npz('plain.npz', { image, y });
    npz('both.npz', { image, meta, kind, y });
    okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
  });

  it('each task is trained on the inputs that it reads, and proven', () => {
    const { tasks } = JSON.parse(okIn(dir, 'verify', '--json'));
    expect(tasks.map((t: { identical: boolean }) => t.identical)).toEqual([true, true]);
    expect(okIn(dir, 'eval', 'both')).toContain('accuracy');
  });

  it('exported files take what their tasks read, of its dtype, and say it', () => {
    okIn(dir, 'export', '--task', 'plain', '-o', at('plain.onnx'));
    okIn(dir, 'export', '--task', 'both', '-o', at('both.onnx'));
    const taken = (name: string) => loadModel(at(name)).graph.inputs.map((v) => [v.name, v.dtype, v.shape]);
    expect(taken('plain.onnx')).toEqual([['image', 'float32', ['N', 1, 4, 4]]]);
    expect(taken('both.onnx')).toEqual([
      ['image', 'float32', ['N', 1, 4, 4]],
      ['meta', 'float32', ['N', 2]],
      ['kind', 'int32', ['N']],
    ]);
    expect(
      JSON.parse(loadModel(at('both.onnx')).metadata.get('prognet.input') ?? '').map((i: { name: string }) => i.name),
    ).toEqual(['image', 'meta', 'kind']);
  });

  it('is asked with a .npz file of the same names, and answers as the exported file does', async () => {
    const asked = npz('asked.npz', { image, meta, kind });
    const lines = okIn(dir, 'predict', 'both', '--input', asked, '--format', 'jsonl').trim().split('\n');
    expect(lines).toHaveLength(rows);
    okIn(dir, 'export', '--task', 'both', '-o', at('asked.onnx'));
    const { both: scores } = await runModel(loadModel(at('asked.onnx')), { image, meta, kind });
    const labels = lines.map((line) => JSON.parse(line).label);
    const data = [...(scores?.numbers() ?? [])];
    expect(labels).toEqual(labels.map((_, i) => Number((data[2 * i + 1] ?? 0) > (data[2 * i] ?? 0))));
    const plain = okIn(dir, 'predict', 'plain', '--input', asked, '--format', 'jsonl').trim().split('\n');
    expect(plain).toHaveLength(rows);
  });

  it.each<[string, Readonly<Record<string, Tensor>>, string]>([
    [
      'an array is missing',
      { image, meta, y },
      'has no array "kind", its arrays are "image", "meta", "y"; expected image_train, meta_train',
    ],
    ['rows differ', { image, meta: normals(3, 2), kind, y }, '"meta": has 3 rows'],
    ['a dtype does not fit', { image, meta, kind: normals(rows), y }, '"kind": holds '],
    [
      'a shape does not fit',
      { image, meta: normals(rows, 3), kind, y },
      'train data of task "both": a sample has shape [3], input "meta" is [2]',
    ],
  ])('%s: one line says it', (_, arrays, message) => {
    const other = workspace(yaml);
    writeFileSync(join(other, 'plain.npz'), writeNpz(new Map(Object.entries({ image, y }))));
    writeFileSync(join(other, 'both.npz'), writeNpz(new Map(Object.entries(arrays))));
    okIn(other, 'train', 'plain', '--freeze', '--quiet', '--threads', '1');
    const { status, stderr } = prognet('train', 'both', '-C', other);
    expect([status, stderr.trimEnd().split('\n').at(-1)]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('of a table', () => {
  let dir = '';
  beforeAll(() => {
    dir = workspace(table);
    writeFileSync(join(dir, 'rows.csv'), csv(40));
    okIn(dir, 'train', 'again', '--freeze', '--quiet', '--threads', '1');
  });

  it('each input has its columns, and is asked with a table of all', () => {
    expect(JSON.parse(okIn(dir, 'verify', '--json')).tasks[0].identical).toBe(true);
    writeFileSync(join(dir, 'asked.csv'), csv(7));
    expect(okIn(dir, 'predict', 'again', '--input', join(dir, 'asked.csv'), '--format', 'jsonl').trim().split('\n')).toHaveLength(
      7,
    );
  });

  it('a transform of values is for a first input of numbers, and a folder of images for one input', () => {
    const other = (data: string) => {
      const dir = workspace(table.replace('data: rows.csv', `data: ${data}`));
      writeFileSync(join(dir, 'rows.csv'), csv(40));
      return prognet('train', 'again', '-C', dir).stderr;
    };
    expect(other('{ source: rows.csv, transform: [invert] }')).toContain(
      'columns[0].data.transform[0]: invert is for numbers, the inputs are token ids, expected one of classes, subset, one_hot',
    );
    expect(other('mnist')).toContain('columns[0].data: "mnist" gives one input, the task reads 3 inputs; expected ');
  });
});

it('a table names the files of pictures; what is none is said, with row and column', () => {
  const dir = workspace(`prognet: 1
name: beside
input: [{ name: note, shape: [3, 8, 8] }, { name: row, features: [age] }]
columns:
  - task: a
    data: { source: d.csv, label: y }
    inputs: [note, row]
    blocks: [[flatten, { concat: row }, { dense: 4 }, relu]]
    head: { classify: 2 }
`);
  writeFileSync(join(dir, 'd.csv'), 'note,age,y\nrain,3,0\nwind,1,1\n');
  const { status, stderr } = prognet('train', 'a', '-C', dir);
  expect(status).toBe(2);
  expect(stderr).toContain(
    'd.csv: row 2, column "note": "rain": is no file, expected the path of an image from the folder of the table',
  );
});
