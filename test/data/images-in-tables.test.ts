// A column of paths of images beside columns of numbers in one table: each becomes an input of its own. The table gives what arrays of the decoded images give, to
// training and to who asks; what is not there, lies elsewhere or has another size is one line that names row and column.
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { isRows } from '../../src/data/samples.js';
import { loadSeveral } from '../../src/data/sources.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { pause } from '../../src/tasks/inputs/pipe.js';
import { readInputs } from '../../src/tasks/inputs/read-inputs.js';
import { parquetInGroups } from '../support/parquet.js';

const [rows, height, width] = [20, 4, 5];
const random = new Random(5, 'images in tables');
const photo = { name: 'photo', dtype: 'uint8', shape: [3, height, width] } as const;
const person = { name: 'person', dtype: 'float32', shape: [2], features: [{ name: 'age' }, { name: 'size' }] } as const;
const inputs = [photo, person];
const dir = mkdtempSync(join(tmpdir(), 'prognet-pictures-'));
const at = (...names: string[]) => join(dir, ...names);
const ages = Array.from({ length: rows }, (_, i) => 20 + i);

const png = async (path: string, high: number, wide: number): Promise<number[]> => {
  const rgb = Uint8Array.from({ length: high * wide * 3 }, () => random.below(256));
  writeFileSync(
    path,
    await sharp(rgb, { raw: { width: wide, height: high, channels: 3 } })
      .png()
      .toBuffer(),
  );
  return Array.from(rgb, (_, i) => rgb[(i % (high * wide)) * 3 + Math.floor(i / (high * wide))] ?? 0);
};
const load = (data: Parameters<typeof loadSeveral>[0], some = inputs) => loadSeveral(data, { baseDir: dir, inputs: some });
const table = (paths: readonly string[]) =>
  `age,photo,size,y\n${paths.map((path, i) => `${ages[i]},${path},${i / 4},${i % 2}\n`).join('')}`;

beforeAll(async () => {
  mkdirSync(at('photos'));
  const pixels: number[] = [];
  for (let i = 0; i < rows; i++) pixels.push(...(await png(at('photos', `${i}.png`), height, width)));
  await png(at('large.png'), 9, 9);
  const paths = ages.map((_, i) => `photos/${i}.png`);
  writeFileSync(at('rows.csv'), table(paths));
  writeFileSync(
    at('rows.parquet'),
    parquetInGroups(
      7,
      { name: 'age', data: ages, type: 'DOUBLE' },
      { name: 'photo', data: paths, type: 'STRING' },
      { name: 'size', data: ages.map((_, i) => i / 4), type: 'DOUBLE' },
      { name: 'y', data: ages.map((_, i) => i % 2), type: 'INT32' },
    ),
  );
  const arrays = {
    photo: new Tensor('uint8', [rows, 3, height, width], Uint8Array.from(pixels)),
    person: Tensor.from(
      'float32',
      ages.flatMap((age, i) => [age, i / 4]),
      [rows, 2],
    ),
    y: Tensor.from(
      'int64',
      ages.map((_, i) => i % 2),
    ),
  };
  writeFileSync(at('rows.npz'), writeNpz(new Map(Object.entries(arrays))));
});

const partsOf = async (data: Parameters<typeof load>[0]) => {
  const { train, test } = await load(data);
  return [train, test].map(({ inputs: own, targets }) => {
    if (isRows(own)) throw new Error('several inputs by name');
    const named = [must(own.photo, 'photo'), must(own.person, 'person')];
    return [...named, targets].map((rows) => (rows instanceof Tensor ? [rows.dtype, rows.dims, rows.numbers()] : 'on disk'));
  });
};

it.each(['rows.csv', 'rows.parquet'])(
  '%s gives what arrays of the images give, and says how they were decoded',
  async (source) => {
    expect(await partsOf(source)).toEqual(await partsOf('rows.npz'));
    expect((await load(source)).train.decoding).toEqual({ kind: 'image', axes: 'CHW', colours: 'rgb', height, width });
  },
);

