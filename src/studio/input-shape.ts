// What the network's inputs are for a page: images to draw and show, rows of a table, or plain numbers. A sample is kept as floats, of several inputs one
// after another, in the order in which the network takes them: images 0..1, all else as it is. An input that a sample has not is `absent` there. Sizes that
// the network leaves open are those of the samples at hand.
import { type Decoding, decodingFor } from '../data/images/decoding.js';
import { must } from '../onnx/core/errors.js';
import { type InputInfo, type NetworkInfo, Tensor } from '../web.js';

/** An image as a sample holds it. */
export interface ImageShape {
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
  readonly axes: Decoding['axes'];
}

export interface InputShape {
  readonly name: string;
  /** Where its numbers begin in a sample. */
  readonly from: number;
  /** What the numbers are, of a table. */
  readonly features?: InputInfo['features'];
  /** Of one sample as the network takes it; null where it takes any size. */
  readonly sizes: InputInfo['shape'];
  /** Of one sample at hand. */
  readonly shape: readonly number[];
  /** Of its numbers. */
  readonly dtype: PageDtype;
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

/** What samples consist of. */
export interface SampleShape {
  /** Numbers of one sample, of all inputs together. */
  readonly size: number;
  readonly inputs: readonly InputShape[];
  /** The first of the inputs, the only one of most networks. */
  readonly first: InputShape;
}

const dtypes = ['float32', 'float16', 'int64', 'int32', 'uint8', 'bool'] as const;
type PageDtype = (typeof dtypes)[number];

/** More than rounding beyond 1: the values of images are those of bytes. */
const beyondUnit = 2;

/** What samples are; an open side of an image is as a drawing has it, until samples say another (`ofSizes`). */
export function sampleShapeOf({ input, inputs }: NetworkInfo): SampleShape {
  const all = inputs.map((info) => inputShapeOf(info));
  return laidOut(all.length === 0 ? [inputShapeOf(input)] : all);
}

/** The same inputs, some of which are of other sizes. */
export const ofSizes = ({ inputs }: SampleShape, shapes: ReadonlyMap<string, readonly number[]>): SampleShape =>
  laidOut(inputs.map((input) => ofSize(input, shapes.get(input.name) ?? input.shape)));

/** What the sizes of each input are, by its name. */
export const sizesOf = ({ inputs }: SampleShape): ReadonlyMap<string, readonly number[]> =>
  new Map(inputs.map(({ name, shape }) => [name, shape]));

/** An input of another size. */
export function ofSize(input: InputShape, shape: readonly number[]): InputShape {
  const { image } = input;
  const [height = 1, width = 1] = image?.axes === 'CHW' ? shape.slice(1) : shape;
  return {
    ...input,
    shape,
    size: shape.reduce((n, d) => n * d, 1),
    ...(image !== undefined && { image: { ...image, height, width } }),
  };
}

/** One behind another. */
function laidOut(inputs: readonly InputShape[]): SampleShape {
  let size = 0;
  const placed = inputs.map((input) => {
    const from = size;
    size += input.size;
    return { ...input, from };
  });
  return { size, inputs: placed, first: must(placed[0], 'input') };
}

/** Whether an input takes samples of any size. */
export const isOpen = ({ sizes }: InputShape): boolean => sizes.includes(null);

/** A shape in words, `any` for a size that is open. */
export const sizesText = (sizes: readonly (number | string | null)[]): string => `[${sizes.map((size) => size ?? 'any').join()}]`;

/** Whether a sample of this shape is one of the input. */
export const fits = (shape: readonly number[], { sizes }: InputShape): boolean =>
  shape.length === sizes.length && sizes.every((size, i) => size === null || size === shape[i]);

/** Of a drawing, the sides that the network leaves open. */
const drawnSide = 64;

/** The input at the size of a drawing. */
export const ofDrawing = (input: InputShape): InputShape =>
  ofSize(
    input,
    input.sizes.map((d) => d ?? drawnSide),
  );

function inputShapeOf(input: InputInfo): InputShape {
  const { decoding, range: [, most] = [0, 1] } = input;
  const dtype = dtypes.find((known) => known === input.dtype) ?? 'float32';
  const pixels = input.features === undefined && (dtype === 'uint8' || dtype === 'float32');
  const drawn = input.shape.map((d) => d ?? drawnSide);
  const open = input.shape.includes(null);
  // [length, features] is no picture, unless images were decoded to it.
  const flat = open && drawn.length === 2 && !input.shape.every((d) => d === null) && decoding === undefined;
  const image = pixels && !flat ? imageOf(drawn) : undefined;
  const shape = image === undefined ? input.shape.map((d) => d ?? 1) : drawn;
  return {
    name: input.name,
    from: 0,
    ...(input.features !== undefined && { features: input.features }),
    sizes: input.shape,
    shape,
    dtype,
    size: shape.reduce((n, d) => n * d, 1),
    ...(image !== undefined && { image, ...(decoding !== undefined && { decoding }) }),
    ink: image?.channels === 1 && decoding === undefined && !open,
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

/** In place of an input that a sample has not: no value is infinite. */
const absent = Number.POSITIVE_INFINITY;

/** The numbers of an input in a sample; undefined where it has none. */
export function partOf(row: Float32Array | undefined, { from, size }: InputShape): Float32Array | undefined {
  if (row === undefined || row[from] === absent) return undefined;
  return from === 0 && row.length === size ? row : row.slice(from, from + size);
}

/** Whether two parts hold the same. */
export const samePart = (a: Float32Array | undefined, b: Float32Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((v, i) => Object.is(v, b[i])));

/** A sample with another part, undefined for none; undefined where nothing is left of it. */
export function withPart(
  row: Float32Array | undefined,
  sample: SampleShape,
  { from, size }: InputShape,
  part: Float32Array | undefined,
): Float32Array | undefined {
  if (sample.inputs.length === 1) return part;
  const next = row?.slice() ?? new Float32Array(sample.size).fill(absent);
  if (part === undefined) next.fill(absent, from, from + size);
  else next.set(part, from);
  return next.every((v) => v === absent) ? undefined : next;
}

/** The inputs of these names that a sample has not. */
export const lackingOf = (row: Float32Array, { inputs }: SampleShape, names: readonly string[]): string[] =>
  inputs.filter((input) => names.includes(input.name) && partOf(row, input) === undefined).map(({ name }) => name);

/** Samples, one after another as this page keeps them, as the network takes them: the inputs of these names, all of them when absent. */
export function samplesTensors(
  rows: Float32Array,
  { size, inputs }: SampleShape,
  names: readonly string[] = inputs.map(({ name }) => name),
): Record<string, Tensor> {
  const count = rows.length / size;
  return Object.fromEntries(
    inputs
      .filter(({ name }) => names.includes(name))
      .map((input) => {
        const own = inputs.length === 1 ? rows : new Float32Array(count * input.size);
        if (own !== rows)
          for (let i = 0; i < count; i++)
            own.set(rows.subarray(i * size + input.from, i * size + input.from + input.size), i * input.size);
        return [input.name, samplesTensor(own, input)];
      }),
  );
}

function samplesTensor(rows: Float32Array, { size, shape, dtype, white }: InputShape): Tensor {
  const dims = [rows.length / size, ...shape];
  if (dtype === 'uint8') return new Tensor('uint8', dims, new Uint8Array(Uint8ClampedArray.from(rows, (v) => v * white)));
  if (dtype !== 'float32') return Tensor.from(dtype, [...rows], dims);
  return new Tensor('float32', dims, white === 1 ? rows : rows.map((v) => v * white));
}

/** Samples of a tensor [N, ...] as this page keeps them; its numbers must be those of N samples. */
export function keptRows(tensor: Tensor, { size, white, dtype: own }: InputShape): Float32Array[] {
  // Bytes for a network of float32 are grey levels, whatever it is.
  const scale = tensor.dtype === 'uint8' && own === 'float32' ? 255 : white;
  const data = tensor.dtype === 'float16' ? tensor.numbers() : tensor.data;
  return Array.from({ length: data.length / size }, (_, row) =>
    Float32Array.from({ length: size }, (_, i) => Number(data[row * size + i]) / scale),
  );
}

/** A sample of one shape as one of another, in which its parts stand elsewhere; an input that changes its size is left out. */
export function movedRow(row: Float32Array | undefined, from: SampleShape, to: SampleShape): Float32Array | undefined {
  if (row === undefined || from === to) return row;
  return to.inputs.reduce<Float32Array | undefined>((whole, input, i) => {
    const before = must(from.inputs[i], input.name);
    const part = before.size === input.size ? partOf(row, before) : undefined;
    return part === undefined ? whole : withPart(whole, to, input, part);
  }, undefined);
}

/** Samples of parts, each with as many rows; an input without any is absent. */
export function joinedRows(sample: SampleShape, parts: ReadonlyMap<string, readonly Float32Array[]>): Float32Array[] {
  const count = Math.max(0, ...[...parts.values()].map((rows) => rows.length));
  if (sample.inputs.length === 1) return [...(parts.get(sample.first.name) ?? [])];
  return Array.from({ length: count }, (_, row) => {
    const whole = new Float32Array(sample.size).fill(absent);
    for (const { name, from } of sample.inputs) whole.set(parts.get(name)?.[row] ?? [], from);
    return whole;
  });
}
