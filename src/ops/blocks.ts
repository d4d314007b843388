// Rearrangements between channels and space: DepthToSpace, SpaceToDepth, Col2Im. Specification: onnx/docs/Operators.md.
import { type Dim, formatShape, isStatic, type Shape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Value } from '../ir/graph.js';
import type { GradientContext, NodeContext, OpDef } from './op-def.js';
import { reshapeLike, typed } from './shape-like.js';
import { knownElements, mulDims } from './shape-value.js';

export type BlocksOp = 'DepthToSpace' | 'SpaceToDepth' | 'Col2Im';

/** Reads the four dims of an image tensor for the block ops. */
function blocks(c: NodeContext): { shape: Shape; b: number } {
  const shape = c.shape(0) ?? [null, null, null, null];
  const b = c.int('blocksize', 0);
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
  const { shape, b } = blocks(c);
  if (c.string('mode', 'DCR') === 'DCR') return [typed(g.spaceToDepth(c.dy(), { blocksize: b }), c.x(0))];
  const [, channels, h, w] = shape;
  if (typeof channels !== 'number' || typeof h !== 'number' || typeof w !== 'number') {
    return c.fail('the gradient in mode CRD needs static channels, height and width');
  }
  const split = g.reshape(c.dy(), g.ints([-1, channels / (b * b), h, b, w, b]));
  return [reshapeLike(g, g.transpose(split, { perm: [0, 1, 3, 5, 2, 4] }), c.x(0))];
}

/** The sizes of image and block of a Col2Im, where they are known. */
function columns(c: NodeContext): { image: readonly Dim[] | undefined; block: readonly number[] | undefined } {
  const block = knownElements(c.value(2));
  return { image: knownElements(c.value(1)), block: isStatic(block) ? block : undefined };
}

function col2ImShape(c: NodeContext): Shape | undefined {
  const { image, block } = columns(c);
  const [n = null, rows] = c.shape(0) ?? [];
  if (image === undefined) return undefined;
  const area = block?.reduce((a, b) => a * b, 1);
  return [n, area === undefined ? null : divideDim(c, rows, area, 'number of rows'), ...image];
}

// y adds columns up where their blocks overlap: dx is the blocks of dy as columns, cut out by a convolution with an identity kernel
function col2ImGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const block = columns(c).block ?? c.fail('the gradient needs a known block_shape');
  const dy = c.dy();
  const sizes = dy.shape?.slice(2);
  if (!isStatic(sizes)) return c.fail('the gradient needs a known image_shape');
  const area = block.reduce((a, b) => a * b, 1);
  const identity = Array.from({ length: area * area }, (_, i) => (i % (area + 1) === 0 ? 1 : 0));
  const kernel = g.constant(Tensor.from(dy.dtype, identity, [area, 1, ...block]), 'identity_kernel');
  const image = g.reshape(dy, g.ints([-1, 1, ...sizes]));
  const cut = g.conv(image, kernel, { strides: c.ints('strides'), dilations: c.ints('dilations'), pads: c.ints('pads') });
  return [reshapeLike(g, cut, c.x(0)), null, null];
}

export const blockOps: Readonly<Record<BlocksOp, OpDef>> = {
  DepthToSpace: {
    versions: [1, 11, 13],
    inputs: 'input',
    outputs: 'output',
    attributes: { blocksize: 'int', mode: 'string' },
    infer: (c) => {
      const { shape, b } = blocks(c);
      const [n = null, channels, h = null, w = null] = shape;
      return [c.like(0, [n, divideDim(c, channels, b * b, 'number of channels'), mulDims(h, b), mulDims(w, b)])];
    },
    gradient: depthToSpaceGradient,
  },
  SpaceToDepth: {
    versions: [1, 13],
    inputs: 'input',
    outputs: 'output',
    attributes: { blocksize: 'int' },
    infer: (c) => {
      const { shape, b } = blocks(c);
      const [n = null, channels = null, h, w] = shape;
      return [c.like(0, [n, mulDims(channels, b * b), divideDim(c, h, b, 'height'), divideDim(c, w, b, 'width')])];
    },
    gradient: (c) => [typed(c.g.depthToSpace(c.dy(), { blocksize: c.int('blocksize', 1) }), c.x(0))],
  },
  Col2Im: {
    versions: [18],
    inputs: 'input image_shape block_shape',
    outputs: 'output',
    attributes: { dilations: 'ints', pads: 'ints', strides: 'ints' },
    infer: (c) => [c.like(0, col2ImShape(c))],
    gradient: col2ImGradient,
  },
};
