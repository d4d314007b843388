// Rearrangements between channels and space: DepthToSpace, SpaceToDepth, Col2Im. Specification: onnx/docs/Operators.md.
import { within } from '../../core/bounds.js';
import { type Dim, formatShape, isStatic, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import { Value } from '../../ir/graph.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { reshapeLike, sizesOf, typed } from '../rules/shape-like.js';
import { knownElements, mulDims } from '../rules/shape-value.js';

type BlocksOp = 'DepthToSpace' | 'SpaceToDepth' | 'Col2Im';

/** Reads the four dims of an image tensor for the block ops. */
function blocks(c: NodeContext): { shape: Shape; b: number } {
  const shape = c.shape(0) ?? [null, null, null, null];
  const b = c.int('blocksize');
  if (shape.length !== 4) return c.fail(`the input must have rank 4, it is ${formatShape(shape)}`);
  return b > 0 ? { shape, b } : c.fail(`blocksize must be positive, got ${b}`);
}

function divideDim(c: NodeContext, d: Dim | undefined, by: number, what: string): Dim {
  if (typeof d !== 'number') return null;
  return d % by === 0
    ? d / by
    : c.fail(`${what} ${d} is not divisible by ${by}`, { expected: `a multiple of ${by}`, got: String(d) });
}

// DCR is undone by SpaceToDepth; CRD by its own reshape, transpose and reshape backwards
function depthToSpaceGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const { b } = blocks(c);
  const x = c.x(0);
  if (c.string('mode') === 'DCR') return [typed(g.spaceToDepth(c.dy(), { blocksize: b }), x)];
  const [channels, height, width] = [sizesOf(g, c.dy(), 1, 2), sizesOf(g, x, 2, 3), sizesOf(g, x, 3, 4)];
  const split = g.reshape(c.dy(), g.concat([-1], channels, height, [b], width, [b], { axis: 0 }));
  return [reshapeLike(g, g.transpose(split, { perm: [0, 1, 3, 5, 2, 4] }), x)];
}

/** The sizes of image and block of a Col2Im, where they are known. */
function columns(c: NodeContext): { image: readonly Dim[] | undefined; block: readonly number[] | undefined } {
  const block = knownElements(c.value(2));
  return { image: knownElements(c.value(1)), block: isStatic(block) ? block : undefined };
}

function col2ImShape(c: NodeContext): Shape | undefined {
  const { image, block } = columns(c);
  const [n = null, rows] = c.shape(0) ?? [];
  const [sizes, blocks] = [c.shape(1)?.[0], c.shape(2)?.[0]];
  if (typeof sizes === 'number' && typeof blocks === 'number' && sizes !== blocks) {
    c.fail(`image_shape names ${sizes} axes, block_shape ${blocks}`, { expected: String(sizes), got: String(blocks) });
  }
  const axes = sizes ?? blocks;
  for (const [name, each] of [
    ['strides', 1],
    ['dilations', 1],
    ['pads', 2],
  ] as const) {
    const list = c.ints(name);
    if (list === undefined || typeof axes !== 'number' || list.length === each * axes) continue;
    c.fail(`${name} must fit ${axes} axes, got ${list.length}`, { expected: String(each * axes), got: String(list.length) });
  }
  if (image === undefined) return undefined;
  const area = block?.reduce((a, b) => a * b, 1);
  return [n, area === undefined ? null : divideDim(c, rows, area, 'number of rows'), ...image];
}

/** Where the windows along one axis read: [block, places], padded pixels counted from 0. */
function placesOf(g: Ops, block: Dim | Value, size: Dim | Value, stride: number, dilation: number): Value {
  if (typeof block === 'number' && typeof size === 'number') {
    const places = Math.floor((size - (block - 1) * dilation - 1) / stride) + 1;
    if (!within('constant', block * places)) return placesOf(g, g.scalar(block, 'int64'), size, stride, dilation);
    const index = Array.from({ length: block * places }, (_, i) => Math.floor(i / places) * dilation + (i % places) * stride);
    return g.constant(Tensor.from('int64', index, [block, places]));
  }
  const k = (v: number) => g.scalar(v, 'int64');
  const value = (v: Dim | Value) => (v instanceof Value ? v : k(Number(v)));
  const inBlock = g.range(k(0), g.mul(value(block), k(dilation)), k(dilation));
  const last = g.sub(value(size), g.mul(g.sub(value(block), k(1)), k(dilation)));
  return g.add(g.unsqueeze(inBlock, [1]), g.unsqueeze(g.range(k(0), last, k(stride)), [0]));
}

// y adds columns up where their blocks overlap: dx is the blocks of dy as columns, read axis by axis
function col2ImGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const dy = c.dy();
  const n = c.shape(2)?.[0] ?? c.shape(1)?.[0];
  if (typeof n !== 'number') return c.fail('the gradient needs a known number of spatial axes');
  const axes = Array.from({ length: n }, (_, i) => i);
  const pads = c.ints('pads') ?? [...axes, ...axes].map(() => 0);
  const part = (v: Value, i: number) => g.gather(v, i, { axis: 0 });
  const { image, block } = columns(c);
  let d = pads.every((p) => p === 0) ? dy : g.pad(dy, [0, 0, ...pads.slice(0, n), 0, 0, ...pads.slice(n)]);
  for (const i of axes) {
    const around = (pads[i] ?? 0) + (pads[i + n] ?? 0);
    const known = image?.[i];
    const size = typeof known === 'number' ? known + around : g.add(part(c.x(1), i), around);
    const each = block?.[i] ?? part(c.x(2), i);
    const places = placesOf(g, each, size, c.ints('strides')?.[i] ?? 1, c.ints('dilations')?.[i] ?? 1);
    // the axes before have become two each
    d = g.gather(d, places, { axis: 2 + 2 * i });
  }
  const turned = g.transpose(d, { perm: [0, 1, ...axes.map((i) => 2 + 2 * i), ...axes.map((i) => 3 + 2 * i)] });
  return [reshapeLike(g, turned, c.x(0)), null, null];
}

export const blockOps: Readonly<Record<BlocksOp, OpRules>> = {
  DepthToSpace: {
    traits: ['anyPrecision'],
    infer: (c) => {
      const { shape, b } = blocks(c);
      const [n = null, channels, h = null, w = null] = shape;
      return [c.like(0, [n, divideDim(c, channels, b * b, 'number of channels'), mulDims(h, b), mulDims(w, b)])];
    },
    gradient: depthToSpaceGradient,
  },
  SpaceToDepth: {
    traits: ['anyPrecision'],
    infer: (c) => {
      const { shape, b } = blocks(c);
      const [n = null, channels = null, h, w] = shape;
      return [c.like(0, [n, mulDims(channels, b * b), divideDim(c, h, b, 'height'), divideDim(c, w, b, 'width')])];
    },
    gradient: (c) => [typed(c.g.depthToSpace(c.dy(), { blocksize: c.int('blocksize') }), c.x(0))],
  },
  Col2Im: {
    infer: (c) => [c.like(0, col2ImShape(c))],
    gradient: col2ImGradient,
  },
};
