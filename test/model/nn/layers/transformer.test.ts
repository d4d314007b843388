// Layers of transformers against their formula written out in float64: norms ahead and behind, activations, masks, another input, shared keys, rotary positions.
import { expect, it } from 'vitest';
import { type LayerInput, layerSchema } from '../../../../src/model/nn/layers.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { type AttentionOptions, affineOf, attentionOf, type Matrix, matrices } from '../attention-reference.js';
import { checkLayers, lower, numbers, parametersOf, printed, run } from '../support.js';

const [rows, steps, width] = [2, 3, 8];
type Kind = 'transformer_encoder' | 'transformer_decoder';
type Weights = Readonly<Record<string, Tensor>>;

/** Inputs as `lower` declares them. */
const inputsOf = (feeds: Weights) =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dtype, dims }]) => [name, { dtype, shape: dims.slice(1) }]));

/** The error function by its series, which is exact for what a few numbers of these sizes give. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
const gelu = (x: number) => (x / 2) * (1 + erf(x * Math.SQRT1_2));

function normalOf(x: Matrix, weights: Weights, prefix: string): Matrix {
  const [scale = [], bias = []] = [weights[`${prefix}scale`]?.numbers(), weights[`${prefix}bias`]?.numbers()];
  return x.map((step) => {
    const mean = step.reduce((a, b) => a + b, 0) / step.length;
    const variance = step.reduce((a, b) => a + (b - mean) ** 2, 0) / step.length;
    return step.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * (scale[i] ?? 0) + (bias[i] ?? 0));
  });
}

interface Options extends AttentionOptions {
  readonly norm?: 'pre' | 'post';
  readonly active?: (x: number) => number;
  /** Of the other input. */
  readonly seen?: readonly (readonly boolean[])[];
}

function formula(x: Matrix, source: Matrix | undefined, weights: Weights, kind: Kind, o: Options, row: number): Matrix {
  const { norm = 'pre', active = gelu, seen, ...attention } = o;
  const added = (v: Matrix, what: string, part: (v: Matrix, prefix: string) => Matrix) => {
    const prefix = `t/0/${kind}/${what}/`;
    const given = part(norm === 'pre' ? normalOf(v, weights, `${prefix}norm/`) : v, prefix);
    const sum = v.map((step, t) => step.map((value, i) => value + (given[t]?.[i] ?? Number.NaN)));
    return norm === 'pre' ? sum : normalOf(sum, weights, `${prefix}norm/`);
  };
  const own = added(x, 'attention', (v, prefix) => attentionOf(v, v, weights, prefix, attention, row));
  const { heads, kv } = attention;
  const across = { heads, ...(kv !== undefined && { kv }), ...(seen !== undefined && { present: seen }) };
  const looked =
    source === undefined ? own : added(own, 'cross', (v, prefix) => attentionOf(v, source, weights, prefix, across, row));
  return added(looked, 'feed_forward', (v, prefix) => {
    const hidden = affineOf(v, weights, `${prefix}hidden/`);
    return affineOf(
      hidden.map((step) => step.map(active)),
      weights,
      `${prefix}output/`,
    );
  });
}

async function agrees(
  kind: Kind,
  options: object,
  o: Options,
  { feeds = {}, source }: { feeds?: Record<string, Tensor>; source?: Tensor } = {},
) {
  const x = numbers([rows, steps, width], 1);
  const written = { [kind]: { heads: o.heads, ...options } } as LayerInput;
  const weights = parametersOf([written], [steps, width], { inputs: inputsOf(feeds) });
  const { y } = await run([written], x, { ...weights, ...feeds }, { inputs: inputsOf(feeds) });
  const sources = source && matrices(source);
  // Steps that are not there are read as 0.
  const own = matrices(x).map((m, row) => m.map((step, t) => (o.present?.[row]?.[t] === false ? step.map(() => 0) : step)));
  const expected = own.flatMap((m, row) => formula(m, sources?.[row], weights, kind, o, row).flat());
  expect(y?.dims).toEqual([rows, steps, width]);
  const found = y?.numbers() ?? [];
  for (const [i, v] of expected.entries()) expect(found[i]).toBeCloseTo(v, 4);
}

