// The shape and the layout of one sample of a value [N, ...]: what layers ask of their input. The batch is never looked at. A sample is flat, [features],
// or has positions. Which axis holds the channels then does not follow of the shape: it is what the layer says that made it, and goes with the value.
import { must, ShapeError } from '../../onnx/core/errors.js';
import { formatShape } from '../../onnx/core/shape.js';
import type { Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { areKnown, knownSize, knownSizes, type Size } from './open-size.js';

/** The shape of one sample, for errors. */
export function formatSample(v: Value): string {
  return formatShape(v.shape?.slice(1));
}

/** Dims of one sample; numbers and open sizes are all that a description makes. Throws ShapeError. */
export function sampleDims(x: Value): Size[] {
  const { shape } = x;
  const dims = shape?.slice(1) ?? [];
  if (shape === undefined || !dims.every((d): d is Size => d !== null)) {
    throw new ShapeError(`the shape of a sample must be known, it is ${formatSample(x)}`);
  }
  return dims;
}

/**
 * Where the channels stand in a sample that has positions. First: [channels, ...positions], as convolutions read it, be it a signal, an image or a
 * volume. Last: [...positions, features], as a sequence has it.
 */
export type Layout = 'channels-first' | 'channels-last';

/** What a sample is made of. */
export interface Positions {
  readonly channels: number;
  /** Positions along each axis. */
  readonly size: readonly Size[];
}

/** The layout of a sample: where no layer has said it, as of the network's input and after "reshape", channels first. */
export function layoutOf(said: Layout | undefined): Layout {
  return said ?? 'channels-first';
}

/**
 * How many channels stand at each position of a sample of these dims, and how many positions each axis has; a flat one is all channels, without axes.
 * Throws ShapeError for channels that are open.
 */
export function positionsOf(dims: readonly Size[], said: Layout | undefined): Positions {
  const last = layoutOf(said) === 'channels-last';
  const what = dims.length < 2 ? 'features' : 'channels';
  const channels = knownSize(
    (last ? dims.at(-1) : dims[0]) ?? 1,
    `and ${what} are told apart by weights`,
    `expected a known number of ${what}`,
  );
  return { channels, size: last ? dims.slice(0, -1) : dims.slice(1) };
}

const spatial = [
  [],
  ['a signal', 'channels', 'length'],
  ['an image', 'channels', 'height', 'width'],
  ['a volume', 'channels', 'depth', 'height', 'width'],
] as const;

const sequenceHint = ', this is a sequence [positions, features]: put "to_channels" before it';

/** Channels and positions of a sample that has any positions, channels first. Throws ShapeError for anything else. */
export function anyPositionsOf(x: Value, said: Layout | undefined): Positions {
  const dims = sampleDims(x);
  if (dims.length > 1 && said !== 'channels-last') return positionsOf(dims, 'channels-first');
  const hint = dims.length > 1 ? sequenceHint : '';
  throw new ShapeError(`positions [channels, ...] are needed, such as those of an image${hint}`, {
    expected: '[C,...]',
    got: `[${dims}]`,
  });
}

/** Channels and positions of a sample with so many spatial axes, channels first. Throws ShapeError for anything else. */
export function spatialOf(x: Value, axes: 1 | 2 | 3, said: Layout | undefined): Positions {
  const dims = sampleDims(x);
  const [what, ...names] = spatial[axes];
  if (dims.length === axes + 1 && said !== 'channels-last') return positionsOf(dims, 'channels-first');
  const hint = dims.length === axes + 1 ? sequenceHint : '';
  throw new ShapeError(`${what} [${names.join(', ')}] is needed${hint}`, {
    expected: `[${names.map((name) => name[0]?.toUpperCase()).join()}]`,
    got: `[${dims}]`,
  });
}

/** [steps, features] of a sequence: two axes, unless a layer has said that the first are channels. Throws ShapeError for anything else. */
export function sequenceOf(x: Value, said: Layout | undefined): [steps: Size, features: number] {
  const dims = sampleDims(x);
  const [steps] = dims;
  if (dims.length === 2 && steps !== undefined && said !== 'channels-first')
    return [steps, positionsOf(dims, 'channels-last').channels];
  const hint = dims.length === 2 ? ', this is a signal [channels, length]: put "to_sequence" before it' : '';
  throw new ShapeError(`a sequence [steps, features] is needed${hint}`, { expected: '[T,F]', got: `[${dims}]` });
}

/** How many features a flat sample has. Throws ShapeError for anything else. */
export function featuresOf(x: Value): number {
  const dims = sampleDims(x);
  const [features] = dims;
  if (features === undefined || dims.length > 1) {
    const open = dims.find((d) => typeof d === 'string');
    const way = open === undefined ? 'put "flatten" before it' : `${poolFirst}, since "${open}" is open`;
    throw new ShapeError(`a flat input is needed, ${way}`, { expected: '[features]', got: `[${dims}]` });
  }
  return knownSize(features, 'and there is a weight for each feature', 'expected a known number of features');
}

/** What makes features of any number of positions. */
const poolFirst =
  'pool its positions before it, by "global_avgpool" or "global_maxpool", or of a sequence by "mean_over_steps" or "last_step"';

/** [N, ...] to [N, features]; a flat value stays itself. Throws ShapeError where a size is open. */
export function flat(g: Ops, x: Value): Value {
  const dims = sampleDims(x);
  if (dims.length === 1) return x;
  knownSizes(dims, 'so how many values stand in a row is not known', poolFirst);
  return g.flatten(x, { axis: 1 });
}

/** A value whose sizes, open ones among them, are known to be these: inference does not follow windows over open sizes. */
export function sized(v: Value, sizes: readonly Size[]): Value {
  const [batch = null] = v.shape ?? [];
  if (!areKnown(sizes) || v.shape?.includes(null)) v.type = tensorType(v.dtype, [batch, ...sizes]);
  return v;
}

/** x [N, ...dims] in other dims, of which those that are no numbers are `open`: at most one, else x has the shape of `like`. */
export function reshaped(g: Ops, x: Value, dims: readonly Size[], like?: Value): Value {
  const open = dims.filter((d) => typeof d === 'string').length;
  if (open > 1) return sized(g.reshape(x, g.shape(must(like, 'a value of that shape'))), dims);
  return sized(g.reshape(x, [0, ...dims.map((d) => (typeof d === 'number' ? d : -1))]), dims);
}

/**
 * Channels taken over all positions, to the end or to the front. An Einsum and no Transpose: ONNX Runtime moves pairs of Transposes together, past what
 * stands between, where nothing else reads it; the same tap would then be summed in another order in a graph with more columns, and have other bits.
 */
export function turned(g: Ops, x: Value, to: Layout): Value {
  const positions = 'defg'.slice(0, sampleDims(x).length - 1);
  const [first, last] = [`nc${positions}`, `n${positions}c`];
  return g.einsum(x, { equation: to === 'channels-last' ? `${first}->${last}` : `${last}->${first}` });
}
