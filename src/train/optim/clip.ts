// Gradient clipping.
import type { Clip } from '../../model/description/train-schema.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** By value: each element cut to [-limit, limit]. By norm: all together scaled by min(1, limit / (norm + 1e-6)), as PyTorch does. */
export function clipGradients(g: Ops, grads: readonly Value[], clip: Clip): Value[] {
  if (clip.kind === 'value') return grads.map((d) => g.clip(d, -clip.limit, clip.limit));
  const squares = grads.map((d) => g.reduceSumSquare(d, { keepdims: 0 }));
  const [first, ...rest] = squares;
  if (first === undefined) return [];
  const norm = g.sqrt(rest.reduce((a, b) => g.add(a, b), first));
  const factor = g.min(g.div(g.scalar(clip.limit, norm), g.add(norm, 1e-6)), 1);
  return grads.map((d) => g.mul(d, factor));
}
