// Folders of images by class: what becomes of their pixels, and what is refused, with its line.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { take } from '../../src/data/dataset.js';
import { channelsOf, decodingFor, sampleShape } from '../../src/data/images/decoding.js';
import { loadData, sourceFiles } from '../../src/data/sources.js';
import type { NetworkInput } from '../../src/model/progressive/inputs.js';
import { expectDataError, expectDataRejection } from '../formats/expect-data-error.js';
import { image } from '../support/images.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-images-'));
afterAll(() => rmSync(dir, { recursive: true }));
const put = (name: string, bytes: Uint8Array | string): string => {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
};
const input = (...shape: number[]): { inputs: NetworkInput[] } => ({ inputs: [{ name: 'image', dtype: 'uint8', shape }] });
const classify = (size: number, names?: string[]) => ({ head: { kind: 'classify' as const, size, ...(names && { names }) } });
const context = { baseDir: dir, path: 'columns[0].data' };

/** All rows of a folder that has no test set, in the order of its files. */
async function whole(source: string, more: object, extra: object = {}) {
  const { train, test: rest } = await loadData({ source, test: 0.5, ...extra }, { ...context, ...more });
  return { train, rest, rows: (train.inputs.dims[0] ?? 0) + (rest.inputs.dims[0] ?? 0) };
}

const colours = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => (i * 41) % 256);
const [width, height] = [3, 2];
const png = await image(width, height, 3, colours).png().toBuffer();
const grey = await image(width, height, 1, [0, 50, 100, 150, 200, 250]).toColourspace('b-w').png().toBuffer();

describe('pixels', () => {
  test('PNG and lossless WebP give their bytes, as [C,H,W] and [H,W,C]', async () => {
    put('exact/a/1.png', png);
    put('exact/b/1.WEBP', await image(width, height, 3, colours).webp({ lossless: true }).toBuffer());
    put('exact/README.md', 'where they are from');
    put('exact/a/.DS_Store', '');
    const hwc = await whole('exact', input(2, 3, 3));
    expect([hwc.train.inputs.dtype, hwc.train.inputs.dims]).toEqual(['uint8', [1, 2, 3, 3]]);
    for (const { inputs } of [hwc.train, hwc.rest]) expect([...inputs.bytes]).toEqual([...colours]);
    const chw = await whole('exact', input(3, 2, 3));
    const planes = [0, 1, 2].flatMap((c) => Array.from({ length: 6 }, (_, i) => colours[i * 3 + c]));
    expect([...chw.train.inputs.bytes]).toEqual(planes);
    expect(chw.train.decoding).toEqual({ kind: 'image', colours: 'rgb', axes: 'CHW', height: 2, width: 3 });
    expect(sourceFiles('exact', dir)).toEqual([join(dir, 'exact/a/1.png'), join(dir, 'exact/b/1.WEBP')]);
  });

  test('grey of colours as Pillow computes it, colours of grey thrice', async () => {
    put('mixed/a/1.png', png);
    put('mixed/b/1.png', grey);
    const { train, rest } = await whole('mixed', input(1, 2, 3));
    const luma = Array.from({ length: 6 }, (_, i) => {
      const [r = 0, g = 0, b = 0] = colours.subarray(i * 3);
      return Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536);
    });
    const both = [train, rest].map(({ inputs }) => [...inputs.bytes]);
    expect(both).toContainEqual(luma);
    expect(both).toContainEqual([0, 50, 100, 150, 200, 250]);
    const coloured = await whole('mixed', input(2, 3, 3));
    const thrice = [0, 50, 100, 150, 200, 250].flatMap((v) => [v, v, v]);
    expect([coloured.train, coloured.rest].map(({ inputs }) => [...inputs.bytes])).toContainEqual(thrice);
    // Without a network: in colour as soon as one is.
    expect((await whole('mixed', {})).train.inputs.dims.slice(1)).toEqual([3, 2, 3]);
  });

  test('turned as EXIF says; transparent parts on white, which is said; RGBA for four channels', async () => {
    const turned = await image(width, height, 3, colours).withMetadata({ orientation: 6 }).png().toBuffer();
    put('turned/a/1.png', turned);
    put('turned/a/2.png', turned);
    const { train } = await whole('turned', input(3, 3, 2));
    // A quarter clockwise: the first row is the first column from below.
    expect([...train.inputs.bytes.subarray(0, 2)]).toEqual([colours[9], colours[0]]);
    const half = await image(1, 1, 4, [10, 20, 30, 0]).png().toBuffer();
    put('alpha/a/1.png', half);
    put('alpha/b/1.png', half);
    const told: string[] = [];
    const opaque = await whole('alpha', { ...input(3, 1, 1), onNote: (line: string) => told.push(line) });
    expect([...opaque.train.inputs.bytes]).toEqual([255, 255, 255]);
    expect(told).toEqual([`${dir}/alpha: 2 of 2 images have an alpha channel; transparent parts are laid on white`]);
    expect([...(await whole('alpha', input(4, 1, 1))).train.inputs.bytes]).toEqual([10, 20, 30, 0]);
  });

  test('resized: cover cuts, contain adds black, fill stretches', async () => {
    // left half 100, right half 200
    const wide = await image(
      8,
      4,
      1,
      Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 100 : 200)),
    )
      .png()
      .toBuffer();
    put('sizes/a/1.png', wide);
    put('sizes/b/1.png', wide);
    const made = async (fit: 'cover' | 'contain' | 'fill') => {
      const { train } = await whole('sizes', input(1, 4, 4), { resize: { height: 4, width: 4, fit } });
      expect(train.decoding?.fit).toBe(fit);
      return [...train.inputs.bytes];
    };
    const cover = await made('cover');
    expect(cover.slice(0, 4)).toEqual([100, 100, 200, 200]);
    const contain = await made('contain');
    expect([contain.slice(0, 4), contain.slice(12)]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(contain[4]).toBeGreaterThan(90);
    expect((await made('fill'))[0]).toBeGreaterThan(90);
  });
});

