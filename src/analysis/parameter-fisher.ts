// The diagonal of the Fisher information by a column's own parameters, as elastic weight consolidation takes it (Kirkpatrick et al. 2017, arXiv 1612.00796):
// how much what it says of samples depends on each weight.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples } from '../data/samples.js';
import { headWidth } from '../model/heads/heads.js';
import { inferenceScope } from '../model/nn/scope.js';
import type { Column } from '../model/progressive/column.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { boundToData } from '../model/progressive/open-inputs.js';
import type { Weights } from '../model/progressive/weights.js';
import { gradient } from '../onnx/autodiff/gradient.js';
import { must, stopIfAborted } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Value } from '../onnx/ir/graph.js';
import { ops } from '../onnx/ops/ops.js';
import { optimise } from '../onnx/passes/optimise.js';
import { dataFeeds, dataInputs, networkInputsFrom } from '../train/network-input.js';
import { type Analysed, withSession } from './analysed.js';

const seedInput = 'analysis/seed';
const fisherOutput = (name: string) => `analysis/fisher/${name}`;

/** Of a column that stands on no other. Targets are what the scores are held to, float32 [N, ...]: where one is NaN, none is. */
type Alone = Pick<Analysed, 'column' | 'data' | 'runtime' | 'session' | 'seed' | 'signal'> & { readonly own: Weights };

/**
 * The diagonal by trainable parameters, by name, float32 in each one's shape: the mean over the samples, or over the steps that count. Scores are taken as a
 * normal distribution of variance 1 around each, as a squared distance has it: of each sample the squared gradient by the scores times random signs, whose
 * expectation is the sum of the squares of all scores' gradients. One sample a run, since the gradient of several is their sum.
 */
export async function parameterFisher(alone: Alone): Promise<Weights> {
  const { column, data, own, seed, signal } = alone;
  const { inputs, targets } = data;
  const { model, names } = squaresGraph(column, own, data);
  const random = new Random(seed, 'fisher of parameters');
  const sums = names.map((name) => new Float64Array(must(own.get(name), name).size));
  const work = { ...alone, weights: new Map([[column.task, own]]) };
  let counted = 0;
  await withSession(work, model, async (session) => {
    for (let row = 0; row < countOf(inputs); row++) {
      stopIfAborted(signal);
      const sample = mapSamples(inputs, (all) => sliceRows(all, row, row + 1));
      const held = sliceRows(targets, row, row + 1);
      const signs = Float32Array.from(held.numbers(), (v) => (Number.isNaN(v) ? 0 : random.below(2) === 0 ? 1 : -1));
      counted += signs.filter((sign) => sign !== 0).length / headWidth(column.head);
      const out = await session.run({ ...dataFeeds(sample), [seedInput]: new Tensor('float32', held.dims, signs) });
      for (const [i, name] of names.entries())
        addTo(must(sums[i], name), must(out[fisherOutput(name)], name).data as Float32Array);
    }
  });
  return new Map(
    names.map((name, i) => {
      const { dims } = must(own.get(name), name);
      return [
        name,
        new Tensor(
          'float32',
          dims,
          Float32Array.from(must(sums[i], name), (v) => v / Math.max(1, counted)),
        ),
      ];
    }),
  );
}

function addTo(sum: Float64Array, values: Float32Array): void {
  for (let at = 0; at < values.length; at++) sum[at] = (sum[at] ?? 0) + (values[at] ?? 0);
}

/** One sample to the squared gradients of its scores, each times what comes as a seed, by every trainable parameter. */
function squaresGraph(open: Column, own: Weights, { inputs, targets }: Analysed['data']) {
  const column = boundToData(open, inputs, `samples of task "${open.task}"`);
  const g = ops({ name: 'fisher', opset: column.network.opset });
  const dtypes = mapSamples(inputs, ({ dtype }) => dtype);
  const read = new Map<string, Value>();
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, column.inputs, dataInputs(g, column.inputs, dtypes, 1)),
    scope: () =>
      inferenceScope(g, ({ name }) => {
        const known = read.get(name) ?? g.initializer(name, must(own.get(name), name));
        read.set(name, known);
        return known;
      }),
  });
  const scores = lowering.scores(column);
  const names = column.parameters.specs.filter(({ role }) => role === 'trainable').map(({ name }) => name);
  const seed = g.input(seedInput, 'float32', [1, ...targets.dims.slice(1)]);
  const by = names.map((name) => must(read.get(name), name));
  gradient(g, { of: scores, by, seed }).forEach((d, i) => {
    g.output(g.mul(d, d), fisherOutput(must(names[i], 'name')));
  });
  lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset }));
  return { model: g.model(), names };
}
