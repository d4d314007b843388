// Heads that answer each step of a sequence rather than a sample: their option, and scores [N,T,width] as rows [N T,width], which all that judges answers
// takes. Steps whose target is not there do not count.
import * as z from 'zod';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { TargetKind } from './head.js';

/** The class of a step that does not count: PyTorch's `ignore_index`. Numbers that are not there are NaN. */
export const uncountedClass = -100;

/** How `each` is written in a head. */
export const eachStep = z
  .literal('step', { error: '"step"' })
  .optional()
  .describe('"step": each step of a sequence [T,F] is answered by itself; when absent: each sample is.');

/** Rows of a graph's scores and targets, and which of them count: 1 or 0, float32 [N T]. */
interface StepRows {
  readonly scores: Value;
  readonly targets: Value;
  readonly counted: Value;
}

/** Scores [N,T,width] and targets of as many steps as rows. A target that is not there becomes 0. */
export function stepRows(g: Ops, kind: TargetKind, width: number, scores: Value, targets: Value): StepRows {
  const rows = g.reshape(scores, [-1, width]);
  if (kind.of === 'classes') {
    const flat = g.reshape(targets, [-1]);
    const number = (n: number) => g.constant(Tensor.from(flat.dtype === 'int32' ? 'int32' : 'int64', [n], []));
    const absent = g.equal(flat, number(uncountedClass));
    return { scores: rows, targets: g.where(absent, number(0), flat), counted: g.cast(g.not(absent), { to: 'float32' }) };
  }
  const flat = g.reshape(targets, [-1, width]);
  const absent = g.isNaN(flat);
  const there = g.cast(g.not(absent), { to: 'float32' });
  return { scores: rows, targets: g.where(absent, 0, flat), counted: g.reduceMean(there, [1], { keepdims: 0 }) };
}

/** Whether a target is there. */
export const isCounted = (kind: TargetKind, target: number | bigint): boolean =>
  kind.of === 'classes' ? Number(target) !== uncountedClass : !Number.isNaN(target);

/** Scores and targets row by row, [M, width] and [M] or [M, width]; `places` says which of the steps the rows are, where some do not count. */
export interface JudgedRows {
  readonly scores: Tensor;
  readonly targets: Tensor;
  readonly places?: Uint32Array;
}

/** The steps that count of scores [N,T,width] and of targets of as many. */
export function countedSteps(kind: TargetKind, width: number, scores: Tensor, targets: Tensor): JudgedRows {
  const each = kind.of === 'classes' ? 1 : width;
  const steps = scores.size / width;
  const places = new Uint32Array(steps);
  let count = 0;
  const found = targets.data as Float32Array | BigInt64Array | Int32Array;
  for (let i = 0; i < steps; i++) if (isCounted(kind, found[i * each] ?? Number.NaN)) places[count++] = i;
  const shape = kind.of === 'classes' ? [count] : [count, width];
  if (count === steps) return { scores: scores.reshape([steps, width]), targets: targets.reshape(shape) };
  const own = places.slice(0, count);
  return { scores: chosen(scores, own, [count, width]), targets: chosen(targets, own, shape), places: own };
}

/** The rows at these places, of the width that the shape says. */
function chosen({ dtype, bytes, size }: Tensor, places: Uint32Array, shape: readonly number[]): Tensor {
  const width = (bytes.length / size) * (shape[1] ?? 1);
  const out = new Uint8Array(places.length * width);
  places.forEach((place, i) => {
    out.set(bytes.subarray(place * width, (place + 1) * width), i * width);
  });
  return Tensor.fromBytes(dtype, [...shape], out);
}
