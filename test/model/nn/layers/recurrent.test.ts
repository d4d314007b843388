// lstm, gru and rnn against their formulas written out in float64, in inference and in training.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LayerInput, layerSchema } from '../../../../src/model/nn/layers.js';
import { lowerBlock } from '../../../../src/model/nn/lower.js';
import { inferenceScope } from '../../../../src/model/nn/scope.js';
import { gradient } from '../../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import type { Value } from '../../../../src/onnx/ir/graph.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import { quantize } from '../../../../src/onnx/precision/quantize.js';
import { runModel } from '../../../support/run.js';
import { checkLayers, lower, numbers, printed, run } from '../support.js';

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const at = (t: readonly number[], i: number) => t[i] ?? Number.NaN;

interface Weights {
  readonly w: readonly number[];
  readonly r: readonly number[];
  readonly b: readonly number[];
}

/** The states of one sample, x [T,F], in the order of reading. */
function states(
  kind: 'lstm' | 'gru' | 'rnn' | 'relu',
  x: readonly (readonly number[])[],
  { w, r, b }: Weights,
  units: number,
): number[][] {
  const gates = { lstm: 4, gru: 3, rnn: 1, relu: 1 }[kind];
  let h = new Array<number>(units).fill(0);
  let c = new Array<number>(units).fill(0);
  return x.map((row) => {
    const from = (v: readonly number[], m: readonly number[], gate: number, u: number, bias: number) =>
      v.reduce((sum, value, k) => sum + value * at(m, (gate * units + u) * v.length + k), at(b, bias + gate * units + u));
    const a = (gate: number, u: number) => from(row, w, gate, u, 0);
    const q = (gate: number, u: number) => from(h, r, gate, u, gates * units);
    const next = Array.from({ length: units }, (_, u): [number, number] => {
      if (kind === 'lstm') {
        const [i, o, f] = [0, 1, 2].map((gate) => sigmoid(a(gate, u) + q(gate, u))) as [number, number, number];
        const cell = f * at(c, u) + i * Math.tanh(a(3, u) + q(3, u));
        return [o * Math.tanh(cell), cell];
      }
      if (kind === 'gru') {
        const [z, reset] = [0, 1].map((gate) => sigmoid(a(gate, u) + q(gate, u))) as [number, number];
        const n = Math.tanh(a(2, u) + reset * q(2, u));
        return [(1 - z) * n + z * at(h, u), 0];
      }
      const sum = a(0, u) + q(0, u);
      return [kind === 'relu' ? Math.max(0, sum) : Math.tanh(sum), 0];
    });
    h = next.map(([v]) => v);
    c = next.map(([, v]) => v);
    return h;
  });
}

const [rows, steps, features, units] = [2, 4, 3, 2];
const x = numbers([rows, steps, features], 1);

/** Feeds of all weights, and the states of both rows by the formula, [N][T][directions units]. */
function expected(kind: 'lstm' | 'gru' | 'rnn' | 'relu', layer: LayerInput, direction: string, layers: number) {
  const { specs } = lower([layer], [steps, features]);
  const feeds: Record<string, Tensor> = Object.fromEntries(specs.map(({ name, shape }, i) => [name, numbers(shape, 10 + i)]));
  const flat = x.numbers();
  const results = Array.from({ length: rows }, (_, n) => {
    let seen = Array.from({ length: steps }, (_, t) => flat.slice((n * steps + t) * features, (n * steps + t + 1) * features));
    for (let l = 0; l < layers; l++) {
      const [w, r, b] = specs.slice(3 * l, 3 * l + 3).map(({ name }) => feeds[name]?.numbers() ?? []) as [
        number[],
        number[],
        number[],
      ];
      const half = <T>(all: readonly T[], d: number) => {
        const size = all.length / (direction === 'bidirectional' ? 2 : 1);
        return all.slice(d * size, (d + 1) * size);
      };
      const way = (reverse: boolean, d: number) => {
        const order = reverse ? [...seen].reverse() : seen;
        const found = states(kind, order, { w: half(w, d), r: half(r, d), b: half(b, d) }, units);
        return reverse ? found.reverse() : found;
      };
      const ways = direction === 'bidirectional' ? [way(false, 0), way(true, 1)] : [way(direction === 'reverse', 0)];
      seen = seen.map((_, t) => ways.flatMap((states) => states[t] ?? []));
    }
    return seen;
  });
  return { feeds, results };
}

