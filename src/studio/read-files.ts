// Files that are dropped or chosen, as samples for the network: images, .npy, IDX (plain or gzip). Sizes are checked before anything is read.

import { readIdxHeader, readPlainIdx } from '../formats/idx.js';
import { readNpy } from '../formats/npy.js';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { DataError, type Tensor, UsageError } from '../web.js';
import { fits, type ImageShape, type InputShape, isOpen, keptRows, ofSize, sizesText } from './input-shape.js';
import { centred, inkFound } from './picture.js';
import { sampleOf } from './pixels.js';
import type { Pixels } from './resample.js';

/** Samples of one shape. */
export interface Shaped {
  readonly rows: readonly Float32Array[];
  readonly shape: readonly number[];
}

export interface Samples {
  readonly rows: readonly Float32Array[];
  /** One for each row, where a file of labels came along. */
  readonly labels?: readonly string[];
}

/** Beyond this, data belong to `prognet train`. */
const maxBytes = 512 * 2 ** 20;
export const maxRows = 20_000;
/** A photograph's side; what is larger is made smaller by the browser first. */
const maxSide = 8192;
const maxInkSide = 512;

export function checkSize(bytes: number, name: string): void {
  if (bytes <= maxBytes) return;
  const mib = Math.round(bytes / 2 ** 20);
  throw new UsageError(
    `${name}: ${mib} MiB, this page takes files of data up to ${maxBytes / 2 ** 20} MiB; train on more with prognet train`,
  );
}

/** Unpacks no more than the file's own header declares. */
async function unpacked(file: File): Promise<Uint8Array> {
  const reader = file.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let limit = maxBytes;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      length += next.value.length;
      if (parts.length === 1 && length >= 64) {
        const header = readIdxHeader(next.value, file.name);
        limit = header.length + header.dims.reduce((n, d) => n * d, 8);
        checkSize(limit, file.name);
      }
      if (length > limit) throw new DataError(`${file.name}: gzip unpacks to more than it declares`);
    }
  } catch (cause) {
    await reader.cancel().catch(() => {});
    if (cause instanceof DataError || cause instanceof UsageError) throw cause;
    throw new DataError(`${file.name}: bad gzip data`, { cause });
  }
  return joinBytes(parts);
}

/** Pixels of an image that keeps its size, as the Node service bounds them. */
const mostPixels = 2 ** 24;

/** The image at its own size; one that is larger than `most` a side is made smaller, where any size is taken it is refused. What is transparent is laid on white, unless alpha is kept. */
async function pixelsOf(file: File, most: number | undefined, alpha: boolean): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch (cause) {
    throw new DataError(`${file.name}: no image that this browser can read, expected PNG, JPEG, WebP, .npy or IDX`, { cause });
  }
  if (most === undefined && bitmap.width * bitmap.height > mostPixels)
    throw new DataError(
      `${file.name}: is ${bitmap.width} x ${bitmap.height} pixels, expected at most ${mostPixels} where a network takes any size`,
    );
  const scale = most === undefined ? 1 : Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new DataError(`${file.name}: this browser gives no canvas to read it`);
  if (!alpha) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** Ink centred as MNIST's is; one that has the network's size already stays where it is. */
function inkRow({ width, height, data }: Pixels, image: ImageShape, name: string): Float32Array {
  const at = (i: number) => data[i] ?? 0;
  const levels = Float32Array.from({ length: width * height }, (_, i) => {
    return (0.299 * at(4 * i) + 0.587 * at(4 * i + 1) + 0.114 * at(4 * i + 2)) / 255;
  });
  const ink = inkFound({ width, height, data: levels });
  if (ink.width === image.width && ink.height === image.height) return ink.data;
  const row = centred(ink, image.height, image.width);
  if (row === undefined) throw new DataError(`${name}: is of one colour, there is nothing to see in it`);
  return row;
}

