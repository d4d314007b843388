// Data of several inputs: rows on disk are those in memory, bit for bit, whatever the source; transforms of rows hold for all inputs, those of values for the
// first; a column trained from disk is proven.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/data/fingerprint.js';
import { inMemory } from '../../src/data/rows.js';
import { mapSamples, type SampleRows } from '../../src/data/samples.js';
import type { DataOptions } from '../../src/data/schema.js';
import { loadSeveral } from '../../src/data/sources.js';
import { applyTransforms, type TransformSpec } from '../../src/data/transforms/registry.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { okIn, prognet } from '../cli/support.js';
import { parquetInGroups } from '../support/parquet.js';
import { samples as six, sixDtypes, targets as sixTargets } from '../support/six-dtypes.js';
import { allRows, expectRows } from '../support/stored-rows.js';

const root = mkdtempSync(join(tmpdir(), 'prognet-several-stored-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const count = 90;
const r = new Random(8, 'several stored');
const list = <T>(one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));
const inputs = columnsOf(
  parseDescription({
    prognet: 1,
    name: 'n',
    input: [
      { name: 'image', shape: [1, 4, 4] },
      { name: 'person', features: ['age', { city: ['Basel', 'Bern'] }], prepare: [{ fill: 0 }] },
      { name: 'shop', shape: [], dtype: 'int64' },
      { name: 'flags', shape: [2], dtype: 'bool' },
    ],
    columns: [],
  }),
).inputs;
const tabular = inputs.filter(({ name }) => name === 'person' || name === 'shop');
const arrays: Record<string, Tensor> = {
  image: Tensor.from('float32', list(() => Array.from({ length: 16 }, () => r.uniform())).flat(), [count, 1, 4, 4]),
  person: Tensor.from('float32', list((i) => [20 + i, i % 3 ? 1 : 0]).flat(), [count, 2]),
  shop: Tensor.from(
    'int64',
    list((i) => i % 7),
  ),
  flags: Tensor.from('bool', list((i) => [i % 2, i % 5 ? 0 : 1]).flat(), [count, 2]),
  y: Tensor.from(
    'int64',
    list((i) => i % 3),
  ),
};
const csv = (from: number, to: number) =>
  `shop,left,age,city,y\n${list((i) => [i % 7, i, i % 11 ? 20 + i : '', i % 3 ? 'Bern' : 'Basel', ['a', 'b', 'c'][i % 3]].join())
    .slice(from, to)
    .join('\n')}\n`;
const table = parquetInGroups(
  15,
  ...[
    { name: 'shop', data: list((i) => i % 7), type: 'INT32' },
    { name: 'age', data: list((i) => 20 + i), type: 'DOUBLE' },
    { name: 'city', data: list((i) => (i % 3 ? 'Bern' : 'Basel')), type: 'STRING' },
    { name: 'y', data: list((i) => i % 3), type: 'INT32' },
  ],
);
const write = (name: string, files: Readonly<Record<string, Uint8Array | string>>) => {
  mkdirSync(join(root, name), { recursive: true });
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(root, name, file), bytes);
  return name;
};
const npy = Object.fromEntries(Object.entries(arrays).map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)]));
writeFileSync(join(root, 'all.npz'), writeNpz(new Map(Object.entries(arrays))));
writeFileSync(join(root, 'rows.csv'), csv(0, count));
writeFileSync(join(root, 'rows.parquet'), table);
write('arrays', npy);
write('parts', { 'train.csv': csv(0, 60), 'test.csv': csv(60, count) });
write('hub', { 'train-00000-of-00001.parquet': table });

const classify = { kind: 'classify' as const, size: 3 };
const load = (options: DataOptions, own: typeof inputs, cache?: string) =>
  loadSeveral(options, {
    baseDir: root,
    inputs: own,
    head: classify,
    missing: true,
    ...(cache !== undefined && { cache: join(root, cache) }),
  });
const whole = (rows: SampleRows) => mapSamples(rows, (own) => allRows(own));