/** The last state in the order of reading, of each direction. */
function last(of: readonly (readonly number[])[], direction: string): number[] {
  const [first = [], end = []] = [of[0], of.at(-1)];
  if (direction === 'forward') return [...end];
  return direction === 'reverse' ? [...first] : [...end.slice(0, units), ...first.slice(units)];
}

const near = (found: Tensor | undefined, expected: readonly number[]) => {
  const values = found?.numbers() ?? [];
  expect(values).toHaveLength(expected.length);
  for (const [i, v] of values.entries()) expect(v).toBeCloseTo(at(expected, i), 5);
};

/** What a layer gives at every step and at the end, and the gradients of both, weighed by `seeds`, by x and by the weights. */
async function withGradients(
  all: readonly LayerInput[],
  end: readonly LayerInput[],
  x: Tensor,
  others: Readonly<Record<string, Tensor>>,
  valuesOf: (name: string) => readonly number[],
  seeds: { readonly y: number[][][]; readonly last: number[][] },
) {
  const g = ops();
  const from = g.input('x', 'float32', x.dims);
  const own = new Map<string, Value>();
  const feeds: Record<string, Tensor> = { x };
  const scope = inferenceScope(g, ({ name, shape }) => {
    feeds[name] = Tensor.from('float32', valuesOf(name), [...shape]);
    const value = own.get(name) ?? g.input(name, 'float32', shape);
    own.set(name, value);
    return value;
  });
  const raw = (name: string) => g.constant(must(others[name], name));
  const inputs = { input: raw, raw, tokensOf: () => undefined };
  const lowered = (layers: readonly LayerInput[]) =>
    lowerBlock(
      { scope, prefix: 't/0', path: 'blocks[0]', inputs },
      layers.map((layer) => layerSchema.parse(layer)),
      from,
    );
  const [y, last] = [lowered(all), lowered(end)];
  g.output(y, 'y');
  g.output(last, 'last');
  const weighed = (v: Value, seed: readonly number[]) => {
    const dims = (v.shape ?? []).map(Number);
    return g.reduceSum(g.mul(v, g.constant(Tensor.from('float32', seed, dims))), undefined, { keepdims: 0 });
  };
  const loss = g.add(weighed(y, seeds.y.flat(2)), weighed(last, seeds.last.flat()));
  const by = [from, ...own.values()];
  gradient(g, { of: loss, by }).forEach((d, i) => {
    g.output(d, `gradient/${i}`);
  });
  const found = await runModel(g.model(), feeds);
  return { y: found.y, last: found.last, gradients: new Map(by.map(({ name }, i) => [name, found[`gradient/${i}`]])) };
}

const kinds = [
  ['lstm', { lstm: { units } }],
  ['gru', { gru: { units } }],
  ['rnn', { rnn: { units } }],
  ['relu', { rnn: { units, activation: 'relu' } }],
] as const;
const directions = ['forward', 'reverse', 'bidirectional'] as const;

describe.each(kinds)('%s', (kind, layer) => {
  const [name, options] = Object.entries(layer)[0] as [string, object];
  const written = (more: object) => ({ [name]: { ...options, ...more } }) as unknown as LayerInput;
  it.each(directions.flatMap((direction) => [1, 2].map((layers) => [direction, layers] as const)))(
    'reads %s in %i layers as its formula says',
    async (direction, layers) => {
      const { feeds, results } = expected(kind, written({ direction, layers }), direction, layers);
      for (const training of [false, true]) {
        const all = (await run([written({ direction, layers, sequences: true })], x, feeds, { training })).y;
        const width = (direction === 'bidirectional' ? 2 : 1) * units;
        expect(all?.dims).toEqual([rows, steps, width]);
        near(all, results.flat(2));
        const end = (await run([written({ direction, layers })], x, feeds, { training })).y;
        expect(end?.dims).toEqual([rows, width]);
        near(
          end,
          results.flatMap((r) => last(r, direction)),
        );
      }
    },
  );
});