const present = [
  [true, true, true],
  [true, false, false],
];
const mask = new Tensor('bool', [rows, steps], Uint8Array.from(present.flat(), Number));

it('encoder: attention, then two matrices, each reading what is normalised', () =>
  agrees('transformer_encoder', {}, { heads: 2 }));
it('encoder: normalises what comes of adding', () => agrees('transformer_encoder', { norm: 'post' }, { heads: 2, norm: 'post' }));
it('encoder: another width, another activation', () =>
  agrees('transformer_encoder', { hidden: 5, activation: 'tanh' }, { heads: 4, active: Math.tanh }));
it('encoder: shared keys, rotary positions, no later step', () =>
  agrees('transformer_encoder', { kv_heads: 2, rotary: 100, causal: true }, { heads: 4, kv: 2, rotary: 100, causal: true }));
it('encoder: leaves out what a mask says is not there', () =>
  agrees('transformer_encoder', { mask: 'mask' }, { heads: 2, present }, { feeds: { mask } }));

it('decoder: sees no later step', () => agrees('transformer_decoder', {}, { heads: 2, causal: true }));
it('decoder: looks at another input behind its own steps, rotary positions being of its own alone', async () => {
  const memory = numbers([rows, 5, 3], 2);
  const among = { feeds: { memory }, source: memory };
  await agrees('transformer_decoder', { cross: 'memory' }, { heads: 2, causal: true }, among);
  await agrees(
    'transformer_decoder',
    { cross: 'memory', norm: 'post', kv_heads: 1, rotary: 100 },
    { heads: 2, kv: 1, causal: true, norm: 'post', rotary: 100 },
    among,
  );
});
it('decoder: leaves out steps of its own by "mask", of the other input by "cross_mask"', async () => {
  const memory = numbers([rows, 4, 3], 2);
  const long = new Tensor('int64', [rows], BigInt64Array.of(4n, 2n));
  await agrees(
    'transformer_decoder',
    { cross: 'memory', mask: 'mask', cross_mask: 'long' },
    {
      heads: 2,
      causal: true,
      present,
      seen: [
        [true, true, true, true],
        [true, true, false, false],
      ],
    },
    { feeds: { memory, mask, long }, source: memory },
  );
});

it('has the gradients that differences have', async () => {
  const x = numbers([1, 2, 4], 3);
  expect(await checkLayers([{ transformer_encoder: { heads: 2, hidden: 3 } }], x)).toBeGreaterThan(100);
  expect(await checkLayers([{ transformer_decoder: { heads: 2, hidden: 3, norm: 'post', rotary: 10 } }], x)).toBeGreaterThan(100);
});

it('drops in training what each part adds, by a draw of its own', () => {
  const layer: LayerInput = { transformer_decoder: { heads: 2, dropout: 0.25, cross: 'memory' } };
  const inputs = { memory: { dtype: 'float32', shape: [5, 3] } } as const;
  const drawn = ({ g }: ReturnType<typeof lower>) =>
    g.graph.inputs.map(({ name }) => name).filter((name) => name?.endsWith('/random'));
  expect(drawn(lower([layer], [3, 8], { training: true, inputs }))).toEqual([
    't/0/transformer_decoder/attention/random',
    't/0/transformer_decoder/cross/random',
    't/0/transformer_decoder/feed_forward/random',
  ]);
  expect(drawn(lower([layer], [3, 8], { inputs }))).toEqual([]);
});

