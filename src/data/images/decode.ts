// PNG, JPEG and WebP to samples, by sharp. Other formats that it would read, some of which run programs of a kind (SVG), never reach it.
import { dataError } from '../../formats/data-error.js';
import { reason } from '../../onnx/core/one-line.js';
import { channelsOf, type SizedDecoding } from './decoding.js';
import type { ImageHead, Sharp } from './sharp.js';

/** More pixels than any photograph here has: what claims more is refused before it is unpacked. */
const mostPixels = 2 ** 27;

/** Endings of the files that are images. */
export const imageEndings = /\.(png|jpe?g|webp)$/i;

const signatures: readonly { readonly at: number; readonly bytes: readonly number[] }[][] = [
  [{ at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] }],
  [{ at: 0, bytes: [0xff, 0xd8, 0xff] }],
  [
    { at: 0, bytes: [0x52, 0x49, 0x46, 0x46] },
    { at: 8, bytes: [0x57, 0x45, 0x42, 0x50] },
  ],
];

/** Whether bytes begin as a PNG, JPEG or WebP file does. */
function isImage(file: Uint8Array): boolean {
  return signatures.some((parts) => parts.every(({ at, bytes }) => bytes.every((byte, i) => file[at + i] === byte)));
}

const opened = (sharp: Sharp, bytes: Uint8Array) =>
  sharp(bytes, { failOn: 'error', limitInputPixels: mostPixels, ignoreIcc: true });

/**
 * Size and colours, as the file's head says.
 * @throws DataError for what is no PNG, JPEG or WebP, for CMYK, several frames and more than 2^27 pixels
 */
export async function headOf(sharp: Sharp, bytes: Uint8Array, file: string): Promise<ImageHead> {
  if (!isImage(bytes)) throw dataError(file, 'is no PNG, JPEG or WebP image', { expected: 'PNG, JPEG or WebP' });
  let head: ImageHead;
  try {
    head = await opened(sharp, bytes).metadata();
  } catch (cause) {
    throw damaged(file, cause);
  }
  const { width, height, pages = 1, space } = head;
  const pixels = width * height;
  if (!(pixels > 0 && pixels <= mostPixels))
    throw dataError(file, `has ${width} x ${height} pixels, expected at most ${mostPixels}`, {
      expected: `at most ${mostPixels} pixels`,
      got: `${pixels} pixels`,
    });
  if (pages > 1) throw dataError(file, `has ${pages} frames, expected one`, { expected: 'one frame', got: `${pages} frames` });
  if (space === 'cmyk')
    throw dataError(file, 'has the colours CMYK, expected grey or RGB', { expected: 'grey or RGB', got: 'CMYK' });
  return head;
}

/** The image as one sample, written into `out`, which has room for just that. Throws DataError as `headOf`, and for another size where none is resized. */
export async function decodeInto(
  sharp: Sharp,
  bytes: Uint8Array,
  decoding: SizedDecoding,
  out: Uint8Array,
  file: string,
): Promise<ImageHead> {
  const head = await headOf(sharp, bytes, file);
  const { height, width, fit, colours, axes } = decoding;
  const { autoOrient: size } = head;
  if (fit === undefined && (size.width !== width || size.height !== height)) {
    const [expected, got] = [`${width} x ${height}`, `${size.width} x ${size.height}`];
    const way = `"resize: { height: ${height}, width: ${width} }" in the data entry brings all to one size`;
    throw dataError(file, `is ${got} pixels (width x height), expected ${expected}; ${way}`, { expected, got });
  }
  let image = opened(sharp, bytes).autoOrient();
  if (colours === 'rgba') image = image.ensureAlpha();
  else if (head.hasAlpha) image = image.flatten({ background: '#ffffff' });
  if (fit !== undefined) image = image.resize({ width, height, fit, background: '#000000', fastShrinkOnLoad: false });
  let data: Uint8Array;
  let found: number;
  try {
    const made = await image.raw().toBuffer({ resolveWithObject: true });
    data = made.data;
    found = made.info.channels;
  } catch (cause) {
    throw damaged(file, cause);
  }
  const channels = channelsOf(decoding);
  const pixels = height * width;
  if (data.length !== pixels * found || found < (channels === 4 ? 4 : 1))
    throw dataError(file, `was decoded to ${data.length} bytes, expected ${pixels} pixels`);
  const [pixelStride, channelStride] = axes === 'CHW' ? [1, pixels] : [channels, 1];
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += found) {
    const r = data[at] ?? 0;
    const g = found >= 3 ? (data[at + 1] ?? 0) : r;
    const b = found >= 3 ? (data[at + 2] ?? 0) : r;
    const to = pixel * pixelStride;
    if (channels === 1) {
      // ITU-R 601 luma in 16-bit fixed point, as of Pillow
      out[to] = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
      continue;
    }
    out[to] = r;
    out[to + channelStride] = g;
    out[to + 2 * channelStride] = b;
    if (channels === 4) out[to + 3 * channelStride] = data[at + 3] ?? 0;
  }
  return head;
}

function damaged(file: string, cause: unknown): Error {
  return dataError(file, `is damaged, ${reason(cause)}`, { cause, expected: 'a whole image' });
}
