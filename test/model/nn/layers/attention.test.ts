// attention against its formula written out in float64: heads, shared keys, causal, masks, another input, rotary positions.
import { expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { type AttentionOptions, attentionOf, matrices } from '../attention-reference.js';
import { lower, numbers, printed, run } from '../support.js';

const [rows, steps, width] = [2, 3, 8];

/** Inputs as `lower` declares them. */
const inputsOf = (feeds: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dtype, dims }]) => [name, { dtype, shape: dims.slice(1) }]));

async function agrees(layer: object, o: AttentionOptions, extra: { feeds?: Record<string, Tensor>; source?: Tensor } = {}) {
  const x = numbers([rows, steps, width], 1);
  const written = { attention: { heads: o.heads, ...layer } } as LayerInput;
  const others = extra.feeds ?? {};
  const { specs } = lower([written], [steps, width], { inputs: inputsOf(others) });
  const weights = Object.fromEntries(specs.map(({ name, shape }, i) => [name, numbers(shape, 20 + i)]));
  const { y } = await run([written], x, { ...weights, ...others }, { inputs: inputsOf(others) });
  const sources = matrices(extra.source ?? x);
  const expected = matrices(x).flatMap((m, row) => attentionOf(m, sources[row] ?? [], weights, 't/0/attention/', o, row).flat());
  expect(y?.dims).toEqual([rows, steps, width]);
  const found = y?.numbers() ?? [];
  for (const [i, v] of expected.entries()) expect(found[i]).toBeCloseTo(v, 4);
}

it('weighs values by how queries meet keys, in each head', () => agrees({}, { heads: 2 }));
it('shares keys and values among heads', () => agrees({ kv_heads: 2 }, { heads: 4, kv: 2 }));
it('sees no later step when causal', () => agrees({ causal: true }, { heads: 2, causal: true }));
it('turns queries and keys by where they stand', () => agrees({ rotary: 100 }, { heads: 2, rotary: 100 }));

it('leaves out what a mask, or a length, says is not there', async () => {
  const present = [
    [true, true, true],
    [true, false, false],
  ];
  const mask = new Tensor('bool', [rows, steps], Uint8Array.from(present.flat(), Number));
  await agrees({ mask: 'mask' }, { heads: 2, present }, { feeds: { mask } });
  const long = new Tensor('int64', [rows], BigInt64Array.of(3n, 1n));
  await agrees({ mask: 'long', causal: true }, { heads: 2, present, causal: true }, { feeds: { long } });
});

it.each<[string, { causal?: boolean; mask?: string }]>([
  ['causal', { causal: true }],
  ['masked', { mask: 'n' }],
])('sees nothing of what does not count where all other scores are far below 0: %s', async (_, o) => {
  const eye = Tensor.from('float32', [1, 0, 0, 1], [2, 2]);
  const against = Tensor.from('float32', [-1, 0, 0, -1], [2, 2]);
  const n = new Tensor('int64', [1], BigInt64Array.of(2n));
  const layers = [{ attention: { heads: 1, ...o } }] as LayerInput[];
  const options = { inputs: inputsOf(o.mask === undefined ? {} : { n }) };
  const weights = Object.fromEntries(
    lower(layers, [steps, 2], options).specs.map(({ name, shape }) => [
      name,
      shape.length === 1 ? Tensor.zeros('float32', [...shape]) : name.includes('/key/') ? against : eye,
    ]),
  );
  // Scores of -500,000 and less.
  const answers = async (last: number) => {
    const x = Tensor.from('float32', [1000, 1, 1000, 2, last, 3], [1, steps, 2]);
    const { y } = await run(layers, x, { ...weights, ...(o.mask !== undefined && { n }) }, options);
    return y?.numbers().slice(0, 4);
  };
  expect(await answers(1)).toEqual(await answers(1000));
});

it('looks at another input', async () => {
  const memory = numbers([rows, 5, 3], 2);
  await agrees({ cross: 'memory' }, { heads: 2 }, { feeds: { memory }, source: memory });
});