it('who asks gives such a table, wherever its images lie beside it', async () => {
  mkdirSync(at('asked'));
  await png(at('asked', 'one.png'), 8, 10);
  writeFileSync(at('asked', 'asked.csv'), 'size,photo,age\n1.5,../rows.csv,30\n');
  const read = async (path: string) => {
    const found = [];
    const decoding = { kind: 'image', axes: 'CHW', colours: 'rgb', height, width, fit: 'fill' } as const;
    for await (const part of readInputs({ path, decoding }, inputs)) if (part !== pause) found.push(part);
    return must(found[0], 'part');
  };
  await expect(read(at('asked', 'asked.csv'))).rejects.toThrow(/row 2, column "photo": "\.\.\/rows\.csv": leads out of /);
  writeFileSync(at('asked', 'asked.csv'), 'size,photo,age\n1.5,one.png,30\n');
  const { photo: image, person: numbers } = await read(at('asked', 'asked.csv'));
  expect([image?.dtype, image?.dims, numbers?.numbers()]).toEqual(['uint8', [1, 3, height, width], [30, 1.5]]);
  const right = await sharp(at('asked', 'one.png'))
    .resize({ width, height, fit: 'fill', fastShrinkOnLoad: false })
    .raw()
    .toBuffer();
  expect(image?.numbers().slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => right[3 * i]));
});

it.each([
  [
    'there is none',
    'photos/none.png',
    /row 3, column "photo": "photos\/none\.png": is no file, expected the path of an image from the folder of the table/,
  ],
  ['nothing is said', '', /row 3, column "photo": "": is empty, expected the path of an image/],
  ['it is a folder', 'photos', /row 3, column "photo": "photos": is a folder, expected the path/],
  ['it is no image', 'rows.csv', /row 3, column "photo": "rows\.csv": is no PNG, JPEG or WebP image/],
  ['it lies elsewhere', '/etc/hostname', /row 3, column "photo": "\/etc\/hostname": (leads out of|is no file)/],
  ['a link leads elsewhere', 'link.png', /row 3, column "photo": "link\.png": leads out of /],
  [
    'it has another size',
    'large.png',
    /row 3, column "photo": "large\.png": is 9 x 9 pixels \(width x height\), expected 5 x 4; "resize: /,
  ],
])('%s: one line says it', async (_, path, message) => {
  try {
    symlinkSync(process.execPath, at('link.png'));
  } catch {
    // It is there from the case before.
  }
  writeFileSync(at('wrong.csv'), table(['photos/0.png', path]));
  await expect(load('wrong.csv')).rejects.toThrow(message);
});

it('"resize" brings them to the size of the input, and is refused where no input is an image; rows on disk are refused', async () => {
  writeFileSync(at('mixed.csv'), table(['photos/0.png', 'large.png', 'photos/1.png', 'photos/2.png']));
  const { train } = await load({ source: 'mixed.csv', resize: { height, width }, test: 0.25 });
  expect(train.decoding).toMatchObject({ fit: 'cover', height, width });
  const numbers = [person, { name: 'y', dtype: 'float32', shape: [] } as const];
  writeFileSync(at('numbers.csv'), 'age,size,y,z\n1,2,3,0\n4,5,6,1\n');
  await expect(
    loadSeveral({ source: 'numbers.csv', resize: { height, width } }, { baseDir: dir, inputs: numbers }),
  ).rejects.toThrow(
    /^data\.resize: is for images, and no input of the table is one; expected an input of images, \[C,H,W\], beside others$/,
  );
  const cache = at('cache');
  await expect(loadSeveral({ source: 'rows.csv', memory: '1MiB' }, { baseDir: dir, inputs, cache })).rejects.toThrow(
    /^data\.memory: images that a table names are read into memory, those of input "photo" too; expected a greater "memory"/,
  );
});
