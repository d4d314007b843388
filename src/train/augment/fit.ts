// Whether a column's augmentations fit the network's raw input, which is what they vary: where height and width of an image stand in a sample, and
// which of a row's numbers noise may be added to.
import type { Planes } from '../../data/planes.js';
import type { Augmentation } from '../../model/description/augment-schema.js';
import type { Column } from '../../model/progressive/column.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { DescriptionError, must } from '../../onnx/core/errors.js';

/** Colours of an image: grey, RGB, RGBA. */
const colours = new Set([1, 3, 4]);

/** The input that is varied: the one that the column's first block reads; of a head alone the first. */
export function variedInput({ reads, inputs }: Column): NetworkInput {
  return must(reads[0]?.input ?? inputs[0], 'input');
}

/**
 * A sample as planes: [H,W], [C,H,W] or [H,W,C]. A `transpose` of the column tells the two last apart, else the axis that may be colours; undefined
 * where a sample is no image.
 */
export function planesOf(column: Column): Planes | undefined {
  const { shape } = variedInput(column);
  // What is open may have any size, and has one where the column is bound to data.
  const [a = 1, b = 1, c = 1] = shape.map((size) => (typeof size === 'number' ? size : Number.POSITIVE_INFINITY));
  const order = column.prepare.flatMap((step) => (step.kind === 'transpose' ? [step.axes.join()] : []))[0];
  if (shape.length === 2) return { planes: 1, height: a, width: b, planeStep: a * b, pixelStep: 1 };
  const first = order === undefined ? colours.has(a) || !colours.has(c) : order === '0,1,2';
  const last = order === undefined ? !first : order === '2,0,1';
  if (shape.length !== 3 || !(first || last)) return undefined;
  return first
    ? { planes: a, height: b, width: c, planeStep: b * c, pixelStep: 1 }
    : { planes: c, height: a, width: b, planeStep: 1, pixelStep: c };
}

/** Which numbers of a row are no categories. */
export function numbersOf({ shape, features }: NetworkInput): boolean[] {
  const [size = 1] = shape;
  return (
    features?.map(({ categories }) => categories === undefined) ??
    Array.from({ length: typeof size === 'number' ? size : 1 }, () => true)
  );
}

/**
 * Throws DescriptionError for an augmentation that the network's input does not take.
 * @param augment the settings' list
 */
export function checkAugment(column: Column, augment: readonly Augmentation[] = []): void {
  const input = variedInput(column);
  augment.forEach((augmentation, i) => {
    const found = misfit(augmentation, column, input);
    if (found === undefined) return;
    const path = `${column.path}.train.augment[${i}]`;
    const [got, expected] = found;
    throw new DescriptionError(`${path}: ${augmentation.kind} ${got}, expected ${expected}`, { path, got, expected });
  });
}

/** What of an augmentation does not fit, and what would. */
function misfit(augmentation: Augmentation, column: Column, input: NetworkInput): [got: string, expected: string] | undefined {
  const { features, shape } = input;
  if (input.tokens !== undefined) return ['varies numbers, the input is text', 'no "augment"'];
  if (input.dtype !== 'float32' && input.dtype !== 'uint8')
    return [`varies numbers, the input is ${input.dtype}`, 'no "augment"'];
  if (augmentation.kind === 'noise')
    return numbersOf(input).some((number) => number) || shape.length > 1
      ? undefined
      : ['adds to numbers, and every feature of the input is a category', 'a feature that is a number'];
  const planes = planesOf(column);
  const kind = features === undefined ? `a sample is [${shape}]` : 'the input is a table';
  if (planes === undefined) return [`is for images, ${kind}`, 'images [C,H,W], [H,W,C] or [H,W]'];
  if (augmentation.kind !== 'shift') return undefined;
  const { height, width } = planes;
  const most = Math.max(height, width) - 1;
  return augmentation.pixels <= most
    ? undefined
    : [`by ${augmentation.pixels} pixels`, `at most ${most} of an image ${height} x ${width}`];
}