it('is products and a softmax', () => {
  expect(printed([{ attention: 2 }], [3, 8])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,8], t/0/attention/query/weight: float32[8,8], t/0/attention/query/bias: float32[8], t/0/attention/key/weight: float32[8,8], t/0/attention/value/weight: float32[8,8], t/0/attention/value/bias: float32[8], t/0/attention/output/weight: float32[8,8], t/0/attention/output/bias: float32[8]) -> (y)
      t/0/attention/MatMul/out: float32[N,3,8] = MatMul(x, t/0/attention/query/weight)
      t/0/attention/Add/out: float32[N,3,8] = Add(t/0/attention/MatMul/out, t/0/attention/query/bias)
      t/0/attention/Mul/out: float32[N,3,8] = Mul(t/0/attention/Add/out, float32(0.5))
      t/0/attention/Reshape/out: float32[N,3,2,4] = Reshape(t/0/attention/Mul/out, int64{0,0,2,4})
      t/0/attention/Transpose/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/attention/Reshape/out)
      t/0/attention/MatMul_1/out: float32[N,3,8] = MatMul(x, t/0/attention/key/weight)
      t/0/attention/Reshape_1/out: float32[N,3,2,4] = Reshape(t/0/attention/MatMul_1/out, int64{0,0,2,4})
      t/0/attention/Transpose_1/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/attention/Reshape_1/out)
      t/0/attention/MatMul_2/out: float32[N,3,8] = MatMul(x, t/0/attention/value/weight)
      t/0/attention/Add_1/out: float32[N,3,8] = Add(t/0/attention/MatMul_2/out, t/0/attention/value/bias)
      t/0/attention/Reshape_2/out: float32[N,3,2,4] = Reshape(t/0/attention/Add_1/out, int64{0,0,2,4})
      t/0/attention/Transpose_2/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/attention/Reshape_2/out)
      t/0/attention/Transpose_3/out: float32[N,2,4,3] = Transpose<perm=[0,1,3,2]>(t/0/attention/Transpose_1/out)
      t/0/attention/MatMul_3/out: float32[N,2,3,3] = MatMul(t/0/attention/Transpose/out, t/0/attention/Transpose_3/out)
      t/0/attention/Softmax/out: float32[N,2,3,3] = Softmax<axis=-1>(t/0/attention/MatMul_3/out)
      t/0/attention/MatMul_4/out: float32[N,2,3,4] = MatMul(t/0/attention/Softmax/out, t/0/attention/Transpose_2/out)
      t/0/attention/Transpose_4/out: float32[N,3,2,4] = Transpose<perm=[0,2,1,3]>(t/0/attention/MatMul_4/out)
      t/0/attention/Reshape_3/out: float32[N,3,8] = Reshape(t/0/attention/Transpose_4/out, int64{0,0,8})
      t/0/attention/MatMul_5/out: float32[N,3,8] = MatMul(t/0/attention/Reshape_3/out, t/0/attention/output/weight)
      y: float32[N,3,8] = Add(t/0/attention/MatMul_5/out, t/0/attention/output/bias)"
  `);
});

it('takes laterals at the sequence that it reads', () => {
  const { joints } = lower([{ attention: 2 }], [3, 8], { lateral: true });
  expect(joints).toMatchObject([{ along: 'positions', layout: 'channels-last', size: [3], width: 8 }]);
});

it('refuses heads that do not divide, and what is no sequence', () => {
  expect(() => lower([{ attention: 3 }], [3, 8])).toThrow('8 features do not divide into 3 heads');
  expect(() => lower([{ attention: { heads: 8, rotary: 10 } }], [3, 8])).toThrow(
    'rotary positions turn pairs of features, a head has 1',
  );
  expect(() => lower([{ attention: { heads: 4, kv_heads: 3 } }], [3, 8])).toThrow(/expected a divisor of/);
  expect(() => lower([{ attention: 2 }], [8])).toThrow('a sequence [steps, features] is needed');
});