it('is attention and matrices with additions around', () => {
  expect(printed([{ transformer_encoder: 2 }], [3, 8])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,8], t/0/transformer_encoder/attention/norm/scale: float32[8], t/0/transformer_encoder/attention/norm/bias: float32[8], t/0/transformer_encoder/attention/query/weight: float32[8,8], t/0/transformer_encoder/attention/query/bias: float32[8], t/0/transformer_encoder/attention/key/weight: float32[8,8], t/0/transformer_encoder/attention/value/weight: float32[8,8], t/0/transformer_encoder/attention/value/bias: float32[8], t/0/transformer_encoder/attention/output/weight: float32[8,8], t/0/transformer_encoder/attention/output/bias: float32[8], t/0/transformer_encoder/feed_forward/norm/scale: float32[8], t/0/transformer_encoder/feed_forward/norm/bias: float32[8], t/0/transformer_encoder/feed_forward/hidden/weight: float32[8,32], t/0/transformer_encoder/feed_forward/hidden/bias: float32[32], t/0/transformer_encoder/feed_forward/output/weight: float32[32,8], t/0/transformer_encoder/feed_forward/output/bias: float32[8]) -> (y)
      t/0/transformer_encoder/LayerNormalization/out: float32[N,3,8] = LayerNormalization<axis=-1, epsilon=0.00001>(x, t/0/transformer_encoder/attention/norm/scale, t/0/transformer_encoder/attention/norm/bias)
      t/0/transformer_encoder/MatMul/out: float32[N,3,8] = MatMul(t/0/transformer_encoder/LayerNormalization/out, t/0/transformer_encoder/attention/query/weight)
      t/0/transformer_encoder/Add/out: float32[N,3,8] = Add(t/0/transformer_encoder/MatMul/out, t/0/transformer_encoder/attention/query/bias)
      t/0/transformer_encoder/Mul/out: float32[N,3,8] = Mul(t/0/transformer_encoder/Add/out, float32(0.5))
      t/0/transformer_encoder/Reshape/out: float32[N,3,2,4] = Reshape(t/0/transformer_encoder/Mul/out, int64{0,0,2,4})
      t/0/transformer_encoder/Transpose/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/transformer_encoder/Reshape/out)
      t/0/transformer_encoder/MatMul_1/out: float32[N,3,8] = MatMul(t/0/transformer_encoder/LayerNormalization/out, t/0/transformer_encoder/attention/key/weight)
      t/0/transformer_encoder/Reshape_1/out: float32[N,3,2,4] = Reshape(t/0/transformer_encoder/MatMul_1/out, int64{0,0,2,4})
      t/0/transformer_encoder/Transpose_1/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/transformer_encoder/Reshape_1/out)
      t/0/transformer_encoder/MatMul_2/out: float32[N,3,8] = MatMul(t/0/transformer_encoder/LayerNormalization/out, t/0/transformer_encoder/attention/value/weight)
      t/0/transformer_encoder/Add_1/out: float32[N,3,8] = Add(t/0/transformer_encoder/MatMul_2/out, t/0/transformer_encoder/attention/value/bias)
      t/0/transformer_encoder/Reshape_2/out: float32[N,3,2,4] = Reshape(t/0/transformer_encoder/Add_1/out, int64{0,0,2,4})
      t/0/transformer_encoder/Transpose_2/out: float32[N,2,3,4] = Transpose<perm=[0,2,1,3]>(t/0/transformer_encoder/Reshape_2/out)
      t/0/transformer_encoder/Transpose_3/out: float32[N,2,4,3] = Transpose<perm=[0,1,3,2]>(t/0/transformer_encoder/Transpose_1/out)
      t/0/transformer_encoder/MatMul_3/out: float32[N,2,3,3] = MatMul(t/0/transformer_encoder/Transpose/out, t/0/transformer_encoder/Transpose_3/out)
      t/0/transformer_encoder/Softmax/out: float32[N,2,3,3] = Softmax<axis=-1>(t/0/transformer_encoder/MatMul_3/out)
      t/0/transformer_encoder/MatMul_4/out: float32[N,2,3,4] = MatMul(t/0/transformer_encoder/Softmax/out, t/0/transformer_encoder/Transpose_2/out)
      t/0/transformer_encoder/Transpose_4/out: float32[N,3,2,4] = Transpose<perm=[0,2,1,3]>(t/0/transformer_encoder/MatMul_4/out)
      t/0/transformer_encoder/Reshape_3/out: float32[N,3,8] = Reshape(t/0/transformer_encoder/Transpose_4/out, int64{0,0,8})
      t/0/transformer_encoder/MatMul_5/out: float32[N,3,8] = MatMul(t/0/transformer_encoder/Reshape_3/out, t/0/transformer_encoder/attention/output/weight)
      t/0/transformer_encoder/Add_2/out: float32[N,3,8] = Add(t/0/transformer_encoder/MatMul_5/out, t/0/transformer_encoder/attention/output/bias)
      t/0/transformer_encoder/Add_3/out: float32[N,3,8] = Add(x, t/0/transformer_encoder/Add_2/out)
      t/0/transformer_encoder/LayerNormalization_1/out: float32[N,3,8] = LayerNormalization<axis=-1, epsilon=0.00001>(t/0/transformer_encoder/Add_3/out, t/0/transformer_encoder/feed_forward/norm/scale, t/0/transformer_encoder/feed_forward/norm/bias)
      t/0/transformer_encoder/MatMul_6/out: float32[N,3,32] = MatMul(t/0/transformer_encoder/LayerNormalization_1/out, t/0/transformer_encoder/feed_forward/hidden/weight)
      t/0/transformer_encoder/Add_4/out: float32[N,3,32] = Add(t/0/transformer_encoder/MatMul_6/out, t/0/transformer_encoder/feed_forward/hidden/bias)
      t/0/transformer_encoder/Mul_1/out: float32[N,3,32] = Mul(t/0/transformer_encoder/Add_4/out, float32(0.5))
      t/0/transformer_encoder/Mul_2/out: float32[N,3,32] = Mul(t/0/transformer_encoder/Add_4/out, float32(0.70710677))
      t/0/transformer_encoder/Erf/out: float32[N,3,32] = Erf(t/0/transformer_encoder/Mul_2/out)
      t/0/transformer_encoder/Add_5/out: float32[N,3,32] = Add(t/0/transformer_encoder/Erf/out, float32(1))
      t/0/transformer_encoder/Mul_3/out: float32[N,3,32] = Mul(t/0/transformer_encoder/Mul_1/out, t/0/transformer_encoder/Add_5/out)
      t/0/transformer_encoder/MatMul_7/out: float32[N,3,8] = MatMul(t/0/transformer_encoder/Mul_3/out, t/0/transformer_encoder/feed_forward/output/weight)
      t/0/transformer_encoder/Add_6/out: float32[N,3,8] = Add(t/0/transformer_encoder/MatMul_7/out, t/0/transformer_encoder/feed_forward/output/bias)
      y: float32[N,3,8] = Add(t/0/transformer_encoder/Add_3/out, t/0/transformer_encoder/Add_6/out)"
  `);
});

it('takes laterals at the sequence that it reads', () => {
  for (const kind of ['transformer_encoder', 'transformer_decoder'] as const) {
    const { g, joints } = lower([{ [kind]: 2 } as LayerInput], [3, 8], { lateral: true });
    expect(joints).toMatchObject([{ along: 'positions', layout: 'channels-last', size: [3], width: 8 }]);
    // Ahead of the way around: all that is added later is added to the sum.
    expect(g.graph.nodes[0]?.inputs.map((v) => v?.name)).toEqual(['x', 'lateral']);
  }
});

it('refuses heads that do not divide, what is no sequence, and a mask of nothing', () => {
  expect(() => lower([{ transformer_encoder: 3 }], [3, 8])).toThrow('8 features do not divide into 3 heads');
  expect(() => lower([{ transformer_decoder: { heads: 4, kv_heads: 3 } }], [3, 8])).toThrow(/expected a divisor of/);
  expect(() => lower([{ transformer_encoder: 2 }], [8])).toThrow('a sequence [steps, features] is needed');
  expect(() => lower([{ transformer_decoder: { heads: 2, cross_mask: 'm' } }], [3, 8])).toThrow(/expected .*cross.* beside it/);
  expect(() => layerSchema.parse({ transformer_encoder: { heads: 2, norm: 'before' } })).toThrow(
    /"path": \[\s+"transformer_encoder",\s+"norm"/,
  );
});