describe.each(kinds)('%s with a mask', (kind, layer) => {
  const [name, options] = Object.entries(layer)[0] as [string, object];
  const written = (more: object) => ({ [name]: { ...options, ...more } }) as unknown as LayerInput;
  const lengths = [2, 4, 0, 1];
  const n = new Tensor('int64', [4], BigInt64Array.from(lengths, BigInt));
  const there = lengths.flatMap((length) => Array.from({ length: steps }, (_, t) => Number(t < length)));
  const mask = Tensor.from('bool', there, [4, steps]);
  const real = numbers([4, steps, features], 2);
  /** The same steps among `count`, the others `filling`. */
  const padded = (count: number, filling: number) => {
    const data = new Float32Array(4 * count * features).fill(filling);
    for (const [row, length] of lengths.entries())
      data.set(
        (real.data as Float32Array).subarray(row * steps * features, (row * steps + length) * features),
        row * count * features,
      );
    return new Tensor('float32', [4, count, features], data);
  };
  const all = directions.flatMap((direction) => [1, 2].map((layers) => [direction, layers] as const));

  it.each(all)('reads %s in %i layers up to the last step that is there, and gives 0 behind it', async (direction, layers) => {
    for (const training of [false, true]) {
      for (const [by, given] of [
        ['n', n],
        ['mask', mask],
      ] as const) {
        const inputs = { [by]: { dtype: given.dtype, shape: given.dims.slice(1) } };
        const how = { direction, layers, mask: by };
        const { feeds } = expected(kind, written({ direction, layers }), direction, layers);
        const read = async (more: object, from = real) =>
          (await run([written({ ...how, ...more })], from, { ...feeds, [by]: given }, { training, inputs })).y;
        const [states, end] = [await read({ sequences: true }), await read({})];
        for (const [row, length] of lengths.entries()) {
          const width = (direction === 'bidirectional' ? 2 : 1) * units;
          const own = states?.numbers().slice(row * steps * width, (row + 1) * steps * width) ?? [];
          expect(own.slice(length * width)).toEqual(new Array(own.length - length * width).fill(0));
          const last = end?.numbers().slice(row * width, (row + 1) * width) ?? [];
          if (length === 0) {
            expect(last).toEqual(new Array(width).fill(0));
            continue;
          }
          // The same steps alone.
          const cut = Tensor.from('float32', real.numbers().slice(row * steps * features, (row * steps + length) * features), [
            1,
            length,
            features,
          ]);
          const [whole, short] = [
            (await run([written({ direction, layers, sequences: true })], cut, feeds, { training })).y,
            (await run([written({ direction, layers })], cut, feeds, { training })).y,
          ];
          near(whole, own.slice(0, length * width));
          near(short, last);
        }
      }
    }
  });

  it.each(all)('padding changes no bit of what %s in %i layers gives', async (direction, layers) => {
    const { specs } = lower([written({ direction, layers })], [steps, features]);
    const feeds = Object.fromEntries(specs.map(({ name, shape }, i) => [name, numbers(shape, 21 + i)]));
    const inputs = { n: { dtype: 'int64', shape: [] } } as const;
    const answer = async (count: number, filling: number) =>
      (await run([written({ direction, layers, mask: 'n' })], padded(count, filling), { ...feeds, n }, { inputs })).y;
    const short = await answer(steps, 0);
    expect(short?.numbers().some((v) => v !== 0)).toBe(true);
    expect((await answer(steps, 77))?.bytes).toEqual(short?.bytes);
    expect((await answer(3 * steps, -5))?.bytes).toEqual(short?.bytes);
  });

  // Differences across the edge of a relu are no gradient.
  const smooth = kind === 'relu' ? [] : all;
  it.each(smooth)('its gradients are those of differences, %s in %i layers', async (direction, layers) => {
    for (const sequences of [false, true])
      expect(await checkLayers([written({ direction, layers, sequences, mask: 'n' })], real, { others: { n } })).toBeGreaterThan(
        100,
      );
  });
});

