// How image files become samples: colours, order of axes, size. It cannot stand in a graph, so a column's record and its exported files name it,
// and whoever asks the model does the same to an image. Description alone; decode.ts carries it out.
import * as z from 'zod';
import { dataError } from '../../formats/data-error.js';

/** How an image of another size is made to fit: cut at its longer sides, with black beside its shorter ones, or stretched. */
export const fits = ['cover', 'contain', 'fill'] as const;

const side = z.int().min(1).max(65535);

/** `resize` of a data entry. */
export const resizeSchema = z.strictObject({
  height: side.describe('Pixels.'),
  width: side.describe('Pixels.'),
  fit: z
    .enum(fits)
    .default('cover')
    .describe(
      'cover: the middle, cut at the longer sides; contain: the whole, with black beside it; fill: stretched. Default cover.',
    ),
});

/** How every image of a data set was decoded. Bytes 0 to 255, turned as its EXIF orientation says, colour profiles ignored. */
export const decodingSchema = z.strictObject({
  kind: z.literal('image'),
  /** rgb and grey have transparent parts on white. Grey is (19595 R + 38470 G + 7471 B + 32768) >> 16, as of Pillow's mode L. */
  colours: z.enum(['grey', 'rgb', 'rgba']),
  /** Order of the axes of a sample. */
  axes: z.enum(['CHW', 'HWC', 'HW']),
  height: side,
  width: side,
  /** Absent: only images of that size are taken. Resampling is Lanczos, with a support of three pixels of the coarser grid. */
  fit: z.enum(fits).optional(),
});

/** How image files become samples. */
export type Decoding = z.output<typeof decodingSchema>;
/** The size that images are brought to. */
export type Resize = z.input<typeof resizeSchema>;

const colours = new Map<number, Decoding['colours']>([
  [1, 'grey'],
  [3, 'rgb'],
  [4, 'rgba'],
]);

/** Values of a pixel. */
export function channelsOf({ colours: wanted }: Pick<Decoding, 'colours'>): number {
  return [...colours].find(([, name]) => name === wanted)?.[0] ?? 0;
}

/** The shape of a sample. */
export function sampleShape(decoding: Decoding): number[] {
  const { axes, height, width } = decoding;
  if (axes === 'HW') return [height, width];
  return axes === 'CHW' ? [channelsOf(decoding), height, width] : [height, width, channelsOf(decoding)];
}

/**
 * What gives samples of this shape: [C,H,W], [H,W,C] or, in grey, [H,W].
 * @param where the place of the data entry
 * @throws DataError for a shape that no image has, and for a `resize` to another one
 */
export function decodingFor(shape: readonly number[], resize: Resize | undefined, where: string): Decoding {
  const [a = 0, b = 0, c = 0] = shape;
  const found = (): Omit<Decoding, 'kind' | 'fit'> | undefined => {
    if (shape.length === 2) return { axes: 'HW', colours: 'grey', height: a, width: b };
    const [first, last] = shape.length === 3 ? [colours.get(a), colours.get(c)] : [];
    if (first !== undefined) return { axes: 'CHW', colours: first, height: b, width: c };
    return last === undefined ? undefined : { axes: 'HWC', colours: last, height: a, width: b };
  };
  const layout = found();
  if (layout === undefined) {
    const expected = '[C,H,W], [H,W,C] or [H,W] with C of 1, 3 or 4';
    throw dataError(where, `images for an input of shape [${shape}], expected ${expected}`, { expected, got: `[${shape}]` });
  }
  const { height, width } = layout;
  if (resize !== undefined && (resize.height !== height || resize.width !== width)) {
    const [expected, got] = [`height: ${height}, width: ${width}`, `height: ${resize.height}, width: ${resize.width}`];
    throw dataError(`${where}.resize`, `found ${got}, the network's input [${shape}] needs ${expected}`, { expected, got });
  }
  return { kind: 'image', ...layout, ...(resize !== undefined && { fit: resize.fit ?? 'cover' }) };
}
