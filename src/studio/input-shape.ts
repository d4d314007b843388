// What the network's input is for a page: an image to draw and show, or plain numbers.
import type { NetworkInfo } from '../web.js';

export interface InputShape {
  /** Of one sample. */
  readonly shape: readonly number[];
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
  return { shape, size, ...(image ? { image: { channels: channels as 1 | 3, height, width } } : {}) };
}
