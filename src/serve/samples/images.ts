// Images as samples, decoded by the same code as training's. The package sharp is an optional peer.
import { decodeInto, headOf } from '../../data/images/decode.js';
import { alphaNote } from '../../data/images/decode-all.js';
import { decodingSchema, ofSize, sampleShape } from '../../data/images/decoding.js';
import { loadSharp } from '../../data/images/sharp.js';
import { PrognetError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';

/** Pixels of one image at most, before anything is unpacked: with all that decoding holds at once about 8 bytes each. */
export const mostPixels = 2 ** 24;

/** A sample, and what was done to the image that its sender should know. */
interface Decoded {
  readonly values: Uint8Array;
  /** Of the sample. */
  readonly shape: readonly number[];
  readonly notes: readonly string[];
}

/**
 * What makes a sample of the bytes of an image, uint8 of the input's shape. `wrong` makes what a client is told of an image that is none, damaged or too
 * large. @throws DataError where sharp is not installed
 */
export async function imageReader(
  decoding: unknown,
): Promise<(bytes: Uint8Array, wrong: (message: string) => Error) => Promise<Decoded>> {
  const how = decodingSchema.parse(decoding);
  const sharp = await loadSharp('images');
  return async (bytes, wrong) => {
    try {
      const { width, height, autoOrient } = await headOf(sharp, bytes, 'the image');
      if (width * height > mostPixels) throw wrong(`the image has ${width} x ${height} pixels, expected at most ${mostPixels}`);
      const sized = ofSize(how, autoOrient);
      const shape = sampleShape(sized);
      const out = new Uint8Array(elementCount(shape));
      const { hasAlpha } = await decodeInto(sharp, bytes, sized, out, 'the image');
      const note = alphaNote('the image', hasAlpha ? 1 : 0, 1, how);
      return { values: out, shape, notes: note === undefined ? [] : [note] };
    } catch (error) {
      throw error instanceof PrognetError ? wrong(error.message) : error;
    }
  };
}
