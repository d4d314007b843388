// The shape of one sample of a value [N, ...]: what layers ask of their input. The batch is never looked at.
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

/** [channels, height, width] of an image. Throws ShapeError for anything else. */
export function imageOf(x: Value): [number, number, number] {
  const dims = sampleDims(x);
  const [c, h, w] = dims;
  if (dims.length !== 3 || c === undefined || h === undefined || w === undefined) {
    throw new ShapeError('an image [channels, height, width] is needed', { expected: '[C,H,W]', got: `[${dims}]` });
  }
  return [c, h, w];
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
