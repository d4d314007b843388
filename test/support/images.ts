// Image files made by the package sharp, whose types are not asked for: it is an optional peer.
import { importPackage } from '../../src/onnx/files/optional-package.js';

interface Encoder {
  png(): Encoder;
  jpeg(options?: { quality: number }): Encoder;
  webp(options?: { lossless: boolean }): Encoder;
  gif(): Encoder;
  toColourspace(name: string): Encoder;
  withMetadata(options: { orientation: number }): Encoder;
  toBuffer(): Promise<Uint8Array>;
}
type Make = (pixels: Uint8Array, options: { raw: { width: number; height: number; channels: number } }) => Encoder;
const isMake = (value: unknown): value is Make => typeof value === 'function';
const made: unknown = Reflect.get(await importPackage('sharp'), 'default');

/** An image on its way to a file: `pixels` [height, width, channels]. */
export function image(width: number, height: number, channels: number, pixels: ArrayLike<number>): Encoder {
  if (!isMake(made)) throw new Error('sharp exports no function');
  return made(Uint8Array.from(pixels), { raw: { width, height, channels } });
}
