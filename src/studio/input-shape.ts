// What the network's input is for a page: an image to draw and show, a row of a table, or plain numbers. A sample is kept as floats in the order in
// which the network takes it: images 0..1, all else as it is.
import { type Decoding, decodingFor } from '../data/images/decoding.js';
import { type NetworkInfo, Tensor } from '../web.js';

/** An image as a sample holds it. */
export interface ImageShape {
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
  readonly axes: Decoding['axes'];
}

export interface InputShape {
  /** Of one sample. */
  readonly shape: readonly number[];
  /** uint8, or float32. */
  readonly dtype: 'uint8' | 'float32';
  /** Numbers of one sample. */
  readonly size: number;
  /** Where a sample is an image. */
  readonly image?: ImageShape;
  /** How image files become samples, where the network's own data were decoded from some. */
  readonly decoding?: Decoding;
  /** Whether grey levels are ink on an empty ground, as MNIST's are: nothing says that they came of image files. */
  readonly ink: boolean;
  /** What 1 of a sample as this page keeps it is to the network: 255 for images of bytes. */
  readonly white: number;
  /** Whether bytes become 0..1 on their way to a network of float32; false where a column prepares its input. */
  readonly scalesBytes: boolean;
  /** Whether values may be missing. */
  readonly fills: boolean;
}

/** More than rounding beyond 1: the values of images are those of bytes. */
const beyondUnit = 2;

export function inputShapeOf({ input }: NetworkInfo): InputShape {
  const shape = input.shape.map((d) => d ?? 1);
  const dtype = input.dtype === 'uint8' ? 'uint8' : 'float32';
  const image = input.features === undefined ? imageOf(shape) : undefined;
  const { decoding, range: [, most] = [0, 1] } = input;
  return {
    shape,
    dtype,
    size: shape.reduce((n, d) => n * d, 1),
    ...(image !== undefined && { image, ...(decoding !== undefined && { decoding }) }),
    ink: image?.channels === 1 && decoding === undefined,
    white: image !== undefined && (dtype === 'uint8' || most > beyondUnit) ? 255 : 1,
    scalesBytes: dtype === 'float32' && input.prepared !== true,
    fills: input.fills === true,
  };
}

const channels = { grey: 1, rgb: 3, rgba: 4 } as const;

/** [C,H,W], [H,W,C] or [H,W] of more than three pixels a side. */
function imageOf(shape: readonly number[]): ImageShape | undefined {
  if (shape.length !== 2 && shape.length !== 3) return undefined;
  const [a = 0, , c = 0] = shape;
  if (shape.length === 3 && ![a, c].some((d) => d === 1 || d === 3 || d === 4)) return undefined;
  const { colours, axes, height, width } = decodingFor(shape, undefined, 'input');
  return height > 3 && width > 3 ? { channels: channels[colours], axes, height, width } : undefined;
}

/** How far apart neighbours are in a sample: pixels of a row, and colours of a pixel. */
export function strides({ channels, height, width, axes }: ImageShape): { readonly pixel: number; readonly channel: number } {
  return axes === 'HWC' ? { pixel: channels, channel: 1 } : { pixel: 1, channel: height * width };
}

/** Samples, one after another as this page keeps them, as the network takes them. */
export function samplesTensor(rows: Float32Array, { size, shape, dtype, white }: InputShape): Tensor {
  const dims = [rows.length / size, ...shape];
  if (dtype === 'uint8') return new Tensor('uint8', dims, new Uint8Array(Uint8ClampedArray.from(rows, (v) => v * white)));
  return new Tensor('float32', dims, white === 1 ? rows : rows.map((v) => v * white));
}

/** Samples of a tensor [N, ...] as this page keeps them; its numbers must be those of N samples. */
export function keptRows({ dtype, data }: Tensor, { size, white, dtype: own }: InputShape): Float32Array[] {
  // Bytes for a network of float32 are grey levels, whatever it is.
  const scale = dtype === 'uint8' && own === 'float32' ? 255 : white;
  return Array.from({ length: data.length / size }, (_, row) =>
    Float32Array.from({ length: size }, (_, i) => Number(data[row * size + i]) / scale),
  );
}
