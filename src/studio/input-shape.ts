// What the network's input is for a page: an image to draw and show, or plain numbers.
import { type NetworkInfo, Tensor } from '../web.js';

export interface InputShape {
  /** Of one sample. */
  readonly shape: readonly number[];
  /** uint8, or float32. */
  readonly dtype: 'uint8' | 'float32';
  /** Numbers of one sample. */
  readonly size: number;
  /** Where a sample is an image: channels 1 or 3, as [channels, height, width]. */
  readonly image?: { readonly channels: 1 | 3; readonly height: number; readonly width: number };
}

export function inputShapeOf({ input }: NetworkInfo): InputShape {
  const shape = input.shape.map((d) => d ?? 1);
  const size = shape.reduce((n, d) => n * d, 1);
  const [channels = 1, height = 0, width = 0] = shape.length === 2 ? [1, ...shape] : shape;
  const image = (shape.length === 3 || shape.length === 2) && (channels === 1 || channels === 3) && height > 3 && width > 3;
  return {
    shape,
    dtype: input.dtype === 'uint8' ? 'uint8' : 'float32',
    size,
    ...(image ? { image: { channels: channels as 1 | 3, height, width } } : {}),
  };
}

/** What 1 of a sample as this page keeps it is in bytes: samples of images are 0..1, others as they are. */
export const bytesPerOne = ({ image }: InputShape): number => (image === undefined ? 1 : 255);

/** Samples, one after another as this page keeps them, as the network takes them. */
export function samplesTensor(rows: Float32Array, input: InputShape): Tensor {
  const dims = [rows.length / input.size, ...input.shape];
  if (input.dtype === 'float32') return new Tensor('float32', dims, rows);
  return new Tensor('uint8', dims, new Uint8Array(Uint8ClampedArray.from(rows, (v) => v * bytesPerOne(input))));
}