/** As scripts/fixtures/torch-packed.py has written it. */
const packed: {
  readonly x: number[][][];
  readonly lengths: number[];
  readonly units: number;
  readonly cases: readonly {
    readonly kind: 'lstm' | 'gru' | 'rnn';
    readonly direction: 'forward' | 'bidirectional';
    readonly layers: number;
    readonly weights: Readonly<Record<string, { readonly values: number[][][]; readonly gradients: number[][][] }>>;
    readonly y: number[][][];
    readonly last: number[][];
    readonly seeds: { readonly y: number[][][]; readonly last: number[][] };
    readonly gradient: number[][][];
  }[];
} = JSON.parse(readFileSync(new URL('torch-packed.json', import.meta.url), 'utf8'));

it.each(packed.cases)(
  "$kind, $direction in $layers layers: states and gradients are those of PyTorch's packed sequences",
  async (given) => {
    const { kind, direction, layers, weights, seeds } = given;
    const sequence = Tensor.from('float32', packed.x.flat(2), [4, 5, 3]);
    const others = { n: new Tensor('int64', [4], BigInt64Array.from(packed.lengths, BigInt)) };
    const written = (sequences: boolean) =>
      ({ [kind]: { units: packed.units, direction, layers, sequences, mask: 'n' } }) as unknown as LayerInput;
    const told = (name: string) => {
      const [, layer, what] = /^t\/0\/[a-z]+\/(?:(\d)\/)?(\w+)$/.exec(name) ?? [];
      return {
        values: weights[what ?? '']?.values[Number(layer ?? 0)]?.flat(2) ?? [],
        gradients: weights[what ?? '']?.gradients[Number(layer ?? 0)]?.flat(2) ?? [],
      };
    };
    const { y, last, gradients } = await withGradients(
      [written(true)],
      [written(false)],
      sequence,
      others,
      (name) => told(name).values,
      seeds,
    );
    near(y, given.y.flat(2));
    near(last, given.last.flat());
    near(gradients.get('x'), given.gradient.flat(2));
    const names = [...gradients.keys()].filter((name) => name !== 'x');
    expect(names).toHaveLength(3 * layers);
    for (const name of names) near(gradients.get(name), told(name).gradients);
  },
);

it('is one op', () => {
  expect(printed([{ lstm: 2 }], [4, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4,3], t/0/lstm/weight: float32[1,8,3], t/0/lstm/recurrent_weight: float32[1,8,2], t/0/lstm/bias: float32[1,16]) -> (y)
      t/0/lstm/Einsum/out: float32[4,N,3] = Einsum<equation="ntf->tnf">(x)
      _, t/0/lstm/LSTM/out1: float32[1,N,2] = LSTM<hidden_size=2, direction="forward">(t/0/lstm/Einsum/out, t/0/lstm/weight, t/0/lstm/recurrent_weight, t/0/lstm/bias)
      y: float32[N,2] = Squeeze(t/0/lstm/LSTM/out1, int64{0})"
  `);
  expect(printed([{ gru: { units: 2, sequences: true, direction: 'bidirectional' } }], [4, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,4,3], t/0/gru/weight: float32[2,6,3], t/0/gru/recurrent_weight: float32[2,6,2], t/0/gru/bias: float32[2,12]) -> (y)
      t/0/gru/Einsum/out: float32[4,N,3] = Einsum<equation="ntf->tnf">(x)
      t/0/gru/GRU/out: float32[4,2,N,2] = GRU<linear_before_reset=1, hidden_size=2, direction="bidirectional">(t/0/gru/Einsum/out, t/0/gru/weight, t/0/gru/recurrent_weight, t/0/gru/bias)
      t/0/gru/Transpose/out: float32[4,N,2,2] = Transpose<perm=[0,2,1,3]>(t/0/gru/GRU/out)
      t/0/gru/Reshape/out: float32[4,N,4] = Reshape(t/0/gru/Transpose/out, int64{0,0,4})
      y: float32[N,4,4] = Einsum<equation="tnf->ntf">(t/0/gru/Reshape/out)"
  `);
});

