// Images brought to another size in the page, beside sharp's, which decodes what columns are trained on.
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { fits } from '../../src/data/images/decoding.js';
import { Random } from '../../src/onnx/core/random.js';
import { resized } from '../../src/studio/resample.js';

const side = 32;

/** Largest and mean difference from sharp, of 255. */
async function difference(width: number, height: number, fit: (typeof fits)[number], noisy: boolean) {
  const random = new Random(1, width, height);
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return noisy ? 256 * random.uniform() : 127 + 120 * Math.sin(x / (5 + (i % 3)) + y / 7);
  });
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[3 * Math.floor(i / 4) + (i % 4)] ?? 0),
  );
  const raw = { width, height, channels: 3 } as const;
  const how = { width: side, height: side, fit, background: '#000000', fastShrinkOnLoad: false };
  const theirs = await sharp(rgb, { raw }).resize(how).raw().toBuffer();
  const ours = resized({ width, height, data }, { width: side, height: side }, fit).data;
  const off = Array.from(theirs, (v, i) => Math.abs(v - (ours[4 * Math.floor(i / 3) + (i % 3)] ?? 0)));
  return { most: Math.max(...off), mean: off.reduce((a, b) => a + b, 0) / off.length };
}

const smaller = [
  [64, 64],
  [200, 100],
  [33, 57],
  [500, 333],
  [640, 480],
] as const;
const larger = [
  [40, 30],
  [12, 12],
  [8, 9],
] as const;

it.each(smaller)('%i x %i made smaller is at most 3 off in any pixel', async (width, height) => {
  for (const fit of fits)
    for (const noisy of [false, true]) expect((await difference(width, height, fit, noisy)).most, fit).toBeLessThanOrEqual(3);
});

it.each(larger)('%i x %i enlarged is less than 1 off on average, and at most 2 where it is smooth', async (width, height) => {
  for (const fit of fits) {
    expect((await difference(width, height, fit, true)).mean, fit).toBeLessThan(1);
    expect((await difference(width, height, fit, false)).most, fit).toBeLessThanOrEqual(2);
  }
});
