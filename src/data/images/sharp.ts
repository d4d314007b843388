// The package sharp, an optional peer, as far as it is used here: its types stay out of ours, which many read without having it.
import { dataError } from '../../formats/data-error.js';
import { importPackage } from '../../onnx/files/optional-package.js';

/** What a file's head says of the image. */
export interface ImageHead {
  readonly width: number;
  readonly height: number;
  /** As it will be once it is turned as its EXIF orientation says. */
  readonly autoOrient: { readonly width: number; readonly height: number };
  readonly channels: number;
  /** `srgb`, `b-w`, `cmyk`, ... */
  readonly space: string;
  readonly hasAlpha: boolean;
  /** Frames, where there are several. */
  readonly pages?: number;
}

/** One image on its way. */
interface Pipeline {
  metadata(): Promise<ImageHead>;
  autoOrient(): Pipeline;
  flatten(options: { background: string }): Pipeline;
  ensureAlpha(): Pipeline;
  resize(options: { width: number; height: number; fit: string; background: string; fastShrinkOnLoad: boolean }): Pipeline;
  raw(): Pipeline;
  png(): Pipeline;
  toBuffer(): Promise<Uint8Array>;
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: { channels: number } }>;
}

/** The package's one function. */
export type Sharp = (
  bytes: Uint8Array,
  options:
    | { readonly failOn: 'error'; readonly limitInputPixels: number; readonly ignoreIcc: true }
    /** Dots per inch of an SVG, whose own unit is 1/72 of one. */
    | { readonly density: number },
) => Pipeline;

const isSharp = (value: unknown): value is Sharp => typeof value === 'function';

/** Throws DataError where it is not installed. `where` names what needs it. */
export async function loadSharp(where: string): Promise<Sharp> {
  let cause: unknown;
  try {
    const loaded: unknown = Reflect.get(await importPackage('sharp'), 'default');
    if (isSharp(loaded)) return loaded;
  } catch (error) {
    cause = error;
  }
  throw dataError(where, 'images are decoded by the npm package sharp, which is not installed', {
    remedy: { kind: 'install', package: 'sharp' },
    cause,
  });
}
