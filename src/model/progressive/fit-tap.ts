// Taps brought to what a joint needs, each kind to each: features, positions of one, two or three axes, channels first or last.
import { must, ShapeError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { int64, Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { sizesOf } from '../../onnx/ops/rules/shape-like.js';
import type { Join } from '../description/lateral-schema.js';
import type { Joint } from '../nn/joint.js';
import { areKnown, knownSizes, type Size } from '../nn/open-size.js';
import { flat, type Layout, layoutOf, positionsOf, sampleDims, sized, turned } from '../nn/sample.js';
import { openResampling } from './open-resampling.js';

/** A tap and where its channels stand. */
interface Tap {
  readonly tap: Value;
  readonly layout: Layout | undefined;
}
type Positions = Extract<Joint, { along: 'positions' }>;

/** Where the channels stand in what a lateral brings to a joint. */
export const channelAxis = (target: Joint): number =>
  target.along === 'positions' && target.layout === 'channels-last' ? -1 : 1;

/** How many channels, or features, a tap has that is brought to a joint. */
export const widthOf = (tap: Value, target: Joint): number =>
  positionsOf(sampleDims(tap), channelAxis(target) === 1 ? 'channels-first' : 'channels-last').channels;

/**
 * Brings a tap to what the joint needs: flat for features, the positions of the joint else. How its positions go there, `join` says. When absent:
 * into features a sequence is pooled and anything else flattened; into as many axes each is resampled, into others the mean goes to every position.
 * Throws ShapeError.
 */
export function fitTap(g: Ops, source: Tap, target: Joint, join?: Join): Value {
  const { size } = positionsOf(sampleDims(source.tap), source.layout);
  if (size.length === 0) return everywhere(g, flat(g, source.tap), target);
  const how = join ?? usual(size.length, layoutOf(source.layout), target);
  if (how === 'flatten') {
    const dims = sampleDims(source.tap);
    knownSizes(dims, `and a lateral would flatten the tap [${dims}]`, 'expected join: pool in "laterals"');
    return everywhere(g, flat(g, source.tap), target);
  }
  if (how === 'pool') return everywhere(g, pooled(g, source, size.length), target);
  if (target.along === 'features')
    throw new ShapeError('join: steps needs positions on both sides, the block takes features: expected "pool" or "flatten"', {
      got: 'steps',
      expected: 'pool or flatten',
    });
  return inPositions(g, source, size, target);
}

function usual(axes: number, layout: Layout, target: Joint): Join {
  if (target.along === 'features') return axes === 1 && layout === 'channels-last' ? 'pool' : 'flatten';
  return axes === target.size.length ? 'steps' : 'pool';
}

/** The mean over all positions, [N, channels]. */
function pooled(g: Ops, { tap, layout }: Tap, axes: number): Value {
  const begin = layoutOf(layout) === 'channels-last' ? 1 : 2;
  const along = Array.from({ length: axes }, (_, i) => begin + i);
  return reduceMean(g, tap, along, 0);
}

/** Features seen at every position. */
function everywhere(g: Ops, features: Value, target: Joint): Value {
  if (target.along === 'features') return features;
  const last = target.layout === 'channels-last';
  const { channels } = positionsOf(sampleDims(features), undefined);
  const ones = target.size.map(() => 1);
  const column = g.reshape(features, last ? [0, ...ones, channels] : [0, channels, ...ones]);
  const { size } = target;
  if (areKnown(size)) return g.expand(column, last ? [1, ...size, 1] : [1, 1, ...size]);
  const places = placesOf(g, target);
  const spread = g.expand(column, last ? g.concat([1], places, [1], { axis: 0 }) : g.concat([1, 1], places, { axis: 0 }));
  return sized(spread, last ? [...size, channels] : [channels, ...size]);
}

/** Positions to positions: along each axis where there are as many, else all of them in a row, the last axis fastest. */
function inPositions(g: Ops, { tap, layout }: Tap, size: readonly Size[], target: Positions): Value {
  const last = target.layout === 'channels-last';
  const axes = size.length;
  const there = layoutOf(layout) === target.layout ? tap : turned(g, tap, target.layout);
  if (axes === target.size.length)
    return target.size.reduce<Value>((v, to, i) => resampled(g, v, i + (last ? 1 : 2), to, target), there);
  const { channels } = positionsOf(sampleDims(there), target.layout);
  const inRow = (v: Value, to: readonly number[]) => g.reshape(v, last ? [0, ...to, channels] : [0, channels, ...to]);
  const known = (sizes: readonly Size[]) =>
    knownSizes(sizes, 'and positions of another number of axes are put in a row', 'expected join: pool');
  const [from, to] = [known(size), known(target.size)];
  const row = axes === 1 ? there : inRow(there, [elementCount(from)]);
  const fitted = resampled(g, row, last ? 1 : 2, elementCount(to), target);
  return to.length === 1 ? fitted : inRow(fitted, to);
}

/** v resampled to a number of positions along an axis. */
function resampled(g: Ops, v: Value, axis: number, to: Size, target: Positions): Value {
  const dims: readonly Size[] = sampleDims(v);
  const from = dims[axis - 1] ?? 1;
  if (from === to) return v;
  if (typeof from === 'string' || typeof to === 'string' || !areKnown(dims)) {
    const places =
      typeof to === 'number'
        ? g.unsqueeze(g.constant(int64(to)), [0])
        : g.slice(placesOf(g, target), [at(axis, target)], [at(axis, target) + 1], [0]);
    const matrix = openResampling(g, sizesOf(g, v, axis, axis + 1), places);
    matrix.type = tensorType('float32', [to, from]);
    const axes = 'abcdef'.slice(0, dims.length);
    const moved = axes.replace(axes[axis - 1] ?? '', 'z');
    return g.einsum(matrix, v, { equation: `z${axes[axis - 1]},n${axes}->n${moved}` });
  }
  if (axis === dims.length) return g.matMul(v, g.constant(transposed(resampling(from, to))));
  const matrix = g.constant(resampling(from, to));
  if (axis === dims.length - 1) return g.matMul(matrix, v);
  // What comes behind the axis is one axis for the product.
  const [before, after] = [dims.slice(0, axis - 1), dims.slice(axis)];
  const rows = g.reshape(v, [0, ...before, from, after.reduce((a, b) => a * b, 1)]);
  return g.reshape(g.matMul(matrix, rows), [0, ...before, to, ...after]);
}

/** Which of the target's positions stand along an axis of what is brought to it. */
const at = (axis: number, { layout }: Positions): number => axis - (layout === 'channels-last' ? 1 : 2);

/** The target's positions along each axis, int64, where some are known at the run alone. */
function placesOf(g: Ops, { layout, size, like }: Positions): Value {
  const first = layout === 'channels-last' ? 1 : 2;
  return sizesOf(g, must(like, 'what has the positions'), first, first + size.length);
}

/**
 * A [to, from] matrix that resamples an axis: averages over each output's share when shrinking (adaptive average pooling), interpolates
 * linearly between centres when growing. As matrices, both are plain MatMuls on every provider.
 */
export function resampling(from: number, to: number): Tensor {
  const data = new Float32Array(to * from);
  for (let o = 0; o < to; o++) {
    if (to <= from) {
      const begin = Math.floor((o * from) / to);
      const end = Math.ceil(((o + 1) * from) / to);
      for (let i = begin; i < end; i++) data[o * from + i] = 1 / (end - begin);
    } else {
      const centre = Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
      const left = Math.floor(centre);
      const right = Math.min(left + 1, from - 1);
      data[o * from + left] = (data[o * from + left] ?? 0) + 1 - (centre - left);
      data[o * from + right] = (data[o * from + right] ?? 0) + (centre - left);
    }
  }
  return new Tensor('float32', [to, from], data);
}

function transposed(m: Tensor): Tensor {
  const [rows = 0, columns = 0] = m.dims;
  const data = Float32Array.from({ length: rows * columns }, (_, k) =>
    Number(m.data[(k % rows) * columns + Math.floor(k / rows)]),
  );
  return new Tensor('float32', [columns, rows], data);
}