describe('rows on disk', () => {
  const transform: TransformSpec[] = [{ classes: [2, 0] }, { noise: { std: 0.1, seed: 3 } }, { subset: { count: 30, seed: 1 } }];
  it.each<[string, DataOptions, typeof inputs]>([
    ['a .npz file', { source: 'all.npz' }, inputs],
    ['a folder of .npy files', { source: 'arrays' }, inputs],
    ['a .csv file', { source: 'rows.csv', label: 'y' }, tabular],
    ['train.csv and test.csv', { source: 'parts', label: 'y' }, tabular],
    ['a .parquet file', { source: 'rows.parquet', label: 'y' }, tabular],
    ['a dataset of Hugging Face', { source: 'hub', label: 'y' }, tabular],
    ['transformed', { source: 'all.npz', transform }, inputs],
  ])('of %s are those in memory', async (what, options, own) => {
    const inside = await load(options, own);
    const kept = await load({ ...options, memory: 600 }, own, `cache ${what}`);
    const again = await load({ ...options, memory: 600 }, own, `cache ${what}`);
    for (const split of [kept, again])
      for (const part of ['train', 'test'] as const) {
        const [found, expected] = [split[part], inside[part]];
        expect(Object.keys(found.inputs)).toEqual(own.map(({ name }) => name));
        for (const [name, rows] of Object.entries(found.inputs)) {
          expect(inMemory(rows), name).toBe(false);
          expectRows(allRows(rows), must(expected.inputs[name], name) as Tensor);
        }
        expectRows(found.targets, expected.targets);
        expect({ ...found, inputs: 0, targets: 0 }).toEqual({ ...expected, inputs: 0, targets: 0 });
        expect(fingerprint(found)).toBe(fingerprint(expected));
      }
  });

  it('are the same rows of every input, in any order', async () => {
    const { train } = await load({ source: 'all.npz', memory: 600 }, inputs, 'order');
    const numbers = Uint32Array.from([5, 0, 41, 40, 5]);
    for (const rows of Object.values(train.inputs)) {
      if (inMemory(rows)) throw new Error('in memory');
      expectRows(rows.read(numbers), allRows(rows.select(numbers)));
    }
  });

  it('arrays of other lengths are refused with both', async () => {
    const shorter = { ...npy, 'flags.npy': writeNpy(Tensor.from('bool', [1, 0], [1, 2])) };
    const source = write('shorter', shorter);
    await expect(load({ source, memory: 600 }, inputs, 'shorter cache')).rejects.toThrow(
      `${join(root, 'shorter', 'flags.npy')}: has 1 rows, ${join(root, 'shorter', 'y.npy')} has ${count} rows`,
    );
  });
});

describe('transforms', () => {
  const single = async (transform: TransformSpec[]) => {
    const { train, test } = await load({ source: 'all.npz' }, inputs);
    const image = (part: typeof train) => ({ ...part, inputs: must(part.inputs.image, 'image') as Tensor });
    return applyTransforms({ train: image(train), test: image(test) }, transform);
  };
  it.each<[string, TransformSpec[]]>([
    ['of values', [{ noise: { std: 0.2, seed: 4 } }, { flip: { axis: 'horizontal' } }, { permute: { seed: 2 } }, 'invert']],
    ['of rows and labels', [{ classes: [1, 2] }, { subset: { count: 20, test: 5, seed: 2 } }, { one_hot: { classes: 2 } }]],
  ])('%s give the first input what they give it alone', async (_, transform) => {
    const alone = await single(transform);
    const { train, test } = await load({ source: 'all.npz', transform }, inputs);
    for (const [part, own] of [[train, alone.train] as const, [test, alone.test] as const]) {
      expectRows(must(whole(part.inputs).image, 'image'), own.inputs);
      expectRows(part.targets, own.targets);
      expect(part.classes).toBe(own.classes);
      expect(Object.values(part.inputs).map(({ dims }) => dims[0])).toEqual(Array(4).fill(own.targets.dims[0]));
    }
  });

  it('of rows keep the rows of all inputs together', async () => {
    const { train } = await load({ source: 'all.npz', transform: [{ classes: [2] }] }, inputs);
    const { person, shop } = whole(train.inputs);
    const rows = [...must(person, 'person').numbers()].filter((_, i) => i % 2 === 0).map((age) => age - 20);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.every((i) => i % 3 === 2)).toBe(true);
    expect([...must(shop, 'shop').numbers()]).toEqual(rows.map((i) => i % 7));
  });

  it('of values are for numbers', async () => {
    const own = [must(inputs[2], 'shop'), must(inputs[0], 'image')];
    await expect(load({ source: 'all.npz', transform: ['invert'] }, own)).rejects.toThrow(
      'data.transform[0]: invert is for numbers, the inputs are token ids, expected one of classes, subset, one_hot',
    );
  });
});

it('a column is trained from rows on disk, frozen and proven', () => {
  const dir = sixDtypes({ text: false });
  // Over the least that "memory" may be.
  const many = ({ dtype, dims: [own = 1, ...shape], bytes }: Tensor) => {
    const copies = Math.ceil(15_000 / own);
    return Tensor.fromBytes(
      dtype,
      [own * copies, ...shape],
      new Uint8Array(Buffer.concat(Array(copies).fill(Buffer.from(bytes)))),
    );
  };
  const arraysOf = [...Object.entries(six), ['y', sixTargets] as const].map(([name, tensor]) => [name, many(tensor)] as const);
  writeFileSync(join(dir, 'six.npz'), writeNpz(new Map(arraysOf)));
  okIn(dir, 'train', 'plain', '--freeze', '--quiet', '--threads', '1');
  const file = join(dir, 'prognet.yaml');
  const stored = 'data: { source: six.npz, memory: 1MiB, transform: [{ noise: { std: 0.01 } }] }';
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('data: six.npz', stored));
  const { status, stderr } = prognet('train', 'numbers', '--freeze', '--threads', '1', '-C', dir);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/written once to .*\.data/)]);
  expect(JSON.parse(okIn(dir, 'verify', '--json')).tasks.map((t: { identical: boolean }) => t.identical)).toEqual([true, true]);
  expect(okIn(dir, 'eval', 'numbers')).toContain('accuracy');
});
