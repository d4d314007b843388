// How image files become samples: colours, order of axes, size. It cannot stand in a graph, so a column's record and its exported files name it,
// and whoever asks the model does the same to an image. Description alone; decode.ts carries it out.
import * as z from 'zod';
import { dataError } from '../../formats/data-error.js';
import type { Size } from '../../model/nn/open-size.js';
import { formatShape } from '../../onnx/core/shape.js';

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
  /** Absent, as the width may be: every image keeps its own. */
  height: side.exactOptional(),
  width: side.exactOptional(),
  /** Absent: only images of that size are taken. Resampling is Lanczos, with a support of three pixels of the coarser grid. */
  fit: z.enum(fits).optional(),
});

/** How image files become samples. */
export type Decoding = z.output<typeof decodingSchema>;
/** How image files become samples of one size. */
export type SizedDecoding = Decoding & { readonly height: number; readonly width: number };
/** The size that images are brought to. */
export type Resize = z.input<typeof resizeSchema>;

/** What the axes of a sample are. */
interface Layout extends Pick<Decoding, 'axes' | 'colours'> {
  readonly height: Size;
  readonly width: Size;
}

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
export function sampleShape(decoding: SizedDecoding): number[] {
  const { axes, height, width } = decoding;
  if (axes === 'HW') return [height, width];
  return axes === 'CHW' ? [channelsOf(decoding), height, width] : [height, width, channelsOf(decoding)];
}

/** Whether samples that it makes are of a shape, whatever its open sizes are. */
export function takesSamples(decoding: Decoding, shape: readonly Size[]): boolean {
  const sides = sampleShape(ofSize(decoding, { height: 0, width: 0 }));
  return (
    sides.length === shape.length && sides.every((size, i) => size === 0 || typeof shape[i] === 'string' || size === shape[i])
  );
}

/** The decoding for images of a size: what it leaves open is theirs. */
export const ofSize = (decoding: Decoding, { height, width }: { height: number; width: number }): SizedDecoding => ({
  ...decoding,
  height: decoding.height ?? height,
  width: decoding.width ?? width,
});

/** Whether every image has one size. */
export const isSized = (decoding: Decoding): decoding is SizedDecoding =>
  decoding.height !== undefined && decoding.width !== undefined;
/** Whether a sample of this shape can be an image: [C,H,W], [H,W,C] with C of 1, 3 or 4, or [H,W]. */
export const isImageShape = (shape: readonly unknown[]): boolean =>
  shape.length === 2 ||
  (shape.length === 3 && [shape[0], shape[2]].some((size) => typeof size === 'number' && colours.has(size)));

/**
 * What gives samples of this shape: [C,H,W], [H,W,C] or, in grey, [H,W]. A side that is open is that of `resize`, else each image's own.
 * @param where the place of the data entry
 * @throws DataError for a shape that no image has, and for a `resize` to another one
 */
export function decodingFor(shape: readonly number[], resize: Resize | undefined, where: string): SizedDecoding;
export function decodingFor(shape: readonly Size[], resize: Resize | undefined, where: string): Decoding;
export function decodingFor(shape: readonly Size[], resize: Resize | undefined, where: string): Decoding {
  const [a = 0, b = 0, c = 0] = shape;
  const found = (): Layout | undefined => {
    if (shape.length === 2) return { axes: 'HW', colours: 'grey', height: a, width: b };
    const [first, last] = shape.length === 3 ? [colours.get(Number(a)), colours.get(Number(c))] : [];
    if (first !== undefined) return { axes: 'CHW', colours: first, height: b, width: c };
    return last === undefined ? undefined : { axes: 'HWC', colours: last, height: a, width: b };
  };
  const layout = found();
  if (layout === undefined) {
    const expected = '[C,H,W], [H,W,C] or [H,W] with C of 1, 3 or 4';
    throw dataError(where, `images for an input of shape ${formatShape(shape)}, expected ${expected}`, {
      expected,
      got: formatShape(shape),
    });
  }
  const { axes, colours: wanted, ...sides } = layout;
  const height = typeof sides.height === 'number' ? sides.height : resize?.height;
  const width = typeof sides.width === 'number' ? sides.width : resize?.width;
  if (resize !== undefined && (resize.height !== height || resize.width !== width)) {
    const [expected, got] = [`height: ${height}, width: ${width}`, `height: ${resize.height}, width: ${resize.width}`];
    const input = formatShape(shape);
    throw dataError(`${where}.resize`, `found ${got}, the network's input ${input} needs ${expected}`, { expected, got });
  }
  return {
    kind: 'image',
    axes,
    colours: wanted,
    ...(height !== undefined && { height }),
    ...(width !== undefined && { width }),
    ...(resize !== undefined && { fit: resize.fit ?? 'cover' }),
  };
}