describe('classes', () => {
  test('sorted names of folders, or those of the head; of train where test is there too', async () => {
    for (const name of ['b', 'a', 'B']) put(`split/train/${name}/1.png`, png);
    put('split/test/b/1.png', png);
    const { train, test: rest } = await loadData('split', { ...context, ...input(3, 2, 3) });
    expect([train.classNames, train.classes, train.targets.numbers()]).toEqual([['B', 'a', 'b'], 3, [0, 1, 2]]);
    expect([rest.targets.numbers(), rest.classNames]).toEqual([[2], ['B', 'a', 'b']]);
    expect(take(train, [1]).classNames).toEqual(['B', 'a', 'b']);
    const named = await loadData('split', { ...context, ...input(3, 2, 3), ...classify(3, ['a', 'b', 'B']) });
    expect(named.train.targets.numbers()).toEqual([2, 0, 1]);
    expect(sourceFiles('split', dir)).toHaveLength(4);
  });

  test('what does not fit the head or the parts is refused', async () => {
    const given = { ...context, ...input(3, 2, 3) };
    await expectDataRejection(
      loadData('split', { ...given, ...classify(2) }),
      `${dir}/split: holds 3 classes, ["B","a","b"]; a classify head of 2 needs 2 or "names" of the head`,
    );
    await expectDataRejection(
      loadData('split', { ...given, head: { kind: 'regress', size: 1 } }),
      `${dir}/split: folders of images are classes, a regress head takes other targets`,
    );
    await expectDataRejection(
      loadData({ source: 'split', test: 0.5 }, given),
      'columns[0].data.test: is for sources without a test set, "split" has its own',
    );
    put('odd/train/a/1.png', png);
    put('odd/test/b/1.png', png);
    await expectDataRejection(
      loadData('odd', given),
      `${dir}/odd/test/b: is a class that train does not have, expected one of "a"`,
    );
    put('three/train/a/1.png', png);
    put('three/test/a/1.png', png);
    put('three/val/a/1.png', png);
    await expectDataRejection(
      loadData('three', given),
      `${dir}/three/val: stands beside train and test, expected those two alone; validation data are drawn from train by "train: { validation: 0.1 }"`,
    );
  });
});