/** The image's own size in place of what is open, at the scale of a side that is not. */
function openImage(input: InputShape, { width, height }: Pixels): InputShape {
  const { image, sizes, decoding } = input;
  if (image === undefined || !isOpen(input)) return input;
  const at = image.axes === 'CHW' ? 1 : 0;
  const [tall, wide] = [decoding?.height ?? sizes[at], decoding?.width ?? sizes[at + 1]];
  const scale = decoding !== undefined ? 1 : (tall ?? (wide == null ? height : (wide * height) / width)) / height;
  const sized = (side: number) => Math.max(1, Math.round(side * scale));
  return ofSize(input, input.shape.with(at, tall ?? sized(height)).with(at + 1, wide ?? sized(width)));
}

async function imageRow(
  file: File,
  given: InputShape,
): Promise<{ readonly row: Float32Array; readonly shape: readonly number[] }> {
  const { decoding, ink, sizes } = given;
  if (given.image === undefined)
    throw new DataError(`${file.name}: an image, the network takes ${sizesText(sizes)} numbers; drop a .npy`);
  const pixels = await pixelsOf(file, isOpen(given) ? undefined : ink ? maxInkSide : maxSide, given.image.channels === 4);
  const { image = given.image, shape } = openImage(given, pixels);
  if (ink) return { row: inkRow(pixels, image, file.name), shape };
  const fit = decoding === undefined ? 'cover' : decoding.fit;
  if (fit === undefined && (pixels.width !== image.width || pixels.height !== image.height)) {
    const [expected, got] = [`${image.width} x ${image.height}`, `${pixels.width} x ${pixels.height}`];
    const why = 'the network was trained on images of that size, none of them resized';
    throw new DataError(`${file.name}: is ${got} pixels (width x height), expected ${expected}; ${why}`, { expected, got });
  }
  return { row: sampleOf(pixels, image, fit), shape };
}

async function tensorOf(file: File): Promise<Tensor> {
  checkSize(file.size, file.name);
  const [a, b] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (a === 0x1f && b === 0x8b) return readPlainIdx(await unpacked(file), file.name);
  const bytes = new Uint8Array(await file.arrayBuffer());
  return a === 0x93 ? readNpy(bytes, file.name) : readPlainIdx(bytes, file.name);
}

/** Throws DataError, UsageError for what is not [N, ...] of the network's numbers. */
export function rowsOf(tensor: Tensor, name: string, given: InputShape): Shaped {
  const { dims } = tensor;
  const input = isOpen(given) ? openInput(dims, given) : given;
  const count = input === undefined ? 0 : tensor.size === input.size ? 1 : (dims[0] ?? 0);
  if (input === undefined || tensor.size === 0 || count * input.size !== tensor.size)
    throw new DataError(`${name}: [${dims}] ${tensor.dtype}, expected ${sizesText(['N', ...given.sizes])} of ${dtypesOf(given)}`);
  if (count > maxRows)
    throw new UsageError(`${name}: ${count} samples, this page takes up to ${maxRows}; train on more with prognet train`);
  if (tensor.dtype === 'float16' && input.dtype !== 'float16')
    throw new DataError(`${name}: float16, expected ${dtypesOf(input)}`);
  if (tensor.dtype === 'uint8' && input.dtype === 'float32' && !input.scalesBytes)
    throw new DataError(`${name}: inputs are uint8, expected float32: the network prepares its input itself`, {
      expected: 'float32',
      got: 'uint8',
    });
  const rows = keptRows(tensor, input);
  checkNumbers(rows, name, input);
  return { rows, shape: input.shape };
}

/** The input at the size of an array of samples, or of a single one. */
const openInput = (dims: readonly number[], input: InputShape): InputShape | undefined => {
  const shape = [dims.slice(1), dims].find((own) => fits(own, input));
  return shape === undefined ? undefined : ofSize(input, shape);
};

const dtypesOf = ({ dtype }: InputShape): string =>
  dtype === 'float32' || dtype === 'uint8' ? 'float32 or uint8' : dtype === 'float16' ? 'float16 or float32' : `${dtype}`;