it('begins as PyTorch does, or as its init says with biases of 0', () => {
  const inits = (layer: LayerInput) => lower([layer], [4, 3]).specs.map(({ name, shape, init }) => [name, shape, init]);
  const by = { kind: 'torch_uniform' };
  expect(inits({ lstm: 5 })).toEqual([
    ['t/0/lstm/weight', [1, 20, 3], { by, fanIn: 5, fanOut: 5 }],
    ['t/0/lstm/recurrent_weight', [1, 20, 5], { by, fanIn: 5, fanOut: 5 }],
    ['t/0/lstm/bias', [1, 40], { by, fanIn: 5, fanOut: 1 }],
  ]);
  const glorot = { kind: 'glorot_uniform' };
  expect(inits({ gru: { units: 5, layers: 2, direction: 'bidirectional', init: 'glorot_uniform' } })).toEqual([
    ['t/0/gru/0/weight', [2, 15, 3], { by: glorot, fanIn: 3, fanOut: 5 }],
    ['t/0/gru/0/recurrent_weight', [2, 15, 5], { by: glorot, fanIn: 5, fanOut: 5 }],
    ['t/0/gru/0/bias', [2, 30], { fill: 0 }],
    ['t/0/gru/1/weight', [2, 15, 10], { by: glorot, fanIn: 10, fanOut: 5 }],
    ['t/0/gru/1/recurrent_weight', [2, 15, 5], { by: glorot, fanIn: 5, fanOut: 5 }],
    ['t/0/gru/1/bias', [2, 30], { fill: 0 }],
  ]);
});

it('takes laterals at the sequence that it reads, ahead of what follows', () => {
  const { joints } = lower([{ lstm: 2 }, { dense: 3 }], [4, 3], { lateral: true });
  expect(joints).toMatchObject([{ along: 'positions', layout: 'channels-last', size: [4], width: 3 }]);
});

it.each(['lstm', 'gru', 'rnn'] as const)('%s refuses what is no sequence', (kind) => {
  expect(() => lower([{ kind, units: 2 }], [4])).toThrow(
    `blocks[0][0]: ${kind} does not fit its input [4]: a sequence [steps, features] is needed`,
  );
});

it('refuses a signal, whose first axis are channels', () => {
  expect(() => lower([{ lstm: 2 }], [4, 3], { layout: 'channels-first' })).toThrow(
    'blocks[0][0]: lstm does not fit its input [4,3]: a sequence [steps, features] is needed, this is a signal [channels, length]: put "to_sequence" before it',
  );
});

it('a mask of many steps ends where it says in float16 too', async () => {
  const [steps, there] = [2100, 2051];
  const { g, specs } = lower([{ rnn: { units: 1, sequences: true, mask: 'm' } }], [steps, 1], {
    inputs: { m: { dtype: 'float32', shape: [steps] } },
  });
  const weights = Object.fromEntries(specs.map(({ name, shape }) => [name, numbers(shape, 3)]));
  const m = Tensor.from(
    'float32',
    Array.from({ length: steps }, (_, t) => (t < there ? 1 : 0)),
    [1, steps],
  );
  const { model } = await quantize(undefined, g.model(), { precision: 'fp16' });
  const { y } = await runModel(model, { x: numbers([1, steps, 1], 1), m, ...weights });
  expect(y?.numbers().slice(there - 1, there + 1)).toEqual([expect.not.closeTo(0, 3), 0]);
});
