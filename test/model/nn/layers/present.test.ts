// What fills up a sequence may be anything, no number among it: it reaches neither the answer nor a gradient of layers that are told which steps are there.
import { describe, expect, it } from 'vitest';
import { type LayerInput, layerSchema } from '../../../../src/model/nn/layers.js';
import { lowerBlock } from '../../../../src/model/nn/lower.js';
import type { LayerScope } from '../../../../src/model/nn/scope.js';
import { gradient } from '../../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Value } from '../../../../src/onnx/ir/graph.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import { runModel } from '../../../support/run.js';
import { numbers } from '../support.js';

const [rows, steps, width] = [2, 4, 4];
const lengths = [2, 3];
const present = lengths.flatMap((length) => Array.from({ length: steps }, (_, t) => t < length));
const masks = {
  n: new Tensor('int64', [rows], BigInt64Array.from(lengths, BigInt)),
  mask: Tensor.from('bool', present.map(Number), [rows, steps]),
};
/** A sequence with `filling` in the steps that are not there. */
const filled = (filling: number, seed: number) => {
  const data = Float32Array.from(numbers([rows, steps, width], seed).numbers());
  for (const [i, counts] of present.entries()) if (!counts) data.fill(filling, i * width, (i + 1) * width);
  return new Tensor('float32', [rows, steps, width], data);
};

/** What the layers give at the steps that are there, and the gradients of it by both inputs and all weights. */
async function answers(
  layers: readonly LayerInput[],
  filling: number,
  training: boolean,
  recurs: boolean,
): Promise<Record<string, number[]>> {
  const g = ops();
  // Where it looks at another input, the mask is of that one.
  const own = JSON.stringify(layers).includes('"attention":{"heads":2,"cross"') ? 0 : filling;
  const feeds: Record<string, Tensor> = { x: filled(own, 1), memory: filled(filling, 2) };
  const [x, memory] = ['x', 'memory'].map((name) => g.input(name, 'float32', [rows, steps, width])) as [Value, Value];
  const by = [x, memory];
  const scope: LayerScope = {
    g,
    training,
    parameter: ({ name, shape }) => {
      feeds[name] = numbers(shape, 10 + by.length);
      const value = g.input(name, 'float32', shape);
      by.push(value);
      return value;
    },
    update: () => {},
    random: (_, like) => like,
  };
  const raw = (name: string) => (name === 'memory' ? memory : g.constant(must(masks[name as keyof typeof masks], name)));
  const inputs = { input: raw, raw, tokensOf: () => undefined };
  const parsed = layers.map((layer) => layerSchema.parse(layer));
  const y = lowerBlock({ scope, prefix: 't/0', path: 'blocks[0]', inputs }, parsed, x);
  const sequence = y.shape?.length === 3;
  const there = sequence ? g.where(g.unsqueeze(g.constant(masks.mask), [2]), y, 0) : y;
  const seed = g.constant(numbers((y.shape ?? []).map(Number), 5));
  // Recurrent ops pass over what fills up, their gradients by the step of training.
  if (training || !recurs)
    for (const [i, d] of gradient(g, { of: g.reduceSum(g.mul(there, seed), undefined, { keepdims: 0 }), by }).entries())
      g.output(d, `gradient of ${by[i]?.name}`);
  g.output(there, 'y');
  const found = await runModel(g.model(), feeds);
  return Object.fromEntries(Object.entries(found).map(([name, t]) => [name, t.numbers()]));
}

const recurrent = ['lstm', 'gru', 'rnn'].flatMap((kind) =>
  (['forward', 'reverse', 'bidirectional'] as const).flatMap((direction) =>
    [false, true].map((sequences): [string, object[]] => [
      `${kind} ${direction} ${sequences ? 'states' : 'state'}`,
      [{ [kind]: { units: 3, layers: 2, direction, sequences } }],
    ]),
  ),
);
describe.each<[string, object[]]>([
  ['attention', [{ attention: { heads: 2 } }]],
  ['causal attention', [{ attention: { heads: 2, causal: true } }]],
  ['attention to another input', [{ attention: { heads: 2, cross: 'memory' } }]],
  ['encoder', [{ transformer_encoder: { heads: 2 } }]],
  ['encoder, norms behind', [{ transformer_encoder: { heads: 2, norm: 'post' } }, { transformer_encoder: { heads: 2 } }]],
  ['decoder', [{ transformer_decoder: { heads: 2, cross: 'memory', cross_mask: 'n' } }]],
  ['mean', [{ mean_over_steps: {} }]],
  ['max', [{ max_over_steps: {} }]],
  ['last', [{ last_step: {} }]],
  ['attention over steps', [{ attention_over_steps: {} }]],
  ...recurrent,
])('%s', (name, layers) => {
  it.each(['n', 'mask'])('by %s', async (mask) => {
    const told = layers.map((layer) =>
      Object.fromEntries(Object.entries(layer).map(([kind, options]) => [kind, { ...options, mask }])),
    ) as unknown as LayerInput[];
    const recurs = recurrent.some(([other]) => other === name);
    for (const training of [false, true]) {
      const right = await answers(told, 0, training, recurs);
      for (const [of, values] of Object.entries(right)) expect(values.every(Number.isFinite), of).toBe(true);
      for (const filling of [Number.NaN, Number.POSITIVE_INFINITY, 3e38])
        expect(await answers(told, filling, training, recurs), name).toEqual(right);
    }
  });
});
