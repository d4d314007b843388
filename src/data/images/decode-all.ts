// Many images as one array of samples: bounded before anything is allocated, some decoded side by side.
import { dataError, defaultMaxBytes } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { decodeInto, headOf } from './decode.js';
import { channelsOf, type Decoding, isSized, ofSize, type Resize, type SizedDecoding, sampleShape } from './decoding.js';
import type { Sharp } from './sharp.js';

/** An image: what it is called in errors, and its bytes, read when it is its turn. */
export interface ImageBytes {
  readonly name: string;
  readonly bytes: () => Promise<Uint8Array>;
}

/** Decoded at once; sharp has threads of its own. */
const atOnce = 8;

async function inTurn<T>(items: readonly T[], each: (item: T, i: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce)
    await Promise.all(items.slice(from, from + atOnce).map((item, i) => each(item, from + i)));
}

/**
 * The decoding where no network says what it takes: the size of `resize`, else the one that all images have; in colour as soon as one is; [C,H,W].
 * @throws DataError for images of several sizes
 */
export async function commonDecoding(
  sharp: Sharp,
  parts: AsyncIterable<readonly ImageBytes[]> | Iterable<readonly ImageBytes[]>,
  resize: Resize | undefined,
): Promise<SizedDecoding> {
  const heads: { name: string; colour: boolean; size: string; height: number; width: number }[] = [];
  for await (const images of parts) {
    const before = heads.length;
    await inTurn(images, async ({ name, bytes }, i) => {
      const { autoOrient, channels } = await headOf(sharp, await bytes(), name);
      heads[before + i] = { name, colour: channels > 2, size: `${autoOrient.width} x ${autoOrient.height}`, ...autoOrient };
    });
  }
  const first = must(heads[0], 'image');
  const other = heads.find(({ size }) => size !== first.size);
  if (resize === undefined && other !== undefined) {
    const expected = 'images of one size, or "resize: { height, width }" in the data entry';
    const got = `${other.size} pixels (width x height)`;
    throw dataError(other.name, `is ${got}, ${first.name} is ${first.size}, expected ${expected}`, { expected, got });
  }
  const { height, width } = resize ?? first;
  return {
    kind: 'image',
    colours: heads.some(({ colour }) => colour) ? 'rgb' : 'grey',
    axes: 'CHW',
    height,
    width,
    ...(resize !== undefined && { fit: resize.fit ?? 'cover' }),
  };
}

/** All images decoded: uint8 [D, ...shape], and how many of them had an alpha channel. */
export interface DecodedImages {
  readonly inputs: Tensor;
  readonly withAlpha: number;
}

/** The decoding at the size of an image, where it leaves one open. Throws DataError for what is none. */
export async function sizedBy(sharp: Sharp, { name, bytes }: ImageBytes, decoding: Decoding): Promise<SizedDecoding> {
  return isSized(decoding) ? decoding : ofSize(decoding, (await headOf(sharp, await bytes(), name)).autoOrient);
}

/**
 * Images as samples of one size, that of the first where it is open.
 * @throws DataError for images that cannot be decoded, and where all together take more than 2 GiB
 */
export async function decodeAll(
  sharp: Sharp,
  images: readonly ImageBytes[],
  given: Decoding,
  where: string,
): Promise<DecodedImages> {
  const decoding = await sizedBy(sharp, must(images[0], 'image'), given);
  const width = decoding.height * decoding.width * channelsOf(decoding);
  const total = width * images.length;
  if (total > defaultMaxBytes)
    throw dataError(where, `${images.length} images of ${width} bytes take ${total}, more than the limit of ${defaultMaxBytes}`, {
      expected: `at most ${defaultMaxBytes} bytes`,
      got: `${total} bytes`,
    });
  const out = new Uint8Array(total);
  let withAlpha = 0;
  await inTurn(images, async ({ name, bytes }, i) => {
    const head = await decodeInto(sharp, await bytes(), decoding, out.subarray(i * width, (i + 1) * width), name);
    if (head.hasAlpha) withAlpha++;
  });
  return { inputs: new Tensor('uint8', [images.length, ...sampleShape(decoding)], out), withAlpha };
}

/** What was done to images that are partly transparent, in a line; undefined where nothing was. */
export function alphaNote(where: string, withAlpha: number, count: number, { colours }: Decoding): string | undefined {
  if (withAlpha === 0 || colours === 'rgba') return undefined;
  const which = count === 1 ? 'has' : `${withAlpha} of ${count} images have`;
  return `${where}: ${which} an alpha channel; transparent parts are laid on white`;
}