describe('refused by name', () => {
  const given = { ...context, ...input(3, 2, 3) };
  const refused = async (name: string, bytes: Uint8Array | string, line: string) => {
    const folder = name.split('/')[0] ?? '';
    put(`${folder}/a/0.png`, png);
    put(name, bytes);
    await expectDataRejection(loadData(folder, given), line.replaceAll('DIR', dir));
  };

  test('another size than the input, where nothing resizes', async () => {
    const large = await image(3, 3, 3, new Uint8Array(27)).png().toBuffer();
    const line =
      'DIR/large/a/1.png: is 3 x 3 pixels (width x height), expected 3 x 2; "resize: { height: 2, width: 3 }" in the data entry brings all to one size';
    await refused('large/a/1.png', large, line);
    const without = `${dir}/large/a/1.png: is 3 x 3 pixels (width x height), ${dir}/large/a/0.png is 3 x 2, expected images of one size, or "resize: { height, width }" in the data entry`;
    await expectDataRejection(loadData('large', context), without);
    await expectDataRejection(
      loadData({ source: 'large', resize: { height: 4, width: 3 } }, given),
      "columns[0].data.resize: found height: 4, width: 3, the network's input [3,2,3] needs height: 2, width: 3",
    );
    await expectDataRejection(
      loadData('large', { ...context, ...input(784) }),
      'columns[0].data: images for an input of shape [784], expected [C,H,W], [H,W,C] or [H,W] with C of 1, 3 or 4',
    );
  });

  test.each([
    [
      'png',
      async () =>
        await image(
          64,
          64,
          3,
          Uint8Array.from({ length: 12288 }, (_, i) => (i * i) % 251),
        )
          .png()
          .toBuffer(),
    ],
    [
      'jpg',
      async () =>
        await image(
          64,
          64,
          3,
          Uint8Array.from({ length: 12288 }, (_, i) => (i * i) % 251),
        )
          .jpeg()
          .toBuffer(),
    ],
    [
      'webp',
      async () =>
        await image(
          64,
          64,
          3,
          Uint8Array.from({ length: 12288 }, (_, i) => (i * i) % 251),
        )
          .webp()
          .toBuffer(),
    ],
  ])('a %s that is cut off', async (ending, make) => {
    const bytes = await make();
    const path = put(`cut-${ending}/a/1.${ending}`, bytes);
    const folder = `cut-${ending}`;
    const one = { ...context, ...input(3, 64, 64) };
    put(`${folder}/a/2.${ending}`, bytes);
    expect((await whole(folder, input(3, 64, 64))).rows).toBe(2);
    for (const part of [0.1, 0.5, 0.95]) {
      put(`${folder}/a/1.${ending}`, bytes.subarray(0, Math.floor(bytes.length * part)));
      await expect(loadData(folder, one)).rejects.toThrow(`${path}: is damaged, `);
    }
  });

  test('what is no image, other files and folders', async () => {
    await refused('text/a/1.png', 'hello', 'DIR/text/a/1.png: is no PNG, JPEG or WebP image');
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>';
    await refused('svg/a/1.png', svg, 'DIR/svg/a/1.png: is no PNG, JPEG or WebP image');
    await refused('empty/a/1.png', '', 'DIR/empty/a/1.png: is no PNG, JPEG or WebP image');
    await refused('list/a/list.txt', 'x', 'DIR/list/a/list.txt: is no image in class "a", expected PNG, JPEG or WebP files');
    await refused('deep/a/b/1.png', png, 'DIR/deep/a/b: is a folder in class "a", expected PNG, JPEG or WebP files');
    await refused(
      'top/1.png',
      png,
      'DIR/top/1.png: stands beside the folders of the classes, expected a folder of images for each class',
    );
    await refused('none/b/readme.txt', 'x', 'DIR/none/b: holds no images');
  });

  test('a head that claims more pixels than are taken, before anything is unpacked', async () => {
    const bomb = Uint8Array.from(png);
    new DataView(bomb.buffer).setUint32(16, 60000);
    new DataView(bomb.buffer).setUint32(20, 60000);
    put('bomb/a/0.png', png);
    put('bomb/a/1.png', bomb);
    await expect(loadData('bomb', given)).rejects.toThrow(`${dir}/bomb/a/1.png: `);
  });

  test('links out of the folder; those inside are followed', async () => {
    put('linked/a/1.png', png);
    symlinkSync(join(dir, 'linked/a/1.png'), join(dir, 'linked/a/2.png'));
    expect((await whole('linked', input(3, 2, 3))).rows).toBe(2);
    const target = put('outside.png', png);
    symlinkSync(target, join(dir, 'linked/a/3.png'));
    await expectDataRejection(
      loadData('linked', given),
      `${dir}/linked/a/3.png: is a link to ${target}, outside of ${dir}/linked`,
    );
  });

  test('resize of what is no folder of images', async () => {
    put('a.csv', '1,0\n2,1\n');
    await expectDataRejection(
      loadData({ source: 'a.csv', resize: { height: 1, width: 1 } }, context),
      'columns[0].data.resize: is for images, and no input of the table is one; expected an input of images, [C,H,W], beside others',
    );
  });
});

test('a decoding gives the shape that it was made for', () => {
  for (const shape of [
    [1, 28, 28],
    [3, 8, 9],
    [8, 9, 3],
    [8, 9, 4],
    [8, 9],
  ]) {
    const decoding = decodingFor(shape, undefined, 'data');
    expect(sampleShape(decoding)).toEqual(shape);
    expect(channelsOf(decoding) * decoding.height * decoding.width).toBe(shape.reduce((a, b) => a * b, 1));
  }
  expectDataError(
    () => decodingFor([2, 8, 8], undefined, 'data'),
    'data: images for an input of shape [2,8,8], expected [C,H,W], [H,W,C] or [H,W] with C of 1, 3 or 4',
  );
});
