// The matrix that resamples an axis (`resampling` in fit-tap.ts) made in the graph, of sizes that are known at the run alone.
import { int64 } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** float32 [to, from], of sizes int64 [1]. All places are whole numbers here, so that only a weight itself is rounded. */
export function openResampling(g: Ops, from: Value, to: Value): Value {
  const counted = (size: Value) => g.range(g.constant(int64(0)), g.squeeze(size, [0]), 1);
  const [out, place] = [g.unsqueeze(counted(to), [1]), g.unsqueeze(counted(from), [0])];
  return g.where(g.lessOrEqual(to, from), averaging(g, out, place, from, to), interpolating(g, out, place, from, to));
}

const float = (g: Ops, v: Value) => g.cast(v, { to: 'float32' });

/** The mean over each output's share of the places. */
function averaging(g: Ops, out: Value, place: Value, from: Value, to: Value): Value {
  const begin = g.div(g.mul(out, from), to);
  const end = g.div(g.add(g.mul(g.add(out, 1), from), g.sub(to, 1)), to);
  const inside = g.and(g.greaterOrEqual(place, begin), g.less(place, end));
  return g.div(float(g, inside), float(g, g.sub(end, begin)));
}

/** Linear between the centres of places: the centre of an output is (2 out + 1) from - to of 2 to parts of a place. */
function interpolating(g: Ops, out: Value, place: Value, from: Value, to: Value): Value {
  const parts = g.mul(to, 2);
  const last = g.sub(from, 1);
  const centre = g.sub(g.mul(g.add(g.mul(out, 2), 1), from), to);
  const within = g.min(g.max(centre, 0), g.mul(last, parts));
  const left = g.div(within, parts);
  const right = g.min(g.add(left, 1), last);
  const share = g.div(float(g, g.sub(within, g.mul(left, parts))), float(g, parts));
  const here = (at: Value) => float(g, g.equal(place, at));
  return g.add(g.mul(here(left), g.sub(1, share)), g.mul(here(right), share));
}