/** Up to here a float32 stands for one whole number alone: 2^24 is what 2^24 + 1 becomes. */
const most = 2 ** 24 - 1;
/** What each dtype of whole numbers holds, as far as a float32 tells them apart. */
const whole: Partial<Record<InputShape['dtype'], readonly [low: number, high: number]>> = {
  int64: [-most, most],
  int32: [-most, most],
  bool: [0, 1],
};

/** What is wrong with a number of an input, undefined where nothing is. */
export function wrongNumber(value: number, { dtype, fills, image }: InputShape): string | undefined {
  if (fills && Number.isNaN(value)) return undefined;
  if (value - value !== 0) return 'expected finite numbers';
  // Bytes of images are kept as 0 to 1.
  const bounds = dtype === 'uint8' && image === undefined ? ([0, 255] as const) : whole[dtype];
  if (bounds === undefined || (Number.isInteger(value) && value >= bounds[0] && value <= bounds[1])) return undefined;
  return bounds[0] === 0 ? `expected whole numbers from 0 to ${bounds[1]}` : 'expected whole numbers below 2^24';
}

/** Throws DataError for numbers that the input does not hold. */
export function checkNumbers(rows: readonly Float32Array[], name: string, input: InputShape): void {
  rows.forEach((row, i) => {
    for (const value of row) {
      const wrong = wrongNumber(value, input);
      if (wrong !== undefined) throw new DataError(`${name}: sample ${i} holds ${value}, ${wrong}`);
    }
  });
}

function isArray(file: File, head: Uint8Array): boolean {
  const [a, b] = head;
  return (
    a === 0x93 ||
    (a === 0x1f && b === 0x8b) ||
    (a === 0 && b === 0 && head.length === 4) ||
    /\.(npy|idx\d?|gz)$|ubyte$/i.test(file.name)
  );
}

/**
 * Samples of some files, in their order, all of one size. Two arrays of which one has a whole number for each sample of the other are samples and labels.
 * @throws DataError, UsageError in one line
 */
export async function readFiles(files: readonly File[], input: InputShape): Promise<Samples & Shaped> {
  const parts: (Shaped & { readonly name: string })[] = [];
  const tensors: { name: string; tensor: Tensor }[] = [];
  for (const file of files) {
    checkSize(file.size, file.name);
    const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
    if (isArray(file, head)) tensors.push({ name: file.name, tensor: await tensorOf(file) });
    else {
      const { row, shape } = await imageRow(file, input);
      parts.push({ name: file.name, rows: [row], shape });
    }
  }
  const labels = tensors.length === 2 && parts.length === 0 ? tensors.find(({ tensor }) => tensor.dims.length === 1) : undefined;
  for (const { name, tensor } of tensors) if (name !== labels?.name) parts.push({ name, ...rowsOf(tensor, name, input) });
  const [first] = parts;
  const { shape } = first ?? input;
  const other = parts.find((part) => part.shape.join() !== shape.join());
  if (first !== undefined && other !== undefined) {
    const expected = 'one size of all that is asked together';
    throw new DataError(`${other.name}: is [${other.shape}], ${first.name} is [${shape}], expected ${expected}`, { expected });
  }
  const rows = parts.flatMap((part) => part.rows);
  if (labels === undefined) return { rows, shape };
  return { rows, shape, labels: labelsOf(labels.tensor, labels.name, rows.length) };
}

/** Labels as texts, one for each sample. Throws DataError. */
export function labelsOf(tensor: Tensor, name: string, count: number): string[] {
  if (tensor.size !== count) throw new DataError(`${name}: ${tensor.size} labels for ${count} samples, expected one each`);
  if (!/^u?int/.test(tensor.dtype)) throw new DataError(`${name}: labels of ${tensor.dtype}, expected integers`);
  return Array.from(tensor.data, String);
}
