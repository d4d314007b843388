// What a router reads: the features of a tap of a frozen column, the mean over positions where it has some, brought to one scale.

import { sliceRows } from '../../data/rows.js';
import { countOf, mapSamples, type Samples } from '../../data/samples.js';
import { positionsOf } from '../../model/nn/sample.js';
import type { Column, TapRef } from '../../model/progressive/column.js';
import { withDomains } from '../../model/progressive/imported-versions.js';
import { NetworkLowering, tapLayout } from '../../model/progressive/lowering.js';
import { boundToData } from '../../model/progressive/open-inputs.js';
import { type FrozenWeights, frozenScope } from '../../model/progressive/weights.js';
import { must, stopIfAborted } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import { ops } from '../../onnx/ops/ops.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { optimise } from '../../onnx/passes/optimise.js';
import type { Runtime, Session, SessionOptions } from '../../onnx/runtime/session.js';
import { sessionModel } from '../../onnx/serde/session-model.js';
import { dataFeeds, dataInputs, networkInputsFrom } from '../../train/network-input.js';
import { rowsPerRun } from '../../train/outputs.js';
import { axesOf } from '../task-graph.js';

/** Where routers are fitted. */
export interface Place {
  readonly runtime: Runtime;
  readonly session?: SessionOptions;
  readonly signal?: AbortSignal;
}

const output = 'router/features';

/** A tap [N, ...] as features, float32 [N, D]: of one with positions the mean over them. */
export function pooled(g: Ops, ref: TapRef, tap: Value): Value {
  const { others } = axesOf(ref, tap);
  const positions = others.filter((axis) => axis > 0);
  return positions.length === 0 ? tap : reduceMean(g, tap, positions, 0);
}

/** How many features a tap has. Throws ShapeError where that is open. */
export const featureCount = (ref: TapRef): number => positionsOf(ref.column.tapShape(ref.block), tapLayout(ref)).channels;

/** Runs a model over rows, `rowsPerRun` at a time, and joins an output of it, float32 [rows, width]. */
export async function runRows(place: Place, model: Model, samples: Samples, name: string, width: number): Promise<Tensor> {
  const { bytes, options } = sessionModel(model, place.runtime);
  const session: Session = await place.runtime.createSession(bytes, { ...place.session, ...options });
  try {
    const total = countOf(samples);
    const joined = Tensor.zeros('float32', [total, width]);
    for (let from = 0; from < total; from += rowsPerRun) {
      stopIfAborted(place.signal);
      const to = Math.min(from + rowsPerRun, total);
      const out = await session.run(dataFeeds(mapSamples(samples, (rows) => sliceRows(rows, from, to))), [name]);
      sliceRows(joined, from, to).bytes.set(must(out[name], name).bytes);
    }
    return joined;
  } finally {
    await session.release();
  }
}

/** The features of samples, float32 [rows, D]. */
export async function featuresOf(place: Place, ref: TapRef, weights: FrozenWeights, samples: Samples): Promise<Tensor> {
  const { task } = ref.column;
  const column = boundToData(ref.column, samples, `samples for the features of "${task}"`);
  const read = column.inputs;
  const own = Object.fromEntries(read.map(({ name }) => [name, must(samples[name], name)]));
  const g = ops({ name: 'features', opset: column.network.opset });
  const data = dataInputs(
    g,
    read,
    mapSamples(own, ({ dtype }) => dtype),
    'N',
  );
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, read, data),
    scope: (column) => frozenScope(g, must(weights.get(column.task), `weights of ${column.task}`)),
  });
  const bound = { column, block: ref.block };
  g.output(pooled(g, bound, lowering.tap(bound)), output);
  lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset }));
  return await runRows(place, withDomains(g.model(), column.network), own, output, featureCount(ref));
}

/** Brings features to mean 0 and deviation 1. */
export interface Scale {
  /** float32 [D]. */
  readonly mean: Tensor;
  /** float32 [D]: one over the deviation, 0 where a feature is always the same. */
  readonly inverse: Tensor;
}

/** The scale of features [rows, D] of several tasks together, each task counting alike. */
export function scaleOf(tasks: readonly Tensor[], width: number): Scale {
  const [sum, square] = [new Float64Array(width), new Float64Array(width)];
  for (const { data, dims } of tasks) {
    const share = 1 / (tasks.length * must(dims[0], 'rows'));
    for (let i = 0; i < data.length; i++) {
      const v = Number(data[i]);
      sum[i % width] = must(sum[i % width], 'sum') + share * v;
      square[i % width] = must(square[i % width], 'square') + share * v * v;
    }
  }
  const inverse = sum.map((mean, i) => {
    const deviation = Math.sqrt(Math.max(0, must(square[i], 'square') - mean * mean));
    return deviation > 1e-6 * Math.max(1, Math.abs(mean)) ? 1 / deviation : 0;
  });
  return { mean: Tensor.from('float32', [...sum], [width]), inverse: Tensor.from('float32', [...inverse], [width]) };
}

/** Features [N, D] on that scale. */
export const onScale = (g: Ops, { mean, inverse }: Scale, features: Value): Value =>
  g.mul(g.sub(features, g.constant(mean, 'auto_mean')), g.constant(inverse, 'auto_inverse'));

/** The same outside a graph. */
export function scaled({ mean, inverse }: Scale, features: Tensor): Tensor {
  const [m, s] = [mean.numbers(), inverse.numbers()];
  const values = Float32Array.from(features.data as Float32Array, (v, i) => {
    const at = i % m.length;
    return Math.fround(v - must(m[at], 'mean')) * must(s[at], 'inverse');
  });
  return new Tensor('float32', features.dims, values);
}
