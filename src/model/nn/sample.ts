// The shape and the layout of one sample of a value [N, ...]: what layers ask of their input. The batch is never looked at. A sample is flat, [features],
// or has positions. Which axis holds the channels then does not follow of the shape: it is what the layer says that made it, and goes with the value.
import { ShapeError } from '../../onnx/core/errors.js';
import { formatShape } from '../../onnx/core/shape.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** The shape of one sample, for errors. */
export function formatSample(v: Value): string {
  return formatShape(v.shape?.slice(1));
}

/** Dims of one sample; they are static in everything that a description makes. Throws ShapeError. */
export function sampleDims(x: Value): number[] {
  const { shape } = x;
  const dims = shape?.slice(1) ?? [];
  if (shape === undefined || !dims.every((d): d is number => typeof d === 'number')) {
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
  readonly size: readonly number[];
}

/** The layout of a sample: where no layer has said it, as of the network's input and after "reshape", channels first. */
export function layoutOf(said: Layout | undefined): Layout {
  return said ?? 'channels-first';
}

/** How many channels stand at each position of a sample of these dims, and how many positions each axis has; a flat one is all channels, without axes. */
export function positionsOf(dims: readonly number[], said: Layout | undefined): Positions {
  const last = layoutOf(said) === 'channels-last';
  const channels = (last ? dims.at(-1) : dims[0]) ?? 1;
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
export function sequenceOf(x: Value, said: Layout | undefined): [number, number] {
  const dims = sampleDims(x);
  const [steps, features] = dims;
  if (dims.length === 2 && steps !== undefined && features !== undefined && said !== 'channels-first') return [steps, features];
  const hint = dims.length === 2 ? ', this is a signal [channels, length]: put "to_sequence" before it' : '';
  throw new ShapeError(`a sequence [steps, features] is needed${hint}`, { expected: '[T,F]', got: `[${dims}]` });
}

/** How many features a flat sample has. Throws ShapeError for anything else. */
export function featuresOf(x: Value): number {
  const dims = sampleDims(x);
  const [features] = dims;
  if (features === undefined || dims.length > 1) {
    throw new ShapeError('a flat input is needed, put "flatten" before it', { expected: '[features]', got: `[${dims}]` });
  }
  return features;
}

/** [N, ...] to [N, features]; a flat value stays itself. */
export function flat(g: Ops, x: Value): Value {
  return sampleDims(x).length === 1 ? x : g.flatten(x, { axis: 1 });
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
