// Training as the paper says it, with nothing done for speed: the whole network lowered from the raw data each step, frozen columns included,
// alpha times taps, every parameter with a gradient of its own and PyTorch's Adam in float64 outside of the graph. The reference for what
// train/ does by cached taps, joined parameters and unscaled moments.

import { gatherRows } from '../../src/data/rows.js';
import { countOf, mapSamples } from '../../src/data/samples.js';
import { lowerLoss } from '../../src/model/heads/heads.js';
import type { ParameterSpec } from '../../src/model/nn/scope.js';
import type { Column } from '../../src/model/progressive/column.js';
import { addInputs } from '../../src/model/progressive/inputs.js';
import { NetworkLowering } from '../../src/model/progressive/lowering.js';
import { type FrozenWeights, initialWeights } from '../../src/model/progressive/weights.js';
import { gradient } from '../../src/onnx/autodiff/gradient.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Runtime } from '../../src/onnx/runtime/session.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { Augmenter } from '../../src/train/augment/augmenter.js';
import { networkFeeds } from '../../src/train/network-input.js';
import type { TrainData } from '../../src/train/request.js';
import type { TrainSettings } from '../../src/train/settings.js';

export interface PlainRequest {
  readonly runtime: Runtime;
  /** Of classes, without dropout and batch_norm. */
  readonly column: Column;
  readonly frozen: FrozenWeights;
  /** adam, a constant rate. */
  readonly settings: TrainSettings;
  readonly train: TrainData;
  readonly threads: number;
}

/** The column's parameters after `settings.epochs` epochs. */
export async function plainTraining(request: PlainRequest): Promise<Map<string, Tensor>> {
  const { column, settings, train } = request;
  const { specs } = column.parameters;
  const session = await request.runtime.createSession(plainStep(request, specs), { threads: request.threads });
  const weights = initialWeights(column);
  const moments = new Map(specs.map((s) => [s.name, [new Float64Array(size(s)), new Float64Array(size(s))] as const]));
  const rows = countOf(train.inputs);
  const augmenter = Augmenter.create(column, settings, train.inputs);
  let t = 0;
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = new Random(settings.seed, 'order', epoch).permutation(rows);
    for (let from = 0; from < rows; from += settings.batch) {
      const chosen = order.slice(from, from + settings.batch);
      const own = mapSamples(train.inputs, (t) => gatherRows(t, chosen));
      const data = networkFeeds(column.inputs, augmenter?.vary(own, chosen, epoch) ?? own);
      const feeds = { ...data, targets: gatherRows(train.targets, chosen) };
      const found = await session.run({ ...feeds, ...Object.fromEntries(weights) });
      t++;
      for (const { name, shape } of specs) {
        const d = must(found[`gradient/${name}`], name).data as Float32Array;
        const [m, v] = must(moments.get(name), name);
        const p = Float32Array.from(must(weights.get(name), name).data as Float32Array);
        for (let i = 0; i < p.length; i++) p[i] = adamStep(p, d, m, v, i, settings.rate, t);
        weights.set(name, new Tensor('float32', shape, p));
      }
    }
  }
  await session.release();
  return weights;
}

const size = (s: ParameterSpec): number => s.shape.reduce((a, b) => a * b, 1);

// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
function adamStep(
  p: Float32Array,
  d: Float32Array,
  m: Float64Array,
  v: Float64Array,
  i: number,
  rate: number,
  t: number,
): number {
  const g = Number(d[i]);
  const first = 0.9 * Number(m[i]) + 0.1 * g;
  const second = 0.999 * Number(v[i]) + 0.001 * g * g;
  m[i] = first;
  v[i] = second;
  return Number(p[i]) - (rate * first) / (1 - 0.9 ** t) / (Math.sqrt(second / (1 - 0.999 ** t)) + 1e-8);
}

/** Data, targets and parameters to the gradient of each. */
function plainStep({ column, frozen }: PlainRequest, specs: readonly ParameterSpec[]): Uint8Array {
  const g = ops({ name: 'plain' });
  const targets = g.input('targets', 'int64', ['N']);
  const own = new Map(specs.map((s) => [s.name, g.input(s.name, 'float32', s.shape)]));
  const lowering = new NetworkLowering<Column>({
    inputs: addInputs(g, column.inputs),
    scope: (c) => ({
      g,
      training: false,
      parameter: (spec) =>
        c === column
          ? must(own.get(spec.name), spec.name)
          : g.initializer(spec.name, must(must(frozen.get(c.task), 'frozen').get(spec.name), spec.name)),
      update: () => {},
      random: (_, like) => like,
    }),
  });
  const loss = lowerLoss(g, column.head, lowering.scores(column), targets, 'mean');
  const by = specs.map((s) => must(own.get(s.name), s.name));
  gradient(g, { of: loss, by }).forEach((d, i) => {
    g.output(d, `gradient/${must(specs[i], 'spec').name}`);
  });
  return toBinary(g.model());
}
